"""What rows can be narrowed to, beyond a figure: a kind, a fan, a campaign, a person, an hour of the week."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select

from app.analytics import counted, selling
from app.analytics.periods import Period
from app.conversations.models import Message
from app.database import LARGEST_ID
from app.errors import Invalid
from app.imports import queries as imports
from app.money.models import Transaction

HOUR = re.compile(r"[1-7]-([01]\d|2[0-3])", re.ASCII)
MOST_DAYS_BY_HOUR = 5 * 366  # each week is a clause of its own: databases take hundreds of them, not thousands
Narrow = Callable[[Any, Period], ColumnElement[bool]]

NARROWED: dict[str, dict[str, Narrow]] = {
    "kind": {"transactions": lambda kind, _: Transaction.kind == kind},
    "fan": {
        "transactions": lambda fan_id, _: Transaction.fan_id == fan_id,
        "messages": lambda fan_id, _: Message.fan_id == fan_id,
    },
    "campaign": {
        "transactions": lambda campaign_id, _: Transaction.message_id.in_(
            select(Message.id).where(Message.campaign_id == campaign_id)
        ),
        "messages": lambda campaign_id, _: Message.campaign_id == campaign_id,
    },
    "author": {
        "transactions": lambda author_id, _: Transaction.message_id.in_(select(Message.id).where(_by(author_id))),
        "messages": lambda author_id, _: _by(author_id),
    },
    "import": {"transactions": lambda import_id, _: imports.is_payment_of(import_id)},
    "hour": {"messages": lambda hour, period: _within(period.hours(*hour))},
}

NARROWED |= {
    rule.name: {"transactions": lambda person_id, _, rule=rule: selling.sold_by(rule, person_id)}
    for rule in selling.RULES
}


def _by(author_id: int) -> ColumnElement[bool]:
    """By hand. 0: by nobody of ours, on the platform itself."""
    return and_(counted.BY_HAND, Message.author_id == author_id if author_id else Message.author_id.is_(None))


def _within(hours: list[tuple[datetime, datetime]]) -> ColumnElement[bool]:
    return or_(false(), *(and_(Message.created_at >= start, Message.created_at < end) for start, end in hours))


def read_narrowed(report: str, period: Period, said: Callable[[str], str | None]) -> Iterable[tuple[str, Any]]:
    """Raises Invalid, naming the field."""
    for name, reports in NARROWED.items():
        text = said(name)
        if not text:
            continue
        if report not in reports:
            raise Invalid((name, f"does not narrow {report}."))
        yield name, _READERS.get(name, _id)(name, text, period)


def _kind(_name: str, text: str, _period: Period) -> str:
    return text


def _hour(name: str, text: str, period: Period) -> tuple[int, int]:
    """Weekday, from Monday as 1, and hour."""
    if not HOUR.fullmatch(text):
        raise Invalid((name, "must be a weekday from 1 (Monday) and an hour, like 1-09."))
    if period.days > MOST_DAYS_BY_HOUR:
        raise Invalid((name, "narrows periods of five years at most."))
    return int(text[0]), int(text[2:])


def _id(name: str, text: str, _period: Period) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:20]) <= LARGEST_ID):
        raise Invalid((name, "must be an id."))
    return int(text)


_READERS: dict[str, Callable[[str, str, Period], Any]] = {"kind": _kind, "hour": _hour}
