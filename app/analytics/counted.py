"""What counts for a figure: each condition is written once, here, for the figure, its rows and their CSV."""

from typing import Any

from sqlalchemy import ColumnElement, Double, Select, and_, cast, func, select, union

from app.analytics.periods import Span
from app.conversations.models import Message
from app.database import on_postgresql, plain
from app.fans.models import Fan
from app.money.models import Transaction
from app.money.queries import COUNTED

Clause = ColumnElement[bool]


def within(account_id: int, period: Span) -> Clause:
    """Transactions of the period, in whatever currency."""
    return and_(Transaction.account_id == account_id, Transaction.at >= period.start, Transaction.at < period.end)


def moved(account_id: int, period: Span) -> Clause:
    """Transactions of the period: what came in, and as negative amounts what was taken back."""
    return and_(within(account_id, period), COUNTED)


def moved_otherwise(account_id: int, period: Span) -> Clause:
    """Those in other currencies."""
    return and_(within(account_id, period), ~COUNTED)


def total(cents: Any) -> Any:
    """Their sum, exact: PostgreSQL would add up in its slow decimal numbers, and doubles are whole up to $90,000,000,000,000."""
    return func.sum(cast(cents, Double)) if on_postgresql() else func.sum(cents)


def paid(account_id: int, period: Span) -> Clause:
    """Transactions by which a fan paid something."""
    return and_(moved(account_id, period), Transaction.fan_id.is_not(None), Transaction.gross_cents > 0)


def joined(account_id: int, period: Span) -> Clause:
    """Fans who are here since the period."""
    return and_(Fan.account_id == account_id, Fan.created_at >= period.start, Fan.created_at < period.end)


def came_in(account_id: int, period: Span) -> Clause:
    return and_(
        Message.account_id == account_id,
        Message.created_at >= period.start,
        Message.created_at < period.end,
        Message.direction == plain("in"),
    )


def went_out(account_id: int, period: Span) -> Clause:
    """By when they went out; what did not go out has no such time."""
    return and_(
        Message.account_id == account_id,
        Message.sent_at.is_not(None),
        Message.sent_at >= period.start,
        Message.sent_at < period.end,
    )


OFFERED = Message.price_cents > 0  # of what went out
SOLD = and_(OFFERED, Message.purchased.is_(True))
BY_HAND = Message.campaign_id.is_(None)


def payers(account_id: int, period: Span) -> Select[Any]:
    """Ids of fans who paid in the period."""
    return select(Transaction.fan_id).where(paid(account_id, period)).distinct()


def active_fans(account_id: int, period: Span) -> Any:
    """Ids of fans who wrote or paid in the period, each once."""
    wrote = select(Message.fan_id).where(came_in(account_id, period), Message.fan_id.is_not(None))
    return union(wrote, select(Transaction.fan_id).where(paid(account_id, period)))
