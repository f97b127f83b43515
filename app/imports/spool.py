"""The rows of a file as they were read, on disk for as long as they are thought over: memory does not grow with the file."""

import pickle
import tempfile
from collections.abc import Iterator
from pathlib import Path

from app.imports.row import Reading

ROWS = 1500  # that are written and read together


class Spool:
    """A temporary file without a name: it goes when this process does."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  closed by `close`
        self._starts: list[int] = []

    def add(self, readings: list[Reading]) -> None:
        self._starts.append(self._file.seek(0, 2))
        plain = [(each.row, each.cells, each.values, each.problems, each.fault) for each in readings]
        pickle.dump(plain, self._file, pickle.HIGHEST_PROTOCOL)

    def backwards(self) -> Iterator[list[Reading]]:
        """The last rows first."""
        for start in reversed(self._starts):
            yield self._read(start)[::-1]

    def forwards(self) -> Iterator[list[Reading]]:
        for start in self._starts:
            yield self._read(start)

    def _read(self, start: int) -> list[Reading]:
        self._file.seek(start)
        plain = pickle.load(self._file)  # noqa: S301  written by this process, and nobody else can reach it
        return [Reading(*each) for each in plain]

    def close(self) -> None:
        self._file.close()
