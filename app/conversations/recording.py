"""An attempt's answer is written down together with its message's new state, compare-and-set: so a sender that comes
back from the dead cannot overwrite what another one found out. And what the answer means for the whole connection: it
comes due, is slowed down, or its breaker opens.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from flask import current_app
from sqlalchemy import Row, bindparam, case, or_, select, update
from sqlalchemy.exc import IntegrityError

from app import clock, measured
from app.conversations import actions, live
from app.conversations.claims import Claimed
from app.conversations.models import Conversation, Message, MessageStatus, SendAttempt
from app.conversations.waiting import campaigns
from app.database import db, execute, run, table_of, utcnow, write
from app.platforms.actions import expire
from app.platforms.condition import after_fault, after_limit
from app.platforms.models import Connection

CAMPAIGN_CANCELLED = "The campaign was cancelled."

_attempts, _connections, _messages = map(table_of, (SendAttempt, Connection, Message))
TOLD = (
    _messages.c.id, _messages.c.account_id, _messages.c.conversation_id, _messages.c.fan_id, _messages.c.campaign_id,
    _messages.c.created_at, _messages.c.status,
)  # fmt: skip
_ANSWER = (
    update(_attempts)
    .where(_attempts.c.id == bindparam("attempt_id"), _attempts.c.answered_tick.is_(None))
    .values(
        answered_at=bindparam("at"),
        answered_tick=bindparam("tick"),
        outcome=bindparam("what"),
        detail=bindparam("words"),
    )
)
_HOLD = select(_connections.c.id).where(_connections.c.id == bindparam("connection_id")).with_for_update(key_share=True)
_wakes = _connections.c.wakes_on_answer


def all_well(of_those: Any) -> Any:
    """What a good answer changes on its connection."""
    change = update(_connections).where(of_those, _wakes | (_connections.c.faults_in_a_row > 0))
    return change.values(due_tick=case((_wakes, 0), else_=_connections.c.due_tick), faults_in_a_row=0)


_ALL_WELL = all_well(_connections.c.id == bindparam("connection_id"))
_COMES_DUE = (
    update(_connections)
    .where(
        _connections.c.id == bindparam("connection_id"),
        or_(_wakes, _connections.c.due_tick.is_(None), _connections.c.due_tick > bindparam("due")),
    )
    .values(due_tick=case((_wakes, 0), else_=bindparam("due")))
)
_SHOWN = select(Conversation.last_message_id).where(
    Conversation.id.in_(bindparam("conversations", expanding=True)),
    Conversation.last_message_id.in_(bindparam("messages", expanding=True)),
)


def record(
    claimed: Claimed,
    outcome: str,
    detail: str,
    values: dict[str, Any],
    *,
    due_tick: int | None = None,
    is_fault: bool = False,
    slow_down: bool = False,
    expired: str | None = None,
) -> None:
    """Nothing if another sender has taken the message over.

    due_tick: when the connection is to be looked at again, at the latest.
    """
    effects = {"due_tick": due_tick, "is_fault": is_fault, "slow_down": slow_down, "expired": expired}
    try:
        noted = _write_down(claimed, outcome, detail, values, **effects)
    except IntegrityError:
        if "platform_message_id" not in values:
            raise
        # The platform told of this message first, in other words than ours, and it was taken for one written there.
        noted = _forget_copy(claimed, values["platform_message_id"])
        noted += _write_down(claimed, outcome, detail, values, **effects)
    live.tell(noted)


def _write_down(
    claimed: Claimed,
    outcome: str,
    detail: str,
    values: dict[str, Any],
    *,
    due_tick: int | None,
    is_fault: bool,
    slow_down: bool,
    expired: str | None,
) -> list[live.Noted]:
    with write():
        # The connection first, as in a claim: two that lock in the same order cannot wait for each other.
        _note_connection(claimed.connection_id, due_tick, is_fault=is_fault, slow_down=slow_down)
        answer = {"at": utcnow(), "tick": clock.now(), "what": outcome, "words": detail}
        if not run(_ANSWER, answer | {"attempt_id": claimed.attempt_id}).rowcount:
            return []
        if expired:
            expire(claimed.connection_id, expired)
        if values.get("status") == MessageStatus.QUEUED and _campaign_is_cancelled(claimed.message_id):
            values = {"status": MessageStatus.CANCELLED, "status_reason": CAMPAIGN_CANCELLED, "lease_tick": None}
        noted = _change_message(claimed.message_id, values)
    measured.count("sends", outcome)
    return noted


def _forget_copy(claimed: Claimed, platform_message_id: str) -> list[live.Noted]:
    of_it = (Message.connection_id == claimed.connection_id) & (Message.platform_message_id == platform_message_id)
    with write() as session:
        copy = session.scalar(select(Message).where(of_it, Message.id != claimed.message_id, Message.tries == 0))
        if copy is None:
            return []
        ours = update(Conversation).where(Conversation.last_message_id == copy.id)
        execute(ours.values(last_message_id=claimed.message_id))
        session.delete(copy)
        session.flush()
        return live.note_message(copy)


def _campaign_is_cancelled(message_id: int) -> bool:
    """While the message was on its way. The lock lets one who cancels in this very moment finish first."""
    of_message = select(_messages.c.campaign_id).where(_messages.c.id == message_id).scalar_subquery()
    status = select(campaigns.c.status).where(campaigns.c.id == of_message).with_for_update(read=True)
    return run(status).scalar() == "cancelled"


def _change_message(message_id: int, values: dict[str, Any]) -> list[live.Noted]:
    """Only while it is being sent. Does not commit."""
    values = values | {"changed_at": utcnow()}
    message = run(_change_of(frozenset(values)), values | {"message_id": message_id}).one_or_none()
    return news_of([message] if message else [])


def news_of(messages: Sequence[Row[Any]]) -> list[live.Noted]:
    """Of messages that changed (see TOLD), in their threads and in the inbox. Does not commit."""
    nobodys = [each.id for each in messages if each.fan_id is None and each.status != MessageStatus.SENDING]
    if nobodys:
        execute(update(Message).where(Message.id.in_(nobodys)).values(**actions.NO_CONTENT))
    there = [each for each in messages if each.conversation_id is not None]
    if not there:
        return []
    new = {each.id for each in there if each.status == MessageStatus.SENT and each.campaign_id is not None}
    noted = actions.note_sending((each.account_id, each.conversation_id, each.id) for each in there)
    asked = {"conversations": [each.conversation_id for each in there], "messages": [each.id for each in there]}
    shown = new.union(run(_SHOWN, asked).scalars())  # the inbox shows each thread's last message
    of_inbox = ((each.account_id, each.conversation_id) for each in there if each.id in shown)
    return noted + live.note_conversations(dict.fromkeys(of_inbox))


@cache
def _change_of(names: frozenset[str]) -> Any:
    """The change of these columns, built once."""
    in_flight = (_messages.c.id == bindparam("message_id")) & (_messages.c.status == MessageStatus.SENDING)
    change = update(_messages).where(in_flight).values({name: bindparam(name) for name in sorted(names)})
    return change.returning(*TOLD)


def _note_connection(connection_id: int, due: int | None, *, is_fault: bool, slow_down: bool) -> None:
    """What an answer means for the whole connection. Does not commit.

    The connection is held whatever it says: a claim that still saw the call under way would else note in this moment
    that the answer is to wake it, unseen by the answer.
    """
    run(_HOLD, {"connection_id": connection_id})
    if is_fault or slow_down:
        connection = db.session.get_one(Connection, connection_id, with_for_update={"key_share": True})
        _, longest = current_app.config["SEND_BACKOFF_SECONDS"]
        now = clock.now()
        values = after_limit(connection, now, due or now) if slow_down else after_fault(connection, now, longest)
        execute(update(Connection).where(Connection.id == connection_id).values(**values))
    if is_fault or due is not None:
        run(_COMES_DUE, {"connection_id": connection_id, "due": due or 0})
    else:
        run(_ALL_WELL, {"connection_id": connection_id})
