"""What all figures are summed from: the rows of a time as columns of numbers, small enough to keep and quick to add up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import orjson

from app.analytics.by_fan import ByFan, by_fan
from app.analytics.columns import Column, Columns, where
from app.analytics.periods import Span, number_at, slots_of
from app.money.queries import CURRENCY

SIZES = tuple(np.dtype(f"<{each}") for each in ("u1", "i1", "u2", "i2", "u4", "i4", "i8"))
HEAD_BYTES = 4

# By table; the first column of each says when, in slots since 1970. Where there is no id, it is 0. What is kept is read by
# these and by SIZES: whoever changes them empties kept_stretches in a migration.
TABLES = {
    "payments": (
        "slot", "kind", "currency", "fan", "gross", "net", "has_net", "is_of_message", "campaign", "author",
    ),  # cents
    "came_in": ("slot", "fan"),
    "went_out": ("slot", "campaign", "author", "is_offered", "is_sold"),
    "waits": ("slot", "lasted", "is_answered"),  # microseconds
}  # fmt: skip


@dataclass(frozen=True)
class Tally:
    """`words`: what the codes of kinds and currencies stand for. `slots`: all rows lie in these, of so many seconds,
    numbered since 1970."""

    slot_seconds: int
    slots: range
    words: list[str]
    payments: Columns
    came_in: Columns
    went_out: Columns
    waits: Columns

    @cached_property
    def moved(self) -> Columns:
        """The payments that are added up."""
        code = self.words.index(CURRENCY) if CURRENCY in self.words else -1
        return where(self.payments, self.payments["currency"] == code)

    @cached_property
    def fans(self) -> ByFan:
        return by_fan(self.moved, self.came_in)

    def within(self, slots: range) -> "Tally":
        """Of these alone."""
        if self.slots.start >= slots.start and self.slots.stop <= slots.stop:
            return self
        return replace(self, **{name: _within(getattr(self, name), slots) for name in TABLES})

    def slot_at(self, moment: datetime) -> int:
        return number_at(moment, self.slot_seconds)


def _within(columns: Columns, slots: range) -> Columns:
    return where(columns, (columns["slot"] >= slots.start) & (columns["slot"] < slots.stop))


def tally_of(slot_seconds: int, slots: range, rows: dict[str, list[tuple[Any, ...]]]) -> Tally:
    """From rows by table, each as TABLES has it; kinds and currencies as words."""
    codes: dict[str, int] = {}
    for place, (slot, kind, currency, *numbers) in enumerate(rows["payments"]):
        coded = (codes.setdefault(word, len(codes)) for word in (kind, currency))
        rows["payments"][place] = (slot, *coded, *numbers)
    return Tally(slot_seconds, slots, list(codes), *(_columns(TABLES[name], rows[name]) for name in TABLES))


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Columns:
    numbers = np.array(rows, dtype=np.int64).reshape(-1, len(names)).T
    return dict(zip(names, numbers, strict=True))


def joined(tallies: Sequence[Tally], span: Span) -> Tally:
    """One of all, of that time alone, whose ends cut no slot; of one tally at least."""
    codes: dict[str, int] = {}
    seconds = tallies[0].slot_seconds
    slots = slots_of(span, seconds)
    each = [
        _coded(tally.within(slots), codes)
        for tally in tallies
        if tally.slots.start < slots.stop and slots.start < tally.slots.stop
    ]
    return Tally(seconds, slots, list(codes), *(_stacked([getattr(tally, name) for tally in each]) for name in TABLES))


def _coded(tally: Tally, codes: dict[str, int]) -> Tally:
    """With the codes that all have in common."""
    common = [codes.setdefault(word, len(codes)) for word in tally.words]
    if common == list(range(len(common))):
        return tally
    new = np.array(common, dtype=np.uint16)
    return replace(tally, payments=tally.payments | {name: new[tally.payments[name]] for name in ("kind", "currency")})


def _stacked(each: list[Columns]) -> Columns:
    return {name: np.concatenate([columns[name] for columns in each]) for name in each[0]}


def packed(tally: Tally, first_slot: int) -> bytes:
    """Each column in as few bytes as its numbers allow; slots are counted from the first."""
    head, parts = [], list[bytes]()
    for name in TABLES:
        columns = getattr(tally, name)
        sizes = []
        for place, column in enumerate(columns.values()):
            small = _small(column if place else column - first_slot)
            sizes.append(SIZES.index(small.dtype))
            parts.append(small.tobytes())
        head.append([len(columns["slot"]), sizes])
    said = orjson.dumps([tally.words, head])
    return b"".join([len(said).to_bytes(HEAD_BYTES, "big"), said, *parts])


def _small(column: Column) -> Column:
    lowest, highest = (column.min(), column.max()) if len(column) else (0, 0)
    fits = (size for size in SIZES if np.iinfo(size).min <= lowest and highest <= np.iinfo(size).max)
    return column.astype(next(fits))


def unpacked(kept: bytes, slot_seconds: int, slots: range) -> Tally:
    at = HEAD_BYTES + int.from_bytes(kept[:HEAD_BYTES], "big")
    words, head = orjson.loads(kept[HEAD_BYTES:at])
    tables = []
    for names, (rows, sizes) in zip(TABLES.values(), head, strict=True):
        columns = {}
        for name, size in zip(names, sizes, strict=True):
            columns[name] = np.frombuffer(kept, SIZES[size], rows, at)
            at += columns[name].nbytes
        columns["slot"] = columns["slot"] + np.int64(slots.start)
        tables.append(columns)
    return Tally(slot_seconds, slots, words, *tables)
