"""When fans began to wait for an answer, and when they got it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, true, tuple_
from sqlalchemy.orm import aliased

from app.analytics.periods import Span
from app.conversations.models import Message


def waits(account_id: int, period: Span, of_messages: Sequence[int] | None = None) -> Select[*tuple[Any, ...]]:
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


def _talk(account_id: int, period: Span, of_messages: Sequence[int] | None) -> Any:
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


def _is_talk(message: Any) -> ColumnElement[bool]:
    return (message.direction == "in") | (message.sent_at.is_not(None) & message.campaign_id.is_(None))


def _last_before(turn: Any, period: Span) -> Any:
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
