"""Whom a rule finds, at once, while it is being built. What cannot be counted as quickly is estimated from some of the
fans, and said to be."""

import random
from dataclasses import dataclass

from sqlalchemy import func, select

from app.bulk import listed
from app.database import db, planned_anew
from app.fans.models import Fan
from app.patience import OutOfPatience, patience
from app.segments import queries
from app.segments.conditions import matching
from app.segments.rules import Group

EXACTLY_SECONDS, ROUGHLY_SECONDS = 0.12, 0.12
SAMPLE = 4096
LEAST_HITS = 10  # from fewer nothing can be said about all
MOST_VALUABLE = 2000
DIGITS = 2


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
    number, first = None, list[Fan]()
    try:
        with patience(ROUGHLY_SECONDS):
            first = _first(account_id, rule, limit)
            number = _about(account_id, rule)
    except OutOfPatience:
        pass
    return Glance(number, first, is_exact=False)


def _first(account_id: int, rule: Group, limit: int) -> list[Fan]:
    """Of the most valuable fans of all; those of the rule that are further down are not looked for."""
    order = Fan.value_cents.desc(), Fan.id.desc()
    best = select(Fan.id).where(Fan.account_id == account_id).order_by(*order).limit(MOST_VALUABLE)
    ids = list(db.session.scalars(best))
    rows = select(Fan).where(Fan.id.in_(listed(ids)), matching(account_id, rule, among=ids))
    return list(db.session.scalars(planned_anew(rows.order_by(*order).limit(limit))))


def _about(account_id: int, rule: Group) -> int | None:
    """From as many as SAMPLE, drawn by lot, always the same: so that the number changes with the rule alone. Ids are given
    in the order of creation."""
    oldest = select(Fan.id).where(Fan.account_id == account_id).order_by(Fan.created_at, Fan.id).limit(1)
    newest = select(Fan.id).where(Fan.account_id == account_id).order_by(Fan.created_at.desc(), Fan.id.desc()).limit(1)
    first, last = sorted((db.session.scalar(oldest) or 0, db.session.scalar(newest) or 0))
    ids = sorted(random.Random(account_id).sample(range(first, last + 1), min(SAMPLE, last + 1 - first)))  # noqa: S311
    found = select(func.count()).select_from(Fan).where(Fan.id.in_(listed(ids)), matching(account_id, rule, among=ids))
    hits = db.session.scalar(planned_anew(found)) or 0
    if len(ids) == last + 1 - first:
        return hits
    return None if hits < LEAST_HITS else int(float(f"{hits * (last + 1 - first) / len(ids):.{DIGITS}g}"))
