"""One attempt: settle what is in doubt, call the platform outside any transaction, and hand on what is certain."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Row, bindparam, func, select, update

from app import clock, restored
from app.conversations import outcomes
from app.conversations.claims import Claimed
from app.conversations.models import Doubt, Message, SendAttempt
from app.database import db, execute, run, write
from app.errors import NotFound
from app.fans.models import Fan
from app.media.actions import VAULT, load_attachment
from app.media.fetching import CannotFetch
from app.media.stores import StoreFailed
from app.platforms import queries as platforms
from app.platforms.gateway import (
    CredentialsExpired,
    NotSent,
    OutcomeUnknown,
    OutgoingMessage,
    PlatformError,
    PlatformGateway,
    PlatformMessage,
    RateLimited,
    Refused,
)
from app.platforms.models import Connection

log = structlog.get_logger()
KEY_LIFETIME = 23 * 3600 * clock.SECOND  # platforms keep idempotency keys for 24 hours
NO_PROOF = "It cannot be told whether this message arrived."
PAGE, MOST_PAGES = 100, 10  # messages of a chat
MOST_LOST = 12  # tries: every sender that took the message died over it
WHOLE_SECONDS = timedelta(seconds=5)  # in which platforms tell the time, and a long way for an answer


@dataclass(frozen=True)
class Job:
    """All that the calls need, read before them."""

    claimed: Claimed
    message: Row[Any]
    gateway: PlatformGateway

    @property
    def chat_id(self) -> str:
        return self.message.platform_fan_id


_JOBS = (
    select(
        Message.id, Message.account_id, Message.connection_id, Message.text, Message.price_cents, Message.attachments,
        Message.platform_media, Message.idempotency_key, Message.doubt, Message.tries, Message.created_at,
        Fan.platform_fan_id, Fan.do_not_message,
        Connection.adapter, Connection.base_url, Connection.external_account, Connection.api_key,
    )
    .join(Connection, Connection.id == Message.connection_id)
    .outerjoin(Fan, Fan.id == Message.fan_id)
    .where(Message.id.in_(bindparam("messages", expanding=True)))
)  # fmt: skip


def jobs_of(claimed: list[Claimed]) -> list[Job]:
    """In the same order, read at once and anew: after the claim's own commit. A message that went since then is left out."""
    if not claimed:
        return []
    rows = {row.id: row for row in run(_JOBS, {"messages": [each.message_id for each in claimed]})}
    db.session.commit()
    found = ((each, rows[each.message_id]) for each in claimed if each.message_id in rows)
    return [Job(each, row, platforms.gateway_of(row)) for each, row in found]


def deliver(job: Job) -> None:
    claimed = job.claimed
    if not job.message.platform_fan_id or job.message.do_not_message:
        return outcomes.not_to_be_sent(claimed)
    if job.message.doubt and job.message.tries > MOST_LOST:
        return outcomes.given_up(claimed)
    try:
        platform_id = _settle_doubt(job) or _send(job)
    except Refused as error:
        outcomes.failed(claimed, error)
    except CredentialsExpired as error:
        outcomes.expired(claimed, error)
    except RateLimited as error:
        outcomes.limited(claimed, error)
    except NotSent as error:
        outcomes.not_sent(claimed, error)
    except OutcomeUnknown as error:
        outcomes.in_doubt(claimed, error)
    else:
        outcomes.sent(claimed, platform_id)


def _settle_doubt(job: Job) -> str | None:
    """The platform's id, if an earlier attempt turns out to have arrived.

    None where it is safe to ask: there was no doubt, or the chat does not have it and the platform honours the key.
    The chat is read even where the key is good: the answer that got lost may have been an error, for which platforms
    keep no key. Raises OutcomeUnknown where no proof is to be had.
    """
    if not job.message.doubt:
        return None
    if job.message.doubt == Doubt.RESTORED:
        return _settle_restored(job)
    began = _first_tick(job.message)
    found, _ = _find_in_chat(job, began)
    if found or _key_is_good(job, began):
        return found
    raise OutcomeUnknown(NO_PROOF)


