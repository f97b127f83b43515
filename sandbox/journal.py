"""An append-only file of what happened, one line per commit, read back at start."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Event = tuple[str, dict[str, Any]]


class Journal:
    def __init__(self, path: Path | None):
        self._path = path
        self._file = None

    def replay(self) -> Iterator[Event]:
        """Every event of the file; what a kill tore off at its end is cut away."""
        if self._path is None or not self._path.exists():
            return
        whole = 0
        with self._path.open("rb") as file:
            for line in file:
                events = _parsed(line)
                if events is None:
                    break
                whole += len(line)
                yield from events
        with self._path.open("rb+") as file:
            file.truncate(whole)

    def open(self) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("ab")

    def write(self, events: tuple[Event, ...]) -> None:
        """One line for all of them: after a kill they are there together or not at all."""
        if self._file is not None:
            self._file.write(json.dumps(events, separators=(",", ":")).encode() + b"\n")
            self._file.flush()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _parsed(line: bytes) -> list | None:
    if not line.endswith(b"\n"):
        return None
    try:
        return json.loads(line)
    except ValueError:
        return None
