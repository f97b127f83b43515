"""What conditions compare texts and moments by. Each is true or false, never unknown, so that `none` of them means what it
says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, true

from app.accounts.models import Account
from app.bulk import listed
from app.database import contains, db
from app.segments.rules import ON_A_DAY, Condition
from app.zones import find_zone

Clause = ColumnElement[bool]


@dataclass(frozen=True)
class Asker:
    """Whose fans are asked for, and the moment that "in the last 7 days" counts from."""

    account_id: int
    now: datetime
    among: Sequence[int] | None = None  # ids of fans: nobody else is asked for

    def may_be(self, fan_id: Any) -> Clause:
        """Whether this one is asked for: said wherever fans are looked up, so that no others are."""
        return true() if self.among is None else fan_id.in_(listed(self.among))

    def beginning_of(self, day: str) -> datetime:
        """By the account's clock."""
        zone = db.session.scalar(select(Account.timezone).where(Account.id == self.account_id)) or "UTC"
        return datetime.combine(date.fromisoformat(day), time.min, find_zone(zone) or UTC)


def compare_text(column: Any, op: str, value: str) -> Clause:
    known = func.coalesce(column, "") != ""
    match op:
        case "isSet":
            return known
        case "isNotSet":
            return ~known
        case "contains":
            return and_(column.is_not(None), contains(column, value))
    same = and_(column.is_not(None), column == value)
    return same if op == "is" else ~same


def compare_moment(asker: Asker, column: Any, asked: Condition) -> Clause:
    if asked.op == "isNotSet":
        return column.is_(None)
    known = column.is_not(None)
    if asked.op == "isSet":
        return known
    if asked.op in ON_A_DAY:
        begins = asker.beginning_of(asked.value)
        return and_(known, column >= begins if asked.op == "since" else column < begins)
    span = timedelta(hours=asked.value) if asked.unit == "hours" else timedelta(days=asked.value)
    match asked.op:
        case "inLast":
            return and_(known, column >= asker.now - span, column <= asker.now)
        case "inNext":
            return and_(known, column > asker.now, column <= asker.now + span)
    return and_(known, column < asker.now - span)
