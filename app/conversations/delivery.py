"""One attempt: call the platform, and write down what is certain.

Outside any transaction while the platform answers; every change afterwards is compare-and-set, so that a sender that
comes back from the dead cannot overwrite what another one found out.
"""

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, update

from app.conversations import actions, live
from app.conversations.models import Conversation, Doubt, Message, MessageStatus, SendAttempt
from app.conversations.pace import Claimed
from app.database import db, execute, utcnow, write
from app.errors import NotFound
from app.fans.models import Fan
from app.media.actions import VAULT, load_attachment
from app.media.fetching import CannotFetch
from app.platforms import queries as platforms
from app.platforms.actions import expire
from app.platforms.gateway import (
    CredentialsExpired,
    NotSent,
    OutcomeUnknown,
    OutgoingMessage,
    PlatformError,
    PlatformGateway,
    RateLimited,
    Refused,
)
from app.platforms.models import Connection

log = structlog.get_logger()
MOST_TRIES = 6  # then a message that was certainly not sent fails, and one in doubt becomes `unknown`
FIRST_RETRY_SECONDS = 2
LONGEST_RETRY_SECONDS = 120
LIMITED_SECONDS = (30, 60, 120)  # where the platform says "slow down" and not for how long
KEY_LIFETIME = timedelta(hours=23)  # platforms keep idempotency keys for 24
CLOCK_DIFFERENCE = timedelta(seconds=120)  # between the platform's clock and ours, when a chat is read back


@dataclass(frozen=True)
class _Job:
    """All that the calls need, read before them."""

    claimed: Claimed
    connection: Connection
    message: Message
    chat_id: str
    gateway: PlatformGateway


def deliver(claimed: Claimed) -> None:
    job = _read(claimed)
    if job is None:
        return _not_to_be_sent(claimed)
    try:
        platform_id = _settle_doubt(job) or _send(job)
    except Refused as error:
        _failed(claimed, error)
    except CredentialsExpired as error:
        _expired(claimed, error)
    except RateLimited as error:
        _limited(claimed, error)
    except NotSent as error:
        _not_sent(claimed, error)
    except OutcomeUnknown as error:
        _in_doubt(claimed, error)
    else:
        _sent(claimed, platform_id)


def _read(claimed: Claimed) -> _Job | None:
    message = db.session.get_one(Message, claimed.message_id)
    connection = db.session.get_one(Connection, claimed.connection_id)
    fan = db.session.get(Fan, message.fan_id) if message.fan_id else None
    gateway = platforms.gateway_of(connection)
    db.session.expunge_all()
    db.session.commit()
    if fan is None or not fan.platform_fan_id or fan.do_not_message:
        return None
    return _Job(claimed, connection, message, fan.platform_fan_id, gateway)


def _settle_doubt(job: _Job) -> str | None:
    """The platform's id, if an earlier attempt turns out to have arrived.

    None where it is safe to ask: there was no doubt, the platform honours the key, or the chat proves it is not there.
    Raises OutcomeUnknown where no proof is to be had.
    """
    message = job.message
    if not message.doubt:
        return None
    first_start = _first_start(message)
    key_is_good = job.gateway.honours_idempotency_keys and utcnow() - first_start < KEY_LIFETIME
    if key_is_good and message.doubt == Doubt.NO_ANSWER:
        return None
    found = _find_in_chat(job, first_start)
    if found or key_is_good:
        return found
    raise OutcomeUnknown("It cannot be told whether this message arrived.")


def _first_start(message: Message) -> Any:
    first = db.session.scalar(select(func.min(SendAttempt.started_at)).where(SendAttempt.message_id == message.id))
    db.session.commit()
    return first or message.created_at


def _find_in_chat(job: _Job, first_start: Any) -> str | None:
    """A message of ours with this text and price, newer than the first attempt, that is no other message's."""
    candidates = [
        each.id
        for each in job.gateway.newest_messages(job.chat_id, 100)
        if each.sent_by_us
        and each.text == job.message.text.strip()
        and each.price_cents == job.message.price_cents
        and each.created_at >= first_start - CLOCK_DIFFERENCE
    ]
    taken = set(
        db.session.scalars(
            select(Message.platform_message_id).where(
                Message.connection_id == job.connection.id, Message.platform_message_id.in_(candidates)
            )
        )
    )
    db.session.commit()
    return next((each for each in reversed(candidates) if each not in taken), None)


