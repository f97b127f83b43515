import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from io import BytesIO
from typing import IO, Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import delete, select, update
from werkzeug.datastructures import FileStorage

from app.database import db, utcnow, write
from app.errors import Invalid, NotFound
from app.media import fetching, queries
from app.media.kinds import content_type_of
from app.media.models import Medium
from app.media.stores import FileGone, StoreFailed, store_named

OWN = re.compile(r"/media/(\d{1,18})")
VAULT = re.compile(r"platform:[A-Za-z0-9_\-]{1,200}")
LONGEST_ADDRESS = 2000
MOST_ATTACHMENTS = 20
HEAD_BYTES = 64  # enough to know a type by
LONGEST_UPLOAD = timedelta(hours=1)
UNTIL_NEXT_TRY = timedelta(minutes=10)
MOST_DISCARDED_AT_ONCE = 100

Attachment = dict[str, Any]  # type, url, name; preview: True where it is shown before the message is bought


def store_medium(account_id: int, name: str, content: IO[bytes]) -> Medium:
    """`content` is read as it is stored, never whole.

    Raises Invalid: empty (400), too large (413), not a picture, video or sound (415), or the store fails (503).
    """
    size, content_type = _checked(content)
    file, store = secrets.token_hex(16), current_app.config["MEDIA_STORE"]
    medium = Medium(
        account_id=account_id, name=_plain_name(name), content_type=content_type, size=size, file=file, store=store,
        discard_at=utcnow() + LONGEST_UPLOAD,
    )  # fmt: skip
    with write() as session:
        session.add(medium)
    try:
        store_named(store).put(file, content, size, content_type)
    except StoreFailed as error:
        raise Invalid(("file", f"{error.detail} Nothing was kept."), status=503) from error
    with write():
        medium.discard_at = None
    return medium


def _checked(content: IO[bytes]) -> tuple[int, str]:
    size = content.seek(0, 2)
    content.seek(0)
    if not size:
        raise Invalid(("file", "The file is empty."))
    if size > current_app.config["MAX_UPLOAD_BYTES"]:
        raise Invalid(("file", "The file is too large."), status=413)
    content_type = content_type_of(content.read(HEAD_BYTES))
    content.seek(0)
    if content_type is None:
        raise Invalid(("file", "Only pictures, videos and sounds can be sent."), status=415)
    return size, content_type


def store_upload(account_id: int, upload: FileStorage) -> Attachment:
    """A form's file, kept and ready to be attached. Raises Invalid."""
    return as_attachment(store_medium(account_id, upload.filename or "", upload.stream))


def store_from_address(account_id: int, address: str) -> Attachment:
    """What lies at an https:// address now, kept as an upload is and judged as one. Raises Invalid."""
    db.session.commit()
    try:
        if len(address) > LONGEST_ADDRESS:
            raise fetching.CannotFetch("The address is too long.")
        content = fetching.fetch(address, current_app.config["MAX_UPLOAD_BYTES"])
    except fetching.CannotFetch as error:
        raise Invalid(("address", str(error))) from error
    return as_attachment(store_medium(account_id, urlsplit(address).path, BytesIO(content)))


def as_attachment(medium: Medium) -> Attachment:
    return {"type": medium.kind, "url": medium.url, "name": medium.name}


def read_medium(medium: Medium, start: int, length: int) -> Iterator[bytes]:
    """Raises FileGone or StoreFailed."""
    return store_named(medium.store).read(medium.file, start, length)


def discard_media() -> None:
    """What is not kept: its file goes, then its row. Safe to run twice; where a store fails, it is tried again later."""
    due = select(Medium).where(Medium.discard_at <= utcnow()).order_by(Medium.discard_at).limit(MOST_DISCARDED_AT_ONCE)
    doomed = [(each.id, each.store, each.file) for each in db.session.scalars(due)]
    for medium_id, store, file in doomed:
        db.session.commit()
        try:
            store_named(store).delete(file)
        except StoreFailed:
            with write() as session:
                put_off = update(Medium).where(Medium.store == store, Medium.discard_at <= utcnow())
                session.execute(put_off.values(discard_at=utcnow() + UNTIL_NEXT_TRY))
            return
        with write() as session:
            session.execute(delete(Medium).where(Medium.id == medium_id, Medium.discard_at.is_not(None)))


def is_discarding_needed() -> bool:
    return db.session.scalar(select(Medium.id).where(Medium.discard_at <= utcnow()).limit(1)) is not None


def _plain_name(name: str) -> str:
    base = re.sub(r"[\x00-\x1f\x7f]", "", name.replace("\\", "/").rpartition("/")[2])
    return base[:200] or "file"


def as_attachments(account_id: int, addresses: Sequence[str]) -> list[Attachment]:
    """Attachments from bare addresses. Raises NotFound for a medium that is not the account's."""
    own = queries.find_media(account_id, _own_ids(addresses))
    return [
        as_attachment(own[int(found[1])])
        if (found := OWN.fullmatch(each))
        else {"type": "file", "url": each, "name": ""}
        for each in addresses
    ]


def _own_ids(addresses: Sequence[str]) -> list[int]:
    return [int(found[1]) for each in addresses if (found := OWN.fullmatch(each))]


def check_attachments(account_id: int, attachments: Sequence[Attachment]) -> Iterator[tuple[str, str]]:
    """Yields what is wrong as (field, message). Raises NotFound for a medium that is not the account's."""
    queries.find_media(account_id, _own_ids([each["url"] for each in attachments]))
    if len(attachments) > MOST_ATTACHMENTS:
        yield "attachments", f"At most {MOST_ATTACHMENTS} attachments."
    for index, each in enumerate(attachments):
        if wrong := _address_fault(each["url"]):
            yield f"attachments.{index}.url", wrong


def is_locked(attachments: Sequence[Attachment]) -> bool:
    """Whether something is left to buy: an attachment that is not shown before."""
    previews = {each["url"] for each in attachments if each.get("preview")}
    return any(each["url"] not in previews for each in attachments)


def _address_fault(address: str) -> str | None:
    if OWN.fullmatch(address) or VAULT.fullmatch(address):
        return None
    host = fetching.host_of(address) if len(address) <= LONGEST_ADDRESS else None
    if host is None:
        return "An attachment is /media/{id}, platform:{id}, or an https:// address."
    return None if fetching.may_be_public(host) else "This address is on a private network."


def load_attachment(account_id: int, address: str) -> tuple[str, str, bytes]:
    """(name, content type, content), from its store or from the web.

    Raises fetching.CannotFetch, NotFound, or StoreFailed (it may be there the next time).
    """
    if own := OWN.fullmatch(address):
        return _load(queries.find_medium(account_id, int(own[1])))
    content = fetching.fetch(address, current_app.config["MAX_UPLOAD_BYTES"])
    content_type = content_type_of(content[:HEAD_BYTES])
    if content_type is None:
        raise fetching.CannotFetch("The attachment's address does not lead to a picture, video or sound.")
    return _plain_name(urlsplit(address).path), content_type, content


def _load(medium: Medium) -> tuple[str, str, bytes]:
    name, content_type, size, store, file = medium.name, medium.content_type, medium.size, medium.store, medium.file
    db.session.commit()
    try:
        return name, content_type, b"".join(store_named(store).read(file, 0, size))
    except FileGone as error:
        raise NotFound from error
