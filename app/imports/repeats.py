"""Which rows of a file are about the same fan, and which payment is the how-manieth of its kind.

Most names stand once in a file. A first pass finds those that may stand more often, in two bit fields whose size is
given by the number of rows; only these are then looked up exactly, in a temporary table. So a million rows cost no
memory, and a stray hit in the bit fields costs a look-up, never a wrong answer.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator

from app.imports.row import Person

BITS_PER_ROW = 16
MOST_BITS, FEWEST_BITS = 1 << 28, 1 << 12


class Repeats:
    """Rows must be asked about in the reverse order of the file: the later row has the last word."""

    def __init__(self, rows: int, every_handle: Callable[[], Iterable[str]]) -> None:
        """every_handle: gives all handles of the file, should they be needed after all."""
        size = max(FEWEST_BITS, min(MOST_BITS, 1 << (rows * BITS_PER_ROW - 1).bit_length()))
        self._mask = size - 1
        self._once, self._again = bytearray(size // 8), bytearray(size // 8)
        self._every_handle = every_handle
        self._knows_handles = False
        self._exact = sqlite3.connect("", isolation_level=None)  # in memory, and on disk where it grows
        self._exact.execute("CREATE TABLE seen (key TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID")
        self._exact.execute("CREATE TABLE handles (handle TEXT PRIMARY KEY) WITHOUT ROWID")
        self._exact.execute("BEGIN")

    def close(self) -> None:
        self._exact.close()

    # --- The first pass ---

    def note(self, keys: Iterable[str]) -> None:
        once, again, mask = self._once, self._again, self._mask
        for key in keys:
            number = hash(key)
            first, second = number & mask, (number >> 32) & mask
            if once[first >> 3] >> (first & 7) & 1 and once[second >> 3] >> (second & 7) & 1:
                again[first >> 3] |= 1 << (first & 7)
                again[second >> 3] |= 1 << (second & 7)
            else:
                once[first >> 3] |= 1 << (first & 7)
                once[second >> 3] |= 1 << (second & 7)

    # --- The second ---

    def may_repeat(self, key: str) -> bool:
        return self._has(self._again, key)

    def may_be_there(self, key: str) -> bool:
        return self._has(self._once, key)

    def _has(self, field: bytearray, key: str) -> bool:
        number = hash(key)
        first, second = number & self._mask, (number >> 32) & self._mask
        return bool(field[first >> 3] >> (first & 7) & 1 and field[second >> 3] >> (second & 7) & 1)

    def has_handle(self, handle: str) -> bool:
        """Whether the file has a row for it."""
        if not self.may_be_there(f"h|{handle}"):
            return False
        if not self._knows_handles:
            self._knows_handles = True
            rows = ((each,) for each in self._every_handle())
            self._exact.executemany("INSERT OR IGNORE INTO handles VALUES (?)", rows)
        return self._exact.execute("SELECT 1 FROM handles WHERE handle = ?", (handle,)).fetchone() is not None

    def find(self, keys: Iterable[str]) -> int | None:
        """The largest number kept under any of the keys."""
        found = [row for key in keys for row in self._exact.execute("SELECT n FROM seen WHERE key = ?", (key,))]
        return max((n for (n,) in found), default=None)

    def keep(self, keys: Iterable[str], n: int) -> None:
        """What is kept already stays: it is of a later row."""
        self._exact.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", ((key, n) for key in keys))

    def count(self, key: str) -> int:
        """How often this key was counted, this time included."""
        if not self.may_repeat(key):
            return 1
        upsert = "INSERT INTO seen VALUES (?, 1) ON CONFLICT DO UPDATE SET n = n + 1 RETURNING n"
        ((n,),) = self._exact.execute(upsert, (key,)).fetchall()
        return n


def names_of(person: Person) -> list[str]:
    """By which a fan may be found; a name counts only where it is all there is."""
    platform_id, handle, email, name = person
    names = []
    if platform_id:
        names.append(f"p|{platform_id}")
    if handle:
        names.append(f"h|{handle}")
    if email:
        names.append(f"e|{email}")
    return names or ([f"n|{name}"] if name else [])


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
