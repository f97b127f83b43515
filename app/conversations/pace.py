"""The pace: at most N attempts in any rolling window per connection, as the platform's clock sees it.

The platform sees an attempt somewhere between its start here and its answer here. So the window is counted from the
answer (an attempt in flight counts as now): a new attempt starts at least a window after the answer to the one N
before it, and the platform cannot see N + 1 within a window. Campaign messages are spaced window / N apart besides,
so that a reply always finds a slot within one spacing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import column, exists, func, or_, select, table, update
from sqlalchemy.orm import aliased

from app.conversations import live
from app.conversations.models import Doubt, Message, MessageStatus, SendAttempt
from app.database import db, execute, utcnow, write
from app.platforms.models import Connection, ConnectionStatus

# The queue looks at a campaign's state when it takes a message, never before: a pause holds from the next claim on.
campaigns = table("campaigns", column("id"), column("status"))


MOST_LOST = 12  # tries
ANSWER_GLANCE = timedelta(seconds=0.05)  # how soon to look again while only an answer can free a slot


@dataclass(frozen=True)
class Claimed:
    message_id: int
    attempt_id: int
    connection_id: int


@dataclass(frozen=True)
class Window:
    """How a connection's pace stands at one moment."""

    free: int  # attempts that may start now
    next_free_at: datetime | None  # when one more may start; None while only an answer can free a slot
    campaign_due_at: datetime  # when the spacing allows the next campaign message


def connections_with_work() -> list[int]:
    """Active connections for which a message waits or a lease may have run out."""
    waiting = exists().where(
        Message.connection_id == Connection.id, Message.status.in_((MessageStatus.QUEUED, MessageStatus.SENDING))
    )
    rows = select(Connection.id).where(Connection.status == ConnectionStatus.ACTIVE, waiting).order_by(Connection.id)
    found = list(db.session.scalars(rows))
    db.session.commit()
    return found


def claim(connection_id: int) -> Claimed | datetime | None:
    """Takes the next message of a connection for sending, if the pace allows.

    Returns the claim; or when to come again; or None where nothing waits.
    """
    verdict, noted = _claim(connection_id)
    live.tell(noted)
    return verdict


def _claim(connection_id: int) -> tuple[Claimed | datetime | None, list[live.Noted]]:
    with write() as session:
        # The connection's row is the lock: two senders count and claim one after the other.
        connection = session.scalar(select(Connection).where(Connection.id == connection_id).with_for_update())
        if connection is None or connection.status != ConnectionStatus.ACTIVE:
            return None, []
        now = utcnow()
        if connection.held_until and connection.held_until > now:
            return connection.held_until, []
        window = window_of(connection, now)
        if window.free < 1:
            return window.next_free_at or now + ANSWER_GLANCE, []
        message = _next_message(connection_id, now, with_campaigns=window.campaign_due_at <= now)
        if message is None:
            return _next_due(connection_id, now, window.campaign_due_at), []
        if message.status == MessageStatus.SENDING and message.tries >= MOST_LOST:
            _give_up(message, now)
            return now, live.note_message(message)
        return _take(message, now), live.note_message(message)


def window_of(connection: Connection, now: datetime) -> Window:
    length = timedelta(seconds=connection.pace_window_seconds)
    in_flight = db.session.scalar(
        select(func.count()).where(SendAttempt.connection_id == connection.id, SendAttempt.answered_at.is_(None))
    )
    slots = connection.pace_limit - (in_flight or 0)
    answered = _answered_after(connection.id, now - length)
    recent = db.session.scalar(select(func.count()).where(*answered)) or 0
    next_free_at = None
    if 0 < slots <= recent:
        frees = select(SendAttempt.answered_at).where(*answered).order_by(SendAttempt.answered_at.desc())
        nth_newest = db.session.scalar(frees.offset(slots - 1).limit(1))
        next_free_at = nth_newest + length if nth_newest else None
    last_start = db.session.scalar(
        select(func.max(SendAttempt.started_at)).where(
            SendAttempt.connection_id == connection.id, SendAttempt.of_campaign.is_(True)
        )
    )
    spacing = length / connection.pace_limit
    return Window(max(slots - recent, 0), next_free_at, last_start + spacing if last_start else now)


def _answered_after(connection_id: int, moment: datetime) -> tuple[Any, Any]:
    return SendAttempt.connection_id == connection_id, SendAttempt.answered_at > moment


