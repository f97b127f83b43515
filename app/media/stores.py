"""Where the files of media lie: the instance folder, or a bucket of an S3-compatible store.

A medium's row names its store, so that a change of the setting loses nothing: what lies in the old one is read there.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

import structlog
from flask import current_app

from app.errors import DomainError

log = structlog.get_logger()
FOLDER = "folder"
CHUNK_BYTES = 256 * 1024
CONNECT_SECONDS, ANSWER_SECONDS = 5, 20


class StoreFailed(DomainError):
    def __init__(self) -> None:
        super().__init__("The store of the files does not answer as it should. Try again in a minute.", 503)


class FileGone(Exception):
    """The store answers, and has no such file."""


class Store(Protocol):
    def put(self, file: str, content: IO[bytes], size: int, content_type: str) -> None:
        """Raises StoreFailed; a part of the file may then be there."""
        ...

    def read(self, file: str, start: int, length: int) -> Iterator[bytes]:
        """Raises FileGone or StoreFailed: at once, not while it is read."""
        ...

    def delete(self, file: str) -> None:
        """Also where there is none. Raises StoreFailed."""
        ...


def store_named(name: str) -> Store:
    """`folder`, or an address like s3://bucket/prefix."""
    known: dict[str, Store] = current_app.extensions.setdefault("greenroom_media_stores", {})
    if name not in known:
        known[name] = Folder(current_app.config["INSTANCE"] / "media") if name == FOLDER else Bucket(name)
    return known[name]


class Folder:
    def __init__(self, place: Path) -> None:
        self._place = place

    def put(self, file: str, content: IO[bytes], size: int, content_type: str) -> None:
        try:
            self._place.mkdir(parents=True, exist_ok=True)
            with (self._place / file).open("wb") as kept:
                shutil.copyfileobj(content, kept, CHUNK_BYTES)
        except OSError as error:
            log.warning("media_store_failed", store=FOLDER, error=str(error))
            raise StoreFailed from error

    def read(self, file: str, start: int, length: int) -> Iterator[bytes]:
        try:
            kept = (self._place / file).open("rb")
        except FileNotFoundError as error:
            raise FileGone(file) from error
        kept.seek(start)
        return _chunks(kept, length)

    def delete(self, file: str) -> None:
        (self._place / file).unlink(missing_ok=True)


def _chunks(kept: IO[bytes], left: int) -> Iterator[bytes]:
    with kept:
        while left > 0 and (chunk := kept.read(min(CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk


class Bucket:
    """botocore, and not a larger or a smaller client: it sends a file as it is read, in one call that the store takes
    whole or not at all. It is loaded with the first file, and by nobody who keeps files in the folder (38 MB).
    """

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._name, self._bucket = address, parts.netloc
        self._prefix = f"{parts.path.strip('/')}/".removeprefix("/")
        self._client = _s3_client()

    def put(self, file: str, content: IO[bytes], size: int, content_type: str) -> None:
        with self._answering():
            where = self._place(file)
            self._client.put_object(**where, Body=content, ContentLength=size, ContentType=content_type)

    def read(self, file: str, start: int, length: int) -> Iterator[bytes]:
        with self._answering():
            found = self._client.get_object(**self._place(file), Range=f"bytes={start}-{start + length - 1}")
        return self._answered(_chunks(found["Body"], length))

    def _answered(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        with self._answering():
            yield from chunks

    def delete(self, file: str) -> None:
        with self._answering():
            self._client.delete_object(**self._place(file))

    def _place(self, file: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{file}"}

    @contextmanager
    def _answering(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "NoSuchKey":
                raise FileGone(code) from error
            log.warning("media_store_failed", store=self._name, error=code)
            raise StoreFailed from error
        except (BotoCoreError, OSError) as error:
            log.warning("media_store_failed", store=self._name, error=type(error).__name__)
            raise StoreFailed from error


def _s3_client() -> Any:
    from botocore.config import Config
    from botocore.session import get_session

    settings = current_app.config
    return get_session().create_client(
        "s3",
        endpoint_url=settings["S3_ENDPOINT"] or None,
        region_name=settings["S3_REGION"],
        aws_access_key_id=settings["S3_KEY_ID"] or None,
        aws_secret_access_key=settings["S3_SECRET"] or None,
        config=Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=ANSWER_SECONDS,
            retries={"mode": "standard", "total_max_attempts": 2},
            s3={"addressing_style": "path" if settings["S3_ENDPOINT"] else "auto"},
            # Checksums of AWS's own making are unknown to many stores that speak S3.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
