"""What all figures are summed from: the rows of a time as columns of numbers, small enough to keep and quick to add up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import orjson

from app.analytics.periods import Span, number_at
from app.money.queries import CURRENCY

Column = np.ndarray[Any, Any]
Columns = dict[str, Column]

SIZES = tuple(np.dtype(f"<{each}") for each in ("u1", "i1", "u2", "i2", "u4", "i4", "i8"))
HEAD_BYTES = 4
SPARSE = 8  # of so many numbers one is an id that is there

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


class Ids:
    """By whom something is summed: each id in `each` has a place among them. Ids that lie close together, as an account's
    do, are counted from the first; to sort them takes many times as long."""

    def __init__(self, ids: Column) -> None:
        first, last = (int(ids.min()), int(ids.max())) if len(ids) else (0, 0)
        if last - first < SPARSE * len(ids):
            self.each, self._places = np.arange(first, last + 1), ids - first
        else:
            self.each, self._places = np.unique(ids, return_inverse=True)

    def sums(self, numbers: Column | None = None) -> Column:
        """Of the rows of each; by default how many these are."""
        return np.bincount(self._places, numbers, len(self.each)).astype(np.int64)  # exact to 2^53


@dataclass(frozen=True)
class Tally:
    """`words`: what the codes of kinds and currencies stand for. Slots are of so many seconds, numbered since 1970."""

    slot_seconds: int
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
    def brought(self) -> tuple["Ids", Column, Column]:
        """By fan with payments that are added up: their cents, and whether any of it was paid by them."""
        moved = where(self.moved, self.moved["fan"] > 0)
        fans = Ids(moved["fan"])
        return fans, fans.sums(moved["gross"]), fans.sums(moved["gross"] > 0) > 0

    def between(self, span: Span) -> "Tally":
        """Of that time alone, whose ends cut no slot."""
        first, after = self.slot_at(span.start), self.slot_at(span.end)
        return Tally(self.slot_seconds, self.words, *(_between(getattr(self, name), first, after) for name in TABLES))

    def slot_at(self, moment: datetime) -> int:
        return number_at(moment, self.slot_seconds)


def _between(columns: Columns, first: int, after: int) -> Columns:
    slot = columns["slot"]
    if not len(slot) or (slot.min() >= first and slot.max() < after):
        return columns
    return where(columns, (slot >= first) & (slot < after))


def where(columns: Columns, is_wanted: Column) -> Columns:
    return columns if is_wanted.all() else {name: column[is_wanted] for name, column in columns.items()}


def tally_of(slot_seconds: int, rows: dict[str, list[tuple[Any, ...]]]) -> Tally:
    """From rows by table, each as TABLES has it; kinds and currencies as words."""
    codes: dict[str, int] = {}
    for place, (slot, kind, currency, *numbers) in enumerate(rows["payments"]):
        coded = (codes.setdefault(word, len(codes)) for word in (kind, currency))
        rows["payments"][place] = (slot, *coded, *numbers)
    return Tally(slot_seconds, list(codes), *(_columns(TABLES[name], rows[name]) for name in TABLES))


def _columns(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Columns:
    numbers = np.array(rows, dtype=np.int64).reshape(-1, len(names)).T
    return dict(zip(names, numbers, strict=True))


def joined(tallies: Sequence[Tally], span: Span) -> Tally:
    """One of all, of that time alone; of one tally at least."""
    codes: dict[str, int] = {}
    each = [_coded(tally.between(span), codes) for tally in tallies]
    tables = (_stacked([getattr(tally, name) for tally in each]) for name in TABLES)
    return Tally(tallies[0].slot_seconds, list(codes), *tables)


def _coded(tally: Tally, codes: dict[str, int]) -> Tally:
    """With the codes that all have in common."""
    common = [codes.setdefault(word, len(codes)) for word in tally.words]
    if common == list(range(len(common))):
        return tally
    new = np.array(common, dtype=np.int64)
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


def unpacked(kept: bytes, slot_seconds: int, first_slot: int) -> Tally:
    at = HEAD_BYTES + int.from_bytes(kept[:HEAD_BYTES], "big")
    words, head = orjson.loads(kept[HEAD_BYTES:at])
    tables = []
    for names, (rows, sizes) in zip(TABLES.values(), head, strict=True):
        columns = {}
        for name, size in zip(names, sizes, strict=True):
            columns[name] = np.frombuffer(kept, SIZES[size], rows, at)
            at += columns[name].nbytes
        columns["slot"] = columns["slot"] + np.int64(first_slot)
        tables.append(columns)
    return Tally(slot_seconds, words, *tables)