def _settle_restored(job: Job) -> str | None:
    """As above, of one that a database which is gone may have sent. A chat that is read all the way back is proof too."""
    possible = restored.possible(job.message.created_at)
    began = min(possible.since, _first_tick(job.message))
    found, was_whole = _find_in_chat(job, began, most_pages=MOST_PAGES, or_copies=True)
    if found or was_whole or (possible.has_its_key and _key_is_good(job, began)):
        return found
    raise OutcomeUnknown(NO_PROOF)


def _key_is_good(job: Job, began: int) -> bool:
    return job.gateway.honours_idempotency_keys and clock.now() - began < KEY_LIFETIME


def _first_tick(message: Row[Any]) -> int:
    first = db.session.scalar(select(func.min(SendAttempt.started_tick)).where(SendAttempt.message_id == message.id))
    db.session.commit()
    return first if first is not None else clock.tick_of(message.created_at)


def _find_in_chat(job: Job, began: int, *, most_pages: int = 1, or_copies: bool = False) -> tuple[str | None, bool]:
    """A message of ours with this text and price, not older than the first attempt, that is no other message's; and
    whether the chat was read so far back.

    Its age is reckoned back from the platform's own clock: ours may be wrong, and may have been set meanwhile.
    or_copies: also what was taken in as written on the platform itself; a database that forgot its sends takes them for it.
    """
    messages, was_whole = _read_chat(job, began, most_pages)
    candidates = [
        each.id
        for each in messages
        if each.sent_by_us and each.text == job.message.text.strip() and each.price_cents == job.message.price_cents
    ]
    taken = select(Message.platform_message_id).where(
        Message.connection_id == job.message.connection_id, Message.platform_message_id.in_(candidates)
    )
    others = set(db.session.scalars(taken.where(Message.tries > 0) if or_copies else taken))
    db.session.commit()
    return next((each for each in reversed(candidates) if each not in others), None), was_whole


def _read_chat(job: Job, began: int, most_pages: int) -> tuple[list[PlatformMessage], bool]:
    """Newest first, none older than the first attempt; and whether these are all. Raises PlatformError."""
    found: list[PlatformMessage] = []
    before = None
    for _ in range(most_pages):
        chat = job.gateway.read_chat(job.chat_id, PAGE, before)
        oldest = chat.told_at - timedelta(microseconds=clock.now() - began) - WHOLE_SECONDS
        lately = [each for each in chat.messages if each.created_at >= oldest]
        found += lately
        if len(lately) < len(chat.messages) or not chat.messages:
            return found, True
        before = chat.messages[-1].id
    return found, False


def _send(job: Job) -> str:
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


def _outgoing(job: Job) -> OutgoingMessage:
    media = _platform_media(job)
    shown = [bool(each.get("preview")) for each in job.message.attachments]
    return OutgoingMessage(
        chat_id=job.chat_id,
        text=job.message.text,
        price_cents=job.message.price_cents,
        media=tuple(media),
        previews=tuple(each for each, is_shown in zip(media, shown, strict=True) if is_shown),
        idempotency_key=job.message.idempotency_key,
    )


def _platform_media(job: Job) -> list[str]:
    """The platform's ids of the attachments; uploaded once and kept, so that a retry has the very same body."""
    if not job.message.attachments:
        return []
    if job.message.platform_media is None:
        ids = [_upload(job, each["url"]) for each in job.message.attachments]
        with write():
            execute(update(Message).where(Message.id == job.message.id).values(platform_media=ids))
        return ids
    return job.message.platform_media


def _upload(job: Job, address: str) -> str:
    if VAULT.fullmatch(address):
        return address.removeprefix("platform:")
    try:
        name, content_type, content = load_attachment(job.message.account_id, address)
    except CannotFetch as error:
        raise Refused(str(error)) from error
    except StoreFailed as error:
        raise NotSent(error.detail) from error
    except (NotFound, OSError) as error:
        raise Refused("An attachment is no longer here.") from error
    db.session.commit()
    try:
        return job.gateway.upload(name, content_type, content)
    except OutcomeUnknown as error:  # of the upload: the message itself has certainly not left
        raise NotSent(error.detail) from error