def _send(job: _Job) -> str:
    """The platform's id. An unforeseen fault proves what its place proves: before the call nothing has left."""
    try:
        outgoing = _outgoing(job)
    except PlatformError:
        raise
    except Exception as error:
        log.exception("message_not_prepared", message=job.message.id)
        raise NotSent("The message could not be prepared.") from error
    try:
        return job.gateway.send(outgoing)
    except PlatformError:
        raise
    except Exception as error:
        log.exception("answer_not_understood", message=job.message.id)
        raise OutcomeUnknown("The platform's answer was not understood.") from error


def _outgoing(job: _Job) -> OutgoingMessage:
    return OutgoingMessage(
        chat_id=job.chat_id,
        text=job.message.text,
        price_cents=job.message.price_cents,
        media=tuple(_platform_media(job)),
        idempotency_key=job.message.idempotency_key,
    )


def _platform_media(job: _Job) -> list[str]:
    """The platform's ids of the attachments; uploaded once and kept, so that a retry has the very same body."""
    if not job.message.attachments:
        return []
    if job.message.platform_media is None:
        ids = [_upload(job, each["url"]) for each in job.message.attachments]
        with write():
            execute(update(Message).where(Message.id == job.message.id).values(platform_media=ids))
        return ids
    return job.message.platform_media


def _upload(job: _Job, address: str) -> str:
    if VAULT.fullmatch(address):
        return address.removeprefix("platform:")
    try:
        name, content_type, content = load_attachment(job.message.account_id, address)
    except CannotFetch as error:
        raise Refused(str(error)) from error
    except (NotFound, OSError) as error:
        raise Refused("An attachment is no longer here.") from error
    db.session.commit()
    try:
        return job.gateway.upload(name, content_type, content)
    except OutcomeUnknown as error:  # of the upload: the message itself has certainly not left
        raise NotSent(error.detail) from error


def _sent(claimed: Claimed, platform_id: str) -> None:
    values = {
        "status": MessageStatus.SENT,
        "status_reason": None,
        "platform_message_id": platform_id,
        "sent_at": utcnow(),
        "doubt": Doubt.NONE,
        "lease_until": None,
    }
    _record(claimed, "sent", "", values)


def _not_to_be_sent(claimed: Claimed) -> None:
    """The fan is gone, or must no longer be messaged. What may have gone out before is for a person to settle."""
    reason = "The fan was deleted, is no longer linked, or must not be messaged."
    status = MessageStatus.UNKNOWN if _doubt(claimed) else MessageStatus.CANCELLED
    _record(claimed, "not_sent", reason, {"status": status, "status_reason": reason, "lease_until": None})


def _failed(claimed: Claimed, error: Refused) -> None:
    _record(claimed, "refused", error.detail, {"status": MessageStatus.FAILED, "status_reason": error.detail})


def _not_sent(claimed: Claimed, error: NotSent) -> None:
    tries = _tries(claimed)
    if tries >= MOST_TRIES and not _doubt(claimed):
        return _record(
            claimed, "not_sent", error.detail, {"status": MessageStatus.FAILED, "status_reason": error.detail}
        )
    _wait(claimed, "not_sent", error, _backoff(tries))


def _limited(claimed: Claimed, error: RateLimited) -> None:
    """Holds the whole connection: the limit is the account's, not the message's."""
    repeated = min(_tries(claimed), len(LIMITED_SECONDS)) - 1
    seconds = error.retry_after_seconds or LIMITED_SECONDS[repeated]
    _wait(claimed, "limited", error, seconds, hold=True)


def _expired(claimed: Claimed, error: CredentialsExpired) -> None:
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


def _in_doubt(claimed: Claimed, error: OutcomeUnknown) -> None:
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
