"""Whom a rule finds, at once, while it is being built. What cannot be counted as quickly is estimated from some of the
fans, and said to be."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from typing import Any, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import lazyload

from app.database import db, planned_anew
from app.fans.models import Fan
from app.patience import OutOfPatience, patience
from app.segments import queries
from app.segments.conditions import matching
from app.segments.rules import Group

EXACTLY_SECONDS, ROUGHLY_SECONDS = 0.15, 0.1
SAMPLE = 2048
LEAST_HITS = 10  # from fewer it can only be said what all are fewer than
MOST_VALUABLE = 100
DIGITS = 2
BEST_FIRST = (Fan.value_cents.desc(), Fan.id.desc())
T = TypeVar("T")


class Number(StrEnum):
    """What one is said to be."""

    EXACT = ""
    NEAR = "About"
    ABOVE = "Fewer than"


@dataclass(frozen=True)
class Glance:
    """number: None where not even an estimate was quick. first: the most valuable ones."""

    number: int | None
    said: Number
    first: list[Fan]

    @property
    def is_exact(self) -> bool:
        return self.said is Number.EXACT


def glance(account_id: int, rule: Group, limit: int) -> Glance:
    try:
        with patience(EXACTLY_SECONDS):
            return look(account_id, rule, limit)
    except OutOfPatience:
        return estimate(account_id, rule, limit)


def look(account_id: int, rule: Group, limit: int) -> Glance:
    """However long it takes."""
    number, first = queries.look(account_id, rule, limit)
    return Glance(number, Number.EXACT, first)


def estimate(account_id: int, rule: Group, limit: int) -> Glance:
    until = time.monotonic() + ROUGHLY_SECONDS
    first = _in_time(until - 2 / 3 * ROUGHLY_SECONDS, lambda: _first_of_best(account_id, rule, limit)) or []
    number, said = _in_time(until, lambda: _about(account_id, rule)) or (None, Number.NEAR)
    if len(first) < limit:
        first = _in_time(until, lambda: _first(account_id, rule, limit)) or first
    return Glance(number, said, first)


def _in_time(until: float, ask: Callable[[], T]) -> T | None:
    try:
        with patience(until - time.monotonic()):
            return ask()
    except OutOfPatience:
        return None


def _first_of_best(account_id: int, rule: Group, limit: int) -> list[Fan]:
    """Quick whatever the rule says; they are not all where too few are found."""
    best = select(Fan.id).where(Fan.account_id == account_id).order_by(*BEST_FIRST).limit(MOST_VALUABLE)
    ids = list(db.session.scalars(best))
    return _ordered(select(Fan).where(matching(account_id, rule, among=ids)), limit)


def _first(account_id: int, rule: Group, limit: int) -> list[Fan]:
    """Quick where the order alone leads to them."""
    return _ordered(select(Fan).where(matching(account_id, rule)), limit)


def _ordered(rows: Select[Any], limit: int) -> list[Fan]:
    rows = rows.options(lazyload(Fan.tag_rows)).order_by(*BEST_FIRST).limit(limit)
    return list(db.session.scalars(planned_anew(rows)))


def _about(account_id: int, rule: Group) -> tuple[int, Number]:
    """From fans drawn by lot, always the same, so that the number changes with the rule alone. By ids of the whole table:
    where few of these are the account's, its fans are counted quickly anyway."""
    first, last = db.session.execute(select(func.min(Fan.id), func.max(Fan.id))).one()
    ids = range(first or 0, (last or 0) + 1)
    drawn = sorted(random.Random(account_id).sample(ids, min(SAMPLE, len(ids))))  # noqa: S311
    found = select(func.count()).select_from(Fan).where(matching(account_id, rule, among=drawn))
    hits = db.session.scalar(planned_anew(found)) or 0
    if len(drawn) == len(ids):
        return hits, Number.NEAR
    few = hits < LEAST_HITS
    return _rounded((_most(hits) if few else hits) * len(ids) / len(drawn)), Number.ABOVE if few else Number.NEAR


def _most(hits: int) -> float:
    """Above the mean of every Poisson distribution that has so few hits, or fewer, in 5 cases of a hundred or more."""
    return hits + 3 + 1.65 * sqrt(hits)


def _rounded(number: float) -> int:
    return int(float(f"{number:.{DIGITS}g}"))
