"""What became of an attempt: written down together with its message's new state, compare-and-set.

So a sender that comes back from the dead cannot overwrite what another one found out.
"""

import random
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from app.conversations import actions, live
from app.conversations.models import Conversation, Doubt, Message, MessageStatus, SendAttempt
from app.conversations.pace import Claimed
from app.database import db, execute, utcnow, write
from app.platforms.actions import expire
from app.platforms.gateway import CredentialsExpired, NotSent, OutcomeUnknown, RateLimited, Refused
from app.platforms.models import Connection

MOST_TRIES = 6  # then a message that was certainly not sent fails, and one in doubt becomes `unknown`
FIRST_RETRY_SECONDS = 2
LONGEST_RETRY_SECONDS = 120
LIMITED_SECONDS = (30, 60, 120)  # where the platform says "slow down" and not for how long


def sent(claimed: Claimed, platform_id: str) -> None:
    values = {
        "status": MessageStatus.SENT,
        "status_reason": None,
        "platform_message_id": platform_id,
        "sent_at": utcnow(),
        "doubt": Doubt.NONE,
        "lease_until": None,
    }
    _record(claimed, "sent", "", values)


def not_to_be_sent(claimed: Claimed) -> None:
    """The fan is gone, or must no longer be messaged. What may have gone out before is for a person to settle."""
    reason = "The fan was deleted, is no longer linked, or must not be messaged."
    status = MessageStatus.UNKNOWN if _doubt(claimed) else MessageStatus.CANCELLED
    _record(claimed, "not_sent", reason, {"status": status, "status_reason": reason, "lease_until": None})


def failed(claimed: Claimed, error: Refused) -> None:
    _record(claimed, "refused", error.detail, {"status": MessageStatus.FAILED, "status_reason": error.detail})


def not_sent(claimed: Claimed, error: NotSent) -> None:
    tries = _tries(claimed)
    if tries >= MOST_TRIES and not _doubt(claimed):
        return _record(
            claimed, "not_sent", error.detail, {"status": MessageStatus.FAILED, "status_reason": error.detail}
        )
    _wait(claimed, "not_sent", error, _backoff(tries))


def limited(claimed: Claimed, error: RateLimited) -> None:
    """Holds the whole connection: the limit is the account's, not the message's."""
    repeated = min(_tries(claimed), len(LIMITED_SECONDS)) - 1
    seconds = error.retry_after_seconds or LIMITED_SECONDS[repeated]
    _wait(claimed, "limited", error, seconds, hold=True)


def expired(claimed: Claimed, error: CredentialsExpired) -> None:
    _wait(claimed, "credentials_expired", error, 0, expired=error.detail)


def _wait(
    claimed: Claimed, outcome: str, error: NotSent, seconds: float, *, hold: bool = False, expired: str | None = None
) -> None:
    """Back into the queue; but what was in doubt before stays in doubt, and so in `sending`."""
    then = utcnow() + timedelta(seconds=seconds)
    if _doubt(claimed):
        values: dict[str, Any] = {"lease_until": then}
    else:
        values = {
            "status": MessageStatus.QUEUED,
            "status_reason": error.detail,
            "not_before": then,
            "lease_until": None,
        }
    _record(claimed, outcome, error.detail, values, hold_until=then if hold else None, expired=expired)


def in_doubt(claimed: Claimed, error: OutcomeUnknown) -> None:
    tries = _tries(claimed)
    if tries >= MOST_TRIES:
        values = {"status": MessageStatus.UNKNOWN, "status_reason": error.detail, "lease_until": None}
    else:
        then = utcnow() + timedelta(seconds=_backoff(tries))
        doubt = Doubt.ERROR_ANSWER if error.answered else Doubt.NO_ANSWER
        values = {"lease_until": then, "doubt": doubt, "status_reason": error.detail}
    _record(claimed, "unknown", error.detail, values)


def _backoff(tries: int) -> float:
    """Seconds: exponential, with jitter."""
    longest = min(FIRST_RETRY_SECONDS * 2 ** (tries - 1), LONGEST_RETRY_SECONDS)
    return longest * random.uniform(0.5, 1)  # noqa: S311  no secret


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
    hold_until: Any = None,
    expired: str | None = None,
) -> None:
    """The attempt's answer and the message's new state, together. Nothing if another sender has taken the message over."""
    with write() as session:
        still_ours = (SendAttempt.id == claimed.attempt_id) & SendAttempt.answered_at.is_(None)
        answer = {"answered_at": utcnow(), "outcome": outcome, "detail": detail}
        if not execute(update(SendAttempt).where(still_ours).values(**answer)):
            return
        message = session.get_one(Message, claimed.message_id)
        noted = actions.change_status(message, MessageStatus.SENDING, **values)
        if message.fan_id is None and message.status != MessageStatus.SENDING:
            execute(update(Message).where(Message.id == message.id).values(**actions.NO_CONTENT))
        if hold_until:
            _hold(claimed.connection_id, hold_until)
        if expired:
            expire(claimed.connection_id, expired)
        noted += _note_inbox(message)
    live.tell(noted)


def _hold(connection_id: int, until: Any) -> None:
    execute(update(Connection).where(Connection.id == connection_id).values(held_until=until))


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
