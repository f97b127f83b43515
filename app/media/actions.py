import re
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app
from werkzeug.datastructures import FileStorage

from app.database import write
from app.errors import Invalid
from app.media import fetching, queries
from app.media.kinds import content_type_of, kind_of
from app.media.models import Medium

OWN = re.compile(r"/media/(\d{1,18})")
VAULT = re.compile(r"platform:[A-Za-z0-9_\-]{1,200}")
LONGEST_ADDRESS = 2000
MOST_ATTACHMENTS = 20


def store_medium(account_id: int, name: str, content: bytes) -> Medium:
    """Raises Invalid: empty (400), too large (413), or not a picture, video or sound (415)."""
    if not content:
        raise Invalid(("file", "The file is empty."))
    if len(content) > current_app.config["MAX_UPLOAD_BYTES"]:
        raise Invalid(("file", "The file is too large."), status=413)
    content_type = content_type_of(content[:64])
    if content_type is None:
        raise Invalid(("file", "Only pictures, videos and sounds can be sent."), status=415)
    file = secrets.token_hex(16)
    _folder().mkdir(parents=True, exist_ok=True)
    (_folder() / file).write_bytes(content)
    with write() as session:
        medium = Medium(
            account_id=account_id, name=_plain_name(name), content_type=content_type, size=len(content), file=file
        )
        session.add(medium)
    return medium


def store_upload(account_id: int, upload: FileStorage) -> dict[str, str]:
    """A form's file, kept and ready to be attached. Raises Invalid."""
    content = upload.stream.read(current_app.config["MAX_UPLOAD_BYTES"] + 1)
    medium = store_medium(account_id, upload.filename or "", content)
    return {"type": kind_of(medium.content_type), "url": medium.url, "name": medium.name}


def read_medium(medium: Medium) -> bytes:
    return path_of(medium).read_bytes()


def path_of(medium: Medium) -> Path:
    return _folder() / medium.file


def _folder() -> Path:
    return current_app.config["INSTANCE"] / "media"


def _plain_name(name: str) -> str:
    base = re.sub(r"[\x00-\x1f\x7f]", "", name.replace("\\", "/").rpartition("/")[2])
    return base[:200] or "file"


def as_attachments(account_id: int, addresses: Sequence[str]) -> list[dict[str, str]]:
    """Attachments from bare addresses. Raises NotFound for a medium that is not the account's."""
    return [_as_attachment(account_id, address) for address in addresses]


def _as_attachment(account_id: int, address: str) -> dict[str, str]:
    if own := OWN.fullmatch(address):
        medium = queries.find_medium(account_id, int(own[1]))
        return {"type": kind_of(medium.content_type), "url": medium.url, "name": medium.name}
    return {"type": "file", "url": address, "name": ""}


def check_attachments(account_id: int, attachments: Sequence[dict[str, str]]) -> Iterator[tuple[str, str]]:
    """Yields what is wrong as (field, message). Raises NotFound for a medium that is not the account's."""
    if len(attachments) > MOST_ATTACHMENTS:
        yield "attachments", f"At most {MOST_ATTACHMENTS} attachments."
    for index, each in enumerate(attachments):
        if wrong := _address_fault(account_id, each["url"]):
            yield f"attachments.{index}.url", wrong


def _address_fault(account_id: int, address: str) -> str | None:
    if own := OWN.fullmatch(address):
        queries.find_medium(account_id, int(own[1]))
        return None
    if VAULT.fullmatch(address):
        return None
    host = fetching.host_of(address) if len(address) <= LONGEST_ADDRESS else None
    if host is None:
        return "An attachment is /media/{id}, platform:{id}, or an https:// address."
    return None if fetching.may_be_public(host) else "This address is on a private network."


def load_attachment(account_id: int, address: str) -> tuple[str, str, bytes]:
    """(name, content type, content), from our store or from the web. Raises fetching.CannotFetch or NotFound."""
    if own := OWN.fullmatch(address):
        medium = queries.find_medium(account_id, int(own[1]))
        return medium.name, medium.content_type, read_medium(medium)
    content = fetching.fetch(address, current_app.config["MAX_UPLOAD_BYTES"])
    content_type = content_type_of(content[:64])
    if content_type is None:
        raise fetching.CannotFetch("The attachment's address does not lead to a picture, video or sound.")
    return _plain_name(urlsplit(address).path), content_type, content
