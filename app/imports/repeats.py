"""Which row of a file has the last word on a fan, and which payment it is the how-manieth of its kind.

Kept in a small file beside the upload, so that memory does not grow with it and a second try decides as the first did.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from app.imports.reading import Person


class RowKeys:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_suffix(f".{secrets.token_hex(4)}.part")
        self.is_complete = path.exists()
        self._db = sqlite3.connect(path if self.is_complete else self._part, isolation_level=None)
        self._db.execute("PRAGMA synchronous=off")
        self._db.execute("PRAGMA journal_mode=off")
        if not self.is_complete:
            self._db.execute("CREATE TABLE last (key TEXT PRIMARY KEY, row INTEGER) WITHOUT ROWID")
            self._db.execute("CREATE TABLE alike (key TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID")
            self._db.execute("CREATE TABLE place (row INTEGER PRIMARY KEY, n INTEGER)")
            self._db.execute("BEGIN")

    def complete(self) -> None:
        self._db.execute("COMMIT")
        self._db.close()
        self._part.replace(self._path)
        self._db = sqlite3.connect(self._path, isolation_level=None)
        self.is_complete = True

    def close(self) -> None:
        self._db.close()
        self._part.unlink(missing_ok=True)

    def note(self, keys: Iterable[tuple[str, int]]) -> None:
        """Rows must come in the order of the file."""
        self._db.executemany("INSERT OR REPLACE INTO last VALUES (?, ?)", keys)

    def last_rows(self, keys: Iterable[str]) -> dict[str, int]:
        wanted = list(set(keys))
        found: dict[str, int] = {}
        for at in range(0, len(wanted), 5000):
            part = wanted[at : at + 5000]
            marks = ",".join("?" * len(part))
            found |= dict(self._db.execute(f"SELECT key, row FROM last WHERE key IN ({marks})", part))  # noqa: S608
        return found

    def count_alike(self, row: int, key: str) -> None:
        upsert = "INSERT INTO alike VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n"
        ((n,),) = self._db.execute(upsert, (key,)).fetchall()
        if n > 1:
            self._db.execute("INSERT INTO place VALUES (?, ?)", (row, n))

    def place_of(self, row: int) -> int:
        found = self._db.execute("SELECT n FROM place WHERE row = ?", (row,)).fetchone()
        return found[0] if found else 1


def keys_left(person: Person, fan_id: int | None) -> Iterator[str]:
    """What this row leaves for earlier ones to find. `0` stands where the row lacks the stronger name."""
    yield from _own(person, fan_id)
    no_id, no_handle = person.platform_id is None, person.handle is None
    if person.handle:
        yield f"h|{person.handle}"
        if no_id:
            yield f"h0|{person.handle}"
    if person.email:
        yield f"e|{person.email}"
        if no_id:
            yield f"e0-|{person.email}"
        if no_handle:
            yield f"e-0|{person.email}"
        if no_id and no_handle:
            yield f"e00|{person.email}"


def keys_sought(person: Person, fan_id: int | None) -> Iterator[str]:
    """What a later row about the same fan would have left: it shares a name with this row and contradicts no stronger one."""
    yield from _own(person, fan_id)
    if person.handle:
        yield f"h0|{person.handle}" if person.platform_id else f"h|{person.handle}"
    if person.email:
        which = ("0" if person.platform_id else "-") + ("0" if person.handle else "-")
        yield f"e|{person.email}" if which == "--" else f"e{which}|{person.email}"


def _own(person: Person, fan_id: int | None) -> Iterator[str]:
    if fan_id is not None:
        yield f"f|{fan_id}"
    if person.platform_id:
        yield f"p|{person.platform_id}"
    if person.only_name and person.name:
        yield f"n|{person.name}"
