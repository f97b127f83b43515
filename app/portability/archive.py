"""The file: a zip with a manifest, a file of lines for each table, and the media. docs/leaving.md describes it."""

import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

FORMAT = 1
MANIFEST, PEOPLE = "manifest.json", "people.jsonl"
LONGEST_LINE = 32 * 1024 * 1024  # bytes
LARGEST_MANIFEST = 4 * 1024 * 1024
LARGEST_ID = 2**53
AS_IT_IS = orjson.OPT_UTC_Z


class BadArchive(Exception):
    """What is wrong with the file, and where."""

    def __init__(self, file: str, why: str, line: int = 0) -> None:
        super().__init__(f"{file}, line {line}: {why}" if line else f"{file}: {why}")


@dataclass
class Manifest:
    greenroom: str
    exported_at: str
    account: dict[str, Any]
    format: int = FORMAT
    counts: dict[str, int] = field(default_factory=dict)  # lines of each file
    sums: dict[str, dict[str, int]] = field(default_factory=dict)  # of each column of cents
    highest: dict[str, int] = field(default_factory=dict)  # id of each table that anything names
    files: int = 0  # media
    file_bytes: int = 0
    missing_files: list[int] = field(default_factory=list)  # media whose store no longer had them

    def as_json(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_INDENT_2 | AS_IT_IS)


def line_of(row: dict[str, Any]) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE | AS_IT_IS)


def name_of(table: str) -> str:
    return f"{table}.jsonl"


def file_of(medium_id: int) -> str:
    return f"media/{medium_id}"


class Archive:
    """One to read. Nothing in it is believed before it was looked at; no name in it becomes a path."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise BadArchive(path.name, "This is no whole zip file.") from error
        names = self._zip.namelist()
        if len(set(names)) < len(names):
            raise BadArchive(path.name, "A name is in it twice.")
        self.manifest = self._manifest()

    def _manifest(self) -> Manifest:
        try:
            if self._zip.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
                raise BadArchive(MANIFEST, "It is too large.")
            said = orjson.loads(self._zip.read(MANIFEST))
            if said["format"] != FORMAT:
                raise BadArchive(
                    MANIFEST, f"Format {said['format']!r} is not known here; this Greenroom reads {FORMAT}."
                )
            return Manifest(**said)
        except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
            raise BadArchive(MANIFEST, "It is missing, or not a manifest of Greenroom's.") from error

    def rows(self, name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """(line, row). Raises BadArchive."""
        line = 0
        try:
            with self._zip.open(name) as file:
                while text := file.readline(LONGEST_LINE + 1):
                    line += 1
                    if len(text) > LONGEST_LINE:
                        raise BadArchive(name, "The line is too long.", line)
                    row = orjson.loads(text)
                    if not isinstance(row, dict):
                        raise BadArchive(name, "This is no row.", line)
                    yield line, row
        except KeyError as error:
            raise BadArchive(name, "It is missing.") from error
        except (ValueError, zipfile.BadZipFile, EOFError, OSError) as error:
            raise BadArchive(name, f"It cannot be read: {error}.", line + 1) from error
        if line != self.manifest.counts.get(name):
            raise BadArchive(name, f"It has {line} lines, and the manifest says {self.manifest.counts.get(name)}.")

    def copy_file(self, medium_id: int, size: int, into: IO[bytes]) -> None:
        """Raises BadArchive where it is not of that size."""
        name, left = file_of(medium_id), size
        try:
            if self._zip.getinfo(name).file_size != size:
                raise BadArchive(name, "It is not as long as its row says.")
            with self._zip.open(name) as file:
                while chunk := file.read(min(left, 1 << 18)):
                    left -= len(chunk)
                    into.write(chunk)
        except KeyError as error:
            raise BadArchive(name, "It is missing.") from error
        except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
            raise BadArchive(name, f"It cannot be read: {error}.") from error
        if left:
            raise BadArchive(name, "It ends too early.")

    def close(self) -> None:
        self._zip.close()
