"""What became of an attempt: written down together with its message's new state, compare-and-set.

So a sender that comes back from the dead cannot overwrite what another one found out.
"""

import random
from typing import Any

from flask import current_app
from sqlalchemy import case, or_, select, update

from app import clock
from app.clock import SECOND
from app.conversations import actions, live, pace
from app.conversations.claims import BREAKER_FAULTS, Claimed
from app.conversations.models import Conversation, Doubt, Message, MessageStatus, SendAttempt
from app.database import db, execute, utcnow, write
from app.platforms.actions import expire
from app.platforms.gateway import CredentialsExpired, NotSent, OutcomeUnknown, RateLimited, Refused
from app.platforms.models import Connection

MOST_TRIES = 6  # then a message that was certainly not sent fails, and one in doubt becomes `unknown`
LIMITED_SECONDS = (30, 60, 120)  # where the platform says "slow down" and not for how long


def sent(claimed: Claimed, platform_id: str) -> None:
    values = {
        "status": MessageStatus.SENT,
        "status_reason": None,
        "platform_message_id": platform_id,
        "sent_at": utcnow(),
        "doubt": Doubt.NONE,
        "lease_tick": None,
    }
    _record(claimed, "sent", "", values)


def not_to_be_sent(claimed: Claimed) -> None:
    """The fan is gone, or must no longer be messaged. What may have gone out before is for a person to settle."""
    reason = "The fan was deleted, is no longer linked, or must not be messaged."
    status = MessageStatus.UNKNOWN if _doubt(claimed) else MessageStatus.CANCELLED
    _record(claimed, "not_sent", reason, {"status": status, "status_reason": reason, "lease_tick": None})


def given_up(claimed: Claimed) -> None:
    reason = "The sender stopped each time it tried to send this."
    _record(claimed, "not_sent", reason, {"status": MessageStatus.UNKNOWN, "status_reason": reason, "lease_tick": None})


def failed(claimed: Claimed, error: Refused) -> None:
    _record(claimed, "refused", error.detail, {"status": MessageStatus.FAILED, "status_reason": error.detail})


def not_sent(claimed: Claimed, error: NotSent) -> None:
    tries = _tries(claimed)
    if tries >= MOST_TRIES and not _doubt(claimed):
        return _record(
            claimed, "not_sent", error.detail, {"status": MessageStatus.FAILED, "status_reason": error.detail}
        )
    _wait(claimed, "not_sent", error, _backoff(tries), is_fault=True)


def limited(claimed: Claimed, error: RateLimited) -> None:
    """Holds and slows the whole connection: the limit is the account's, not the message's."""
    repeated = min(_tries(claimed), len(LIMITED_SECONDS)) - 1
    seconds = error.retry_after_seconds or LIMITED_SECONDS[repeated]
    _wait(claimed, "limited", error, seconds, slow_down=True)


def expired(claimed: Claimed, error: CredentialsExpired) -> None:
    _wait(claimed, "credentials_expired", error, 0, expired=error.detail)


def _wait(claimed: Claimed, outcome: str, error: NotSent, seconds: float, **effects: Any) -> None:
    """Back into the queue; but what was in doubt before stays in doubt, and so in `sending`."""
    then = clock.now() + round(seconds * SECOND)
    if _doubt(claimed):
        values: dict[str, Any] = {"lease_tick": then}
    else:
        values = {
            "status": MessageStatus.QUEUED,
            "status_reason": error.detail,
            "due_tick": then,
            "lease_tick": None,
        }
    _record(claimed, outcome, error.detail, values, due_tick=then, **effects)


def in_doubt(claimed: Claimed, error: OutcomeUnknown) -> None:
    tries = _tries(claimed)
    if tries >= MOST_TRIES:
        values = {"status": MessageStatus.UNKNOWN, "status_reason": error.detail, "lease_tick": None}
    else:
        then = clock.now() + round(_backoff(tries) * SECOND)
        doubt = Doubt.ERROR_ANSWER if error.answered else Doubt.NO_ANSWER
        values = {"lease_tick": then, "doubt": doubt, "status_reason": error.detail}
    _record(claimed, "unknown", error.detail, values)


