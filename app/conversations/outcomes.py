"""What became of an attempt, and so of its message: sent, refused, to be tried again, or in doubt."""

import random
from typing import Any

from flask import current_app
from sqlalchemy import select

from app import clock
from app.clock import SECOND
from app.conversations.claims import Claimed
from app.conversations.models import Doubt, Message, MessageStatus
from app.conversations.recording import record
from app.conversations.sent_together import Sent, record_sent
from app.database import db
from app.platforms.gateway import CredentialsExpired, NotSent, OutcomeUnknown, RateLimited, Refused

MOST_TRIES = 6  # then a message that was certainly not sent fails, and one in doubt becomes `unknown`
LIMITED_SECONDS = (30, 60, 120)  # where the platform says "slow down" and not for how long


def sent(claimed: Claimed, platform_id: str) -> None:
    record_sent(Sent(claimed, platform_id))


def not_to_be_sent(claimed: Claimed) -> None:
    """The fan is gone, or must no longer be messaged. What may have gone out before is for a person to settle."""
    reason = "The fan was deleted, is no longer linked, or must not be messaged."
    status = MessageStatus.UNKNOWN if _doubt(claimed) else MessageStatus.CANCELLED
    record(claimed, "not_sent", reason, {"status": status, "status_reason": reason, "lease_tick": None})


def given_up(claimed: Claimed) -> None:
    reason = "The sender stopped each time it tried to send this."
    record(claimed, "not_sent", reason, {"status": MessageStatus.UNKNOWN, "status_reason": reason, "lease_tick": None})


def failed(claimed: Claimed, error: Refused) -> None:
    record(claimed, "refused", error.detail, {"status": MessageStatus.FAILED, "status_reason": error.detail})


def not_sent(claimed: Claimed, error: NotSent) -> None:
    tries = _tries(claimed)
    if tries >= MOST_TRIES and not _doubt(claimed):
        return record(
            claimed,
            "not_sent",
            error.detail,
            {"status": MessageStatus.FAILED, "status_reason": error.detail},
            is_fault=True,
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
    record(claimed, outcome, error.detail, values, due_tick=then, **effects)


def in_doubt(claimed: Claimed, error: OutcomeUnknown) -> None:
    tries, then = _tries(claimed), None
    if tries >= MOST_TRIES:
        values = {"status": MessageStatus.UNKNOWN, "status_reason": error.detail, "lease_tick": None}
    else:
        then = clock.now() + round(_backoff(tries) * SECOND)
        doubt = Doubt.ERROR_ANSWER if error.answered else Doubt.NO_ANSWER
        if _doubt(claimed) == Doubt.RESTORED:
            doubt = Doubt.RESTORED  # the older one: it may have gone out long before this try
        values = {"lease_tick": then, "doubt": doubt, "status_reason": error.detail}
    record(claimed, "unknown", error.detail, values, due_tick=then, is_fault=True)


def _backoff(tries: int) -> float:
    """Seconds: exponential, with jitter."""
    first, longest = current_app.config["SEND_BACKOFF_SECONDS"]
    return min(first * 2 ** (tries - 1), longest) * random.uniform(0.5, 1)  # noqa: S311  no secret


def _tries(claimed: Claimed) -> int:
    return db.session.scalar(select(Message.tries).where(Message.id == claimed.message_id)) or 0


def _doubt(claimed: Claimed) -> str:
    return db.session.scalar(select(Message.doubt).where(Message.id == claimed.message_id)) or ""