def _next_message(connection_id: int, now: datetime, *, with_campaigns: bool) -> Message | None:
    """First what may have got lost on the way, then the queue: replies, then campaigns; priority, then age."""
    lost = (
        select(Message)
        .where(
            Message.connection_id == connection_id,
            Message.status == MessageStatus.SENDING,
            Message.lease_until <= now,
        )
        .order_by(Message.lease_until)
    )
    return db.session.scalar(lost.limit(1)) or db.session.scalar(
        _queue(connection_id, now, with_campaigns=with_campaigns).limit(1)
    )


def _queue(connection_id: int, now: datetime, *, with_campaigns: bool) -> Any:
    earlier = aliased(Message)
    kept_back_by_earlier = exists().where(
        earlier.conversation_id == Message.conversation_id,
        earlier.status.in_((MessageStatus.QUEUED, MessageStatus.SENDING)),
        earlier.id < Message.id,
        earlier.rank >= Message.rank,
        or_(
            earlier.campaign_id.is_(None), earlier.campaign_id.in_(_running()), earlier.status == MessageStatus.SENDING
        ),
    )
    rows = select(Message).where(
        Message.connection_id == connection_id,
        Message.status == MessageStatus.QUEUED,
        or_(Message.not_before.is_(None), Message.not_before <= now),
        ~kept_back_by_earlier,
    )
    in_running = Message.campaign_id.in_(_running())
    rows = rows.where(
        or_(Message.campaign_id.is_(None), in_running) if with_campaigns else Message.campaign_id.is_(None)
    )
    return rows.order_by(Message.rank.desc(), Message.id)


def is_cancelled(campaign_id: int) -> bool:
    cancelled = select(campaigns.c.id).where(campaigns.c.id == campaign_id, campaigns.c.status == "cancelled")
    return db.session.scalar(cancelled) is not None


def _running() -> Any:
    return select(campaigns.c.id).where(campaigns.c.status == "active")


def _next_due(connection_id: int, now: datetime, campaign_due_at: datetime) -> datetime | None:
    """When something of this connection comes due by itself: a campaign's turn, a retry, a lease."""
    times = db.session.execute(
        select(
            func.min(Message.not_before).filter(Message.status == MessageStatus.QUEUED, Message.not_before > now),
            func.min(Message.lease_until).filter(Message.status == MessageStatus.SENDING),
        ).where(
            Message.connection_id == connection_id,
            Message.status.in_((MessageStatus.QUEUED, MessageStatus.SENDING)),
        )
    ).one()
    due = [time for time in times if time]
    if campaign_due_at > now and db.session.scalar(_queue(connection_id, now, with_campaigns=True).limit(1)):
        due.append(campaign_due_at)
    return min(due, default=None)


def _give_up(message: Message, now: datetime) -> None:
    """Every sender that took it died over it: a person must look."""
    _close_attempts(message, now)
    message.status, message.status_reason = MessageStatus.UNKNOWN, "The sender stopped each time it tried to send this."
    message.lease_until, message.changed_at = None, now
    db.session.flush()


def _close_attempts(message: Message, now: datetime) -> None:
    lost = {"answered_at": now, "outcome": "lost", "detail": "The sender stopped before it wrote down an answer."}
    execute(
        update(SendAttempt)
        .where(SendAttempt.message_id == message.id, SendAttempt.answered_at.is_(None))
        .values(**lost)
    )


def _take(message: Message, now: datetime) -> Claimed:
    """Marks before the call. A message that was in flight under another lease is now in doubt."""
    lease = timedelta(seconds=current_app.config["SEND_LEASE_SECONDS"])
    was_lost = message.status == MessageStatus.SENDING
    _close_attempts(message, now)
    message.doubt = message.doubt or Doubt.NO_ANSWER if was_lost else Doubt.NONE
    message.status, message.lease_until, message.tries = MessageStatus.SENDING, now + lease, message.tries + 1
    message.changed_at = now
    attempt = SendAttempt(
        account_id=message.account_id,
        connection_id=message.connection_id or 0,
        message_id=message.id,
        of_campaign=message.campaign_id is not None,
        started_at=now,
    )
    db.session.add(attempt)
    db.session.flush()
    return Claimed(message.id, attempt.id, attempt.connection_id)
