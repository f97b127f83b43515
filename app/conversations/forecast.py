"""When a waiting message will go, and when the last one will have gone: from the pace and from what waits before it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select

from app.conversations.models import REPLY_RANK, Message, MessageStatus
from app.conversations.pace import Window, campaigns, window_of
from app.database import db, utcnow
from app.platforms.models import Connection


@dataclass(frozen=True)
class Ahead:
    """What goes before a message: replies, and campaign messages."""

    replies: int
    campaign: int


def send_time(message: Message) -> datetime | None:
    """None for a message that no longer waits, or has no connection."""
    connection = db.session.get(Connection, message.connection_id) if message.connection_id else None
    if connection is None or message.status != MessageStatus.QUEUED:
        return None
    window = window_of(connection, utcnow())
    due = _time_at(connection, window, _ahead_of(message), is_reply=message.campaign_id is None)
    return max(due, message.not_before) if message.not_before else due


def completion_time(connection: Connection) -> datetime | None:
    """When the last waiting message of the connection will go. None where nothing waits."""
    rows = select(Message).where(Message.connection_id == connection.id, Message.status == MessageStatus.QUEUED)
    last = db.session.scalar(rows.order_by(Message.rank, Message.id.desc()).limit(1))
    return send_time(last) if last else None


def completion_times(connection: Connection) -> dict[int, datetime]:
    """When the last waiting message of each running campaign will go, by campaign: one look at the queue for all.

    Campaigns of one rank are taken to go one after the other, as they were launched.
    """
    lines = db.session.execute(
        select(Message.campaign_id, func.count())
        .where(Message.connection_id == connection.id, Message.status == MessageStatus.QUEUED, _runs())
        .group_by(Message.campaign_id, Message.rank)
        .order_by(Message.rank.desc(), func.max(Message.id))
    ).all()
    replies = sum(count for campaign_id, count in lines if campaign_id is None)
    window, times, before = window_of(connection, utcnow()), {}, 0
    for campaign_id, count in lines:
        if campaign_id is not None:
            before += count
            times[campaign_id] = _time_at(connection, window, Ahead(replies, before - 1), is_reply=False)
    return times


def _runs() -> Any:
    """Replies, and messages of running campaigns."""
    running = select(campaigns.c.id).where(campaigns.c.status == "active")
    return or_(Message.campaign_id.is_(None), Message.campaign_id.in_(running))


def _ahead_of(message: Message) -> Ahead:
    """Paused campaigns hold up nobody."""
    earlier = or_(Message.rank > message.rank, and_(Message.rank == message.rank, Message.id < message.id))
    runs = or_(Message.campaign_id == message.campaign_id, _runs())
    replies, all_ahead = db.session.execute(
        select(func.count().filter(Message.rank > REPLY_RANK), func.count()).where(
            Message.connection_id == message.connection_id, Message.status == MessageStatus.QUEUED, earlier, runs
        )
    ).one()
    return Ahead(replies, all_ahead - replies)


def _time_at(connection: Connection, window: Window, ahead: Ahead, *, is_reply: bool) -> datetime:
    now = utcnow()
    spacing = timedelta(seconds=connection.pace_window_seconds) / connection.pace_limit
    start = max(filter(None, (now, connection.held_until)))
    beyond_free = ahead.replies + (0 if is_reply else ahead.campaign) - window.free
    by_window = start
    if beyond_free >= 0:
        by_window = max(start, window.next_free_at or start + spacing) + beyond_free * spacing
    if is_reply:
        return by_window
    return max(by_window, max(start, window.campaign_due_at) + ahead.campaign * spacing)
