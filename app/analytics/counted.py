"""What counts for a figure: each condition is written once, here, for the figure, its rows and their CSV."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Select,
    and_,
    cast,
    func,
    literal_column,
    select,
    true,
    tuple_,
    union,
)
from sqlalchemy.orm import aliased

from app.analytics.periods import Period
from app.conversations.models import Message
from app.database import UTCDateTime, on_postgresql, plain
from app.fans.models import Fan
from app.money.models import Transaction

CURRENCY = "USD"  # amounts in others are named, and not added up with these

Clause = ColumnElement[bool]


def within(account_id: int, period: Period) -> Clause:
    """Transactions of the period, in whatever currency."""
    return and_(Transaction.account_id == account_id, Transaction.at >= period.start, Transaction.at < period.end)


def moved(account_id: int, period: Period) -> Clause:
    """Transactions of the period: what came in, and as negative amounts what was taken back."""
    return and_(within(account_id, period), Transaction.currency == CURRENCY)


def moved_otherwise(account_id: int, period: Period) -> Clause:
    """Those in other currencies."""
    return and_(within(account_id, period), Transaction.currency != CURRENCY)


def total(cents: Any) -> Any:
    """Their sum, exact: PostgreSQL would add up in its slow decimal numbers, and doubles are whole up to $90,000,000,000,000."""
    return func.sum(cast(cents, Double)) if on_postgresql() else func.sum(cents)


def paid(account_id: int, period: Period) -> Clause:
    """Transactions by which a fan paid something."""
    return and_(moved(account_id, period), Transaction.fan_id.is_not(None), Transaction.gross_cents > 0)


def joined(account_id: int, period: Period) -> Clause:
    """Fans who are here since the period."""
    return and_(Fan.account_id == account_id, Fan.created_at >= period.start, Fan.created_at < period.end)


def came_in(account_id: int, period: Period) -> Clause:
    return and_(
        Message.account_id == account_id,
        Message.created_at >= period.start,
        Message.created_at < period.end,
        Message.direction == plain("in"),
    )


def went_out(account_id: int, period: Period) -> Clause:
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


def payers(account_id: int, period: Period) -> Select[Any]:
    """Ids of fans who paid in the period."""
    return select(Transaction.fan_id).where(paid(account_id, period)).distinct()


def active_fans(account_id: int, period: Period) -> Any:
    """Ids of fans who wrote or paid in the period, each once."""
    wrote = select(Message.fan_id).where(came_in(account_id, period), Message.fan_id.is_not(None))
    return union(wrote, select(Transaction.fan_id).where(paid(account_id, period)))


def waits(account_id: int, period: Period, of_messages: Sequence[int] | None = None) -> Select[*tuple[Any, ...]]:
    """The messages of the period by which a fan began to wait for an answer: the first after one of a person's of ours,
    or after none. With when the answer went out, null where none did: the next message that a person wrote and that went
    out. What a campaign sends answers nobody.

    of_messages: only the threads that these are in.
    """
    talk = _talk(account_id, period, of_messages)
    turns = select(talk).where(talk.c.direction.is_distinct_from(talk.c.before)).subquery("turns")
    thread = {"partition_by": turns.c.conversation_id, "order_by": (turns.c.created_at, turns.c.id)}
    each = select(turns, func.lead(turns.c.sent_at).over(**thread).label("answered")).subquery("each_turn")
    answered = func.coalesce(each.c.answered, _answer_after(each))
    return select(each.c.id, each.c.created_at.label("began_at"), answered.label("answered_at")).where(
        each.c.direction == "in",
        each.c.before.is_not(None) | (func.coalesce(_last_before(each, period), "out") == "out"),
    )


def _talk(account_id: int, period: Period, of_messages: Sequence[int] | None) -> Any:
    """What was said in the period by fans and by people of ours, each with who spoke before in the thread."""
    some = select(Message.conversation_id).where(Message.id.in_(of_messages or ()))
    thread = {"partition_by": Message.conversation_id, "order_by": (Message.created_at, Message.id)}
    return (
        select(
            Message.id,
            Message.conversation_id,
            Message.created_at,
            Message.sent_at,
            Message.direction,
            func.lag(Message.direction).over(**thread).label("before"),
        )
        .where(
            Message.account_id == account_id,
            Message.created_at >= period.start,
            Message.created_at < period.end,
            Message.conversation_id.is_not(None),
            _is_talk(Message),
            Message.conversation_id.in_(some) if of_messages is not None else true(),
        )
        .subquery("talk")
    )


def _is_talk(message: Any) -> Clause:
    return (message.direction == "in") | (message.sent_at.is_not(None) & message.campaign_id.is_(None))


def _last_before(turn: Any, period: Period) -> Any:
    """Who spoke last in the thread before the period."""
    earlier = aliased(Message)
    return (
        select(earlier.direction)
        .where(earlier.conversation_id == turn.c.conversation_id, earlier.created_at < period.start, _is_talk(earlier))
        .order_by(earlier.created_at.desc(), earlier.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _answer_after(turn: Any) -> Any:
    """Of a thread whose period ends with the fan: when they were answered after it."""
    later = aliased(Message)
    return (
        select(later.sent_at)
        .where(
            later.conversation_id == turn.c.conversation_id,
            tuple_(later.created_at, later.id) > tuple_(turn.c.created_at, turn.c.id),
            later.direction == "out",
            _is_talk(later),
        )
        .order_by(later.created_at, later.id)
        .limit(1)
        .scalar_subquery()
    )


def slot_of(column: Any, period: Period) -> Any:
    """The slot (see Period.slot_seconds) in which a moment lies: what `slot_start` reads."""
    seconds = period.slot_seconds
    if on_postgresql():
        every, since = literal_column(f"interval '{seconds} s'"), literal_column("timestamptz '1970-01-01 00:00+00'")
        return func.date_bin(every, column, since, type_=UTCDateTime)
    return cast(func.strftime("%s", column), BigInteger).op("/")(literal_column(str(seconds)))


def slot_start(slot: Any, period: Period) -> datetime:
    """When it begins, in the period's zone."""
    at = slot if isinstance(slot, datetime) else datetime.fromtimestamp(slot * period.slot_seconds, UTC)
    return at.astimezone(period.zone)
