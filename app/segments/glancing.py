"""Whom a rule finds, at once, while it is being built. What cannot be counted as quickly is estimated from some of the
fans, and said to be."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
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
LEAST_HITS = 10  # from fewer nothing can be said about all
MOST_VALUABLE = 100
DIGITS = 2
BEST_FIRST = (Fan.value_cents.desc(), Fan.id.desc())
T = TypeVar("T")


@dataclass(frozen=True)
class Glance:
    """number: None where not even an estimate was quick. first: the most valuable ones."""

    number: int | None
    first: list[Fan]
    is_exact: bool


def glance(account_id: int, rule: Group, limit: int) -> Glance:
    try:
        with patience(EXACTLY_SECONDS):
            return look(account_id, rule, limit)
    except OutOfPatience:
        return estimate(account_id, rule, limit)


def look(account_id: int, rule: Group, limit: int) -> Glance:
    """However long it takes."""
    return Glance(*queries.look(account_id, rule, limit), is_exact=True)


def estimate(account_id: int, rule: Group, limit: int) -> Glance:
    until = time.monotonic() + ROUGHLY_SECONDS
    first = _in_time(until - 2 / 3 * ROUGHLY_SECONDS, lambda: _first_of_best(account_id, rule, limit)) or []
    number = _in_time(until, lambda: _about(account_id, rule))
    if len(first) < limit:
        first = _in_time(until, lambda: _first(account_id, rule, limit)) or first
    return Glance(number, first, is_exact=False)


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


def _about(account_id: int, rule: Group) -> int | None:
    """From fans drawn by lot, always the same, so that the number changes with the rule alone. By ids of the whole table:
    where few of these are the account's, its fans are counted quickly anyway."""
    first, last = db.session.execute(select(func.min(Fan.id), func.max(Fan.id))).one()
    ids = range(first or 0, (last or 0) + 1)
    drawn = sorted(random.Random(account_id).sample(ids, min(SAMPLE, len(ids))))  # noqa: S311
    found = select(func.count()).select_from(Fan).where(matching(account_id, rule, among=drawn))
    hits = db.session.scalar(planned_anew(found)) or 0
    if len(drawn) == len(ids):
        return hits
    return None if hits < LEAST_HITS else int(float(f"{hits * len(ids) / len(drawn):.{DIGITS}g}"))
