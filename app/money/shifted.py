"""Payments that are told twice, once by a clock that was read in the wrong zone: they lie a difference of zones apart.

How far is counted in one query for all differences at once. A zone is named only where it explains most of what is found:
fans who pay the same again and again lie apart in many ways.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, Select, case, cast, func, or_, select

from app.database import on_postgresql, run
from app.money.models import Transaction
from app.money.twins import ANY, FAMILIES, is_near
from app.zones import find_zone, zone_names

FARTHEST = timedelta(hours=26)  # from the first zone to have a day to the last
STEP = timedelta(minutes=30)  # zones lie whole or half hours apart
NEAR = timedelta(minutes=2)  # beside such a step; what is told twice lies seconds apart
FEW = 3
DAY_SECONDS = 86_400
USUAL = (
    "UTC", "Europe/London", "Europe/Paris", "Europe/Kyiv", "America/New_York", "America/Chicago", "America/Denver",
    "America/Los_Angeles", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney",
)  # fmt: skip


@dataclass(frozen=True)
class Doubt:
    """That payments were told in the zone they were read in. Kept as JSON with an import."""

    zone: str  # what their times look like
    read_in: str
    payments: int  # that stand here already if it is so
    of: int
    minutes: int  # by how much those that stand here are later, for most of them

    @property
    def words(self) -> str:
        whose = "payment is" if self.payments == 1 else "payments are"
        told = f"{self.payments:,} of {self.of:,} {whose} already here, {self.apart}"
        return f"{told}: the file's times look like {self.zone}, and are read as {self.read_in}."

    @property
    def apart(self) -> str:
        """ "2 hours later"."""
        hours = abs(self.minutes) / 60
        return f"{hours:g} {'hour' if hours == 1 else 'hours'} {'later' if self.minutes > 0 else 'earlier'}"


@dataclass(frozen=True)
class Apart:
    day: datetime  # of the payments as they were read, at noon in UTC: clocks change by night
    steps: int  # how many of STEP later their likes stand here
    payments: int


def find_apart(account_id: int, told: Any, at: Any, there: Any, *, named: bool) -> list[Apart]:
    """told: a subquery of payments with key, fan_id, kind, gross_cents and currency; at: their moment.

    there: which payments of the account may be the same. named: the payments say who paid.
    """
    apart = _seconds(Transaction.at) - _seconds(at)
    half = int(STEP.total_seconds())
    most = int(FARTHEST / STEP)
    steps = ((apart + half // 2 + most * half) // half - most).label("steps")
    day = (_seconds(at) // DAY_SECONDS).label("day")
    rows: Select[*tuple[Any, ...]] = (
        select(day, steps, func.count(told.c.key.distinct()))
        .join_from(told, Transaction, _is_like(account_id, told, at, named=named))
        .where(there, func.abs(apart - steps * half) <= int(NEAR.total_seconds()))
        .group_by(day, steps)
    )
    return [_apart(*row) for row in run(rows)]


def _apart(day: int, steps: int, payments: int) -> Apart:
    return Apart(datetime.fromtimestamp((day + 0.5) * DAY_SECONDS, UTC), steps, payments)


def _seconds(moment: Any) -> Any:
    if on_postgresql():
        return cast(func.floor(func.date_part("epoch", moment)), BigInteger)
    return cast(func.strftime("%s", moment), BigInteger)


def _is_like(account_id: int, told: Any, at: Any, *, named: bool) -> Any:
    like = (
        (Transaction.account_id == account_id)
        & is_near(at, FARTHEST + NEAR)
        & (Transaction.gross_cents == told.c.gross_cents)
        & (Transaction.currency == told.c.currency)
        & or_(_family(Transaction.kind) == _family(told.c.kind), Transaction.kind == ANY, told.c.kind == ANY)
    )
    return like & (Transaction.fan_id == told.c.fan_id) if named else like


def _family(kind: Any) -> Any:
    return case(FAMILIES, value=kind, else_=kind)


def doubt(found: list[Apart], read_in: ZoneInfo, of: int) -> Doubt | None:
    """The zone that explains most of what lies apart, if one does better than the zone that the times were read in."""
    if not found:
        return None
    by_steps = Counter[int]()
    for each in found:
        by_steps[each.steps] += each.payments
    usual, _ = max(by_steps.items(), key=lambda each: (each[1], -abs(each[0])))
    if not usual:
        return None
    largest = [each for each in found if each.steps == usual]
    explained = {name: _explained(found, read_in, zone) for name, zone in _zones_of(largest, read_in)}
    best = max(explained, key=lambda name: explained[name], default="")
    count = explained.get(best, 0)
    if count < min(FEW, of) or 2 * count <= sum(each.payments for each in found):
        return None
    return Doubt(best, read_in.key, min(count, of), of, usual * int(STEP.total_seconds()) // 60)


def _zones_of(largest: list[Apart], read_in: ZoneInfo) -> Iterator[tuple[str, ZoneInfo]]:
    """That explain the largest part, the usual ones first."""
    for name in dict.fromkeys([*USUAL, *zone_names()]):
        zone = find_zone(name)
        if zone is not None and _explained(largest, read_in, zone):
            yield name, zone


def _explained(found: list[Apart], read_in: ZoneInfo, zone: ZoneInfo) -> int:
    return sum(each.payments for each in found if _between(read_in, zone, each.day) == each.steps * STEP)


def _between(read_in: ZoneInfo, zone: ZoneInfo, day: datetime) -> timedelta:
    """How much later a time is when its clock is read in the other zone."""
    one, other = (day.astimezone(each).utcoffset() or timedelta() for each in (read_in, zone))
    return one - other
