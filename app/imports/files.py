"""The uploaded file on its way to disk: judged by name and size, kept under a name of our own."""

import hashlib
import io
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flask import current_app

from app.errors import Invalid

SUFFIXES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class KeptFile:
    name: str  # as its owner knows it
    path: Path
    size: int
    sha256: str

    def names(self, count: int) -> list[str]:
        """Of the file on disk, so many: each goes by itself, and the bytes with the last."""
        names = [self.path.name, *(f"{self.path.name}-{number}" for number in range(2, count + 1))]
        for name in names[1:]:
            os.link(self.path, self.path.with_name(name))
        return names


def folder() -> Path:
    return current_app.config["INSTANCE"] / "imports"


@contextmanager
def kept_file(filename: str, content: IO[bytes] | bytes) -> Iterator[KeptFile]:
    """The file on disk; gone again where what follows raises. Raises Invalid (413, 415)."""
    name = _plain_name(filename)
    if not name.casefold().endswith(SUFFIXES):
        raise Invalid(("file", "Only .csv, .tsv and .txt files can be imported."), status=415)
    path = folder() / secrets.token_hex(16)
    try:
        size, digest = _write(path, io.BytesIO(content) if isinstance(content, bytes) else content)
        yield KeptFile(name, path, size, digest)
    except BaseException:
        for each in folder().glob(f"{path.name}*"):
            each.unlink()
        raise


def _write(path: Path, content: IO[bytes]) -> tuple[int, str]:
    """Its size and SHA-256."""
    largest = current_app.config["MAX_UPLOAD_BYTES"]
    digest, size = hashlib.sha256(), 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while chunk := content.read(1 << 16):
            size += len(chunk)
            if size > largest:
                raise Invalid(("file", f"The file is too large: at most {largest // 1024 // 1024} MB."), status=413)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _plain_name(name: str) -> str:
    base = re.sub(r"[\x00-\x1f\x7f]", "", name.replace("\\", "/").rpartition("/")[2])
    return base[-200:] or "file"
