"""A backup's file: a .tar.gz with a manifest as its last member, which names every other one with its digest."""

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from app.errors import DomainError

MANIFEST = "manifest.json"
FORMAT = 1
NAME = re.compile(r"database\.(sqlite|dump)|secret\.key|(media|imports)/[A-Za-z0-9_-]+")
CHUNK_BYTES = 1 << 20


class Damaged(DomainError):
    pass


class _Reader:
    """Reads a file for a tar and notes its digest."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk


class Writer:
    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self._members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, path: Path) -> None:
        """Raises FileNotFoundError."""
        with path.open("rb") as file:
            member = tarfile.TarInfo(name)
            member.size, member.mode = os.fstat(file.fileno()).st_size, 0o600
            reader = _Reader(file)
            self._tar.addfile(member, reader)  # type: ignore[arg-type]  it only reads
        self._members[name] = {"size": member.size, "sha256": reader.digest.hexdigest()}

    def finish(self, manifest: dict[str, Any]) -> None:
        content = json.dumps({"format": FORMAT, **manifest, "members": self._members}, indent=1).encode()
        member = tarfile.TarInfo(MANIFEST)
        member.size, member.mode = len(content), 0o600
        self._tar.addfile(member, io.BytesIO(content))


@contextmanager
def written(path: Path) -> Iterator[Writer]:
    """The archive under a name of its own until it is whole and on the disk. Raises FileExistsError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with _private(draft) as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as tar:
                yield Writer(tar)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)  # fails where there is one: nothing is written over
        _sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def _private(path: Path) -> IO[bytes]:
    """A new file that only its owner reads."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checked_manifest(path: Path) -> dict[str, Any]:
    """After every byte was held against it. Raises Damaged."""
    found: dict[str, dict[str, Any]] = {}
    manifest = None
    try:
        for name, file in _members(path):
            if name == MANIFEST:
                manifest = json.load(file)
            else:
                found[name] = _measure(file)
    except (OSError, EOFError, ValueError, tarfile.TarError) as error:
        raise Damaged(f"This is no whole backup: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise Damaged("This is no backup that this version of Greenroom can read.")
    if manifest["members"] != found:
        raise Damaged("This backup is damaged: its files are not those that its manifest names.")
    return manifest


def extract(path: Path, places: dict[str, Path]) -> None:
    """places: where the members go, by their folder's name, or by their own. Each is written beside its place first."""
    for name, file in _members(path):
        folder, _, base = name.rpartition("/")
        if name not in places and folder not in places:
            continue
        place = places[name] if name in places else places[folder] / base
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        with _private(draft) as copy:
            while chunk := file.read(CHUNK_BYTES):
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        draft.replace(place)


def _members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    with tarfile.open(path, "r|gz") as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is None or not (member.name == MANIFEST or NAME.fullmatch(member.name)):
                raise Damaged(f"This is no backup of Greenroom: what is {member.name!r} in it?")
            yield member.name, content


def _measure(file: IO[bytes]) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
        size += len(chunk)
    return {"size": size, "sha256": digest.hexdigest()}