def _backoff(tries: int) -> float:
    """Seconds: exponential, with jitter."""
    first, longest = current_app.config["SEND_BACKOFF_SECONDS"]
    return min(first * 2 ** (tries - 1), longest) * random.uniform(0.5, 1)  # noqa: S311  no secret


def _tries(claimed: Claimed) -> int:
    return db.session.scalar(select(Message.tries).where(Message.id == claimed.message_id)) or 0


def _doubt(claimed: Claimed) -> str:
    return db.session.scalar(select(Message.doubt).where(Message.id == claimed.message_id)) or ""


def _record(
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
    """The attempt's answer and the message's new state, together. Nothing if another sender has taken the message over.

    due_tick: when the connection is to be looked at again, at the latest.
    """
    with write() as session:
        # The connection first, as in a claim: two that lock in the same order cannot wait for each other.
        _note_connection(claimed.connection_id, due_tick, is_fault=is_fault, slow_down=slow_down)
        still_ours = (SendAttempt.id == claimed.attempt_id) & SendAttempt.answered_tick.is_(None)
        answer = {"answered_at": utcnow(), "answered_tick": clock.now(), "outcome": outcome, "detail": detail}
        if not execute(update(SendAttempt).where(still_ours).values(**answer)):
            return
        message = session.get_one(Message, claimed.message_id)
        noted = actions.change_status(message, MessageStatus.SENDING, **values)
        if message.fan_id is None and message.status != MessageStatus.SENDING:
            execute(update(Message).where(Message.id == message.id).values(**actions.NO_CONTENT))
        if expired:
            expire(claimed.connection_id, expired)
        noted += _note_inbox(message)
    live.tell(noted)


def _note_connection(connection_id: int, due: int | None, *, is_fault: bool, slow_down: bool) -> None:
    """What an answer means for the whole connection. Does not commit."""
    if is_fault:
        _count_fault(connection_id)
    elif slow_down:
        _slow_down(connection_id, due)
    this = Connection.id == connection_id
    wakes = Connection.wakes_on_answer
    if due is not None:
        later_than = or_(Connection.due_tick.is_(None), Connection.due_tick > due)
        come_due = update(Connection).where(this, wakes | later_than)
        execute(come_due.values(due_tick=case((wakes, 0), else_=due)))
    else:
        good_news = update(Connection).where(this, wakes | (Connection.faults_in_a_row > 0))
        execute(good_news.values(due_tick=case((wakes, 0), else_=Connection.due_tick), faults_in_a_row=0))


def _slow_down(connection_id: int, until: int | None) -> None:
    connection = db.session.get_one(Connection, connection_id, with_for_update=True)
    values = pace.slowed_down(connection, clock.now()) | {"held_tick": until, "faults_in_a_row": 0}
    execute(update(Connection).where(Connection.id == connection_id).values(**values))


def _count_fault(connection_id: int) -> None:
    """Opens the breaker after several in a row: for longer and longer, and each time one call tries again."""
    connection = db.session.get_one(Connection, connection_id, with_for_update=True)
    faults = connection.faults_in_a_row + 1
    values: dict[str, int] = {"faults_in_a_row": faults}
    if faults >= BREAKER_FAULTS:
        _, longest = current_app.config["SEND_BACKOFF_SECONDS"]
        seconds = min(longest / 16 * 2 ** (faults - BREAKER_FAULTS), longest)
        values["held_tick"] = clock.now() + round(seconds * SECOND)
    execute(update(Connection).where(Connection.id == connection_id).values(**values))


def _note_inbox(message: Message) -> list[live.Noted]:
    """The inbox shows only each thread's last message."""
    if message.conversation_id is None:
        return []
    if message.status == MessageStatus.SENT and message.campaign_id:
        actions.put_on_top(message)
        return live.note_conversation(message.account_id, message.conversation_id)
    is_last = db.session.scalar(
        select(Conversation.id).where(
            Conversation.id == message.conversation_id, Conversation.last_message_id == message.id
        )
    )
    return live.note_conversation(message.account_id, message.conversation_id) if is_last else []
