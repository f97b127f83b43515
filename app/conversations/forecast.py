"""When a waiting message will go, and when the last one will have gone: from the pace and from what waits before it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select

from app import clock
from app.conversations.models import REPLY_RANK, Message, MessageStatus
from app.conversations.pace import Day, Window, day_of, pace_of, window_of
from app.conversations.waiting import running
from app.database import db, plain
from app.platforms.models import Connection

DAY = 86_400 * clock.SECOND


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
    now = clock.now()
    due = _Line(connection, now).tick_at(_ahead_of(message), is_reply=message.campaign_id is None)
    return clock.moment(max(due, message.due_tick or 0))


def completion_time(connection: Connection) -> datetime | None:
    """When the last waiting message of the connection will go. None where nothing waits."""
    rows = select(Message).where(Message.connection_id == connection.id, Message.status == plain(MessageStatus.QUEUED))
    last = db.session.scalar(rows.order_by(Message.rank, Message.id.desc()).limit(1))
    return send_time(last) if last else None


NEW = 0  # in More: a campaign that there is not yet


@dataclass(frozen=True)
class More:
    """Messages of a campaign that are still to be made."""

    campaign_id: int
    priority: int
    count: int


def completion_times(connection: Connection, more: Iterable[More] = ()) -> dict[int, datetime]:
    """When the last waiting message of each running campaign will go, by campaign: one look at the queue for all.

    Campaigns of one rank are taken to go one after the other, as they were launched.
    """
    rows = db.session.execute(
        select(Message.campaign_id, Message.rank, func.count())
        .where(Message.connection_id == connection.id, Message.status == plain(MessageStatus.QUEUED), _runs())
        .group_by(Message.campaign_id, Message.rank)
    ).all()
    replies = sum(count for campaign_id, _, count in rows if campaign_id is None)
    counts: dict[tuple[int, int], int] = {(rank, each): count for each, rank, count in rows if each is not None}
    for each in more:
        key = (each.priority, each.campaign_id)
        counts[key] = counts.get(key, 0) + each.count
    line, times, before = _Line(connection, clock.now()), {}, 0
    for rank, campaign_id in sorted(counts, key=lambda key: (-key[0], key[1] == NEW, key[1])):
        before += counts[rank, campaign_id]
        times[campaign_id] = clock.moment(line.tick_at(Ahead(replies, before - 1), is_reply=False))
    return times


def _runs() -> Any:
    """Replies, and messages of running campaigns."""
    return or_(Message.campaign_id.is_(None), Message.campaign_id.in_(running))


def _ahead_of(message: Message) -> Ahead:
    """Paused campaigns hold up nobody."""
    earlier = or_(Message.rank > message.rank, and_(Message.rank == message.rank, Message.id < message.id))
    runs = or_(Message.campaign_id == message.campaign_id, _runs())
    replies, all_ahead = db.session.execute(
        select(func.count().filter(Message.rank > REPLY_RANK), func.count()).where(
            Message.connection_id == message.connection_id, Message.status == plain(MessageStatus.QUEUED), earlier, runs
        )
    ).one()
    return Ahead(replies, all_ahead - replies)


class _Line:
    """A connection's queue as the pace lets it out, from one moment on. Ticks."""

    def __init__(self, connection: Connection, now: int) -> None:
        self.start = max(now, connection.held_tick or 0)
        self.pace = pace_of(connection, self.start)
        self.window: Window = window_of(connection, now)
        self.day: Day | None = day_of(connection)
        self.daily_cap = connection.daily_cap or 1

    def tick_at(self, ahead: Ahead, *, is_reply: bool) -> int:
        position = ahead.replies + (0 if is_reply else ahead.campaign)
        tick = max(self._by_window(position), self._by_cap(position))
        if is_reply:
            return tick
        return max(tick, max(self.start, self.window.campaign_due) + ahead.campaign * self.pace.campaign_spacing)

    def _by_window(self, position: int) -> int:
        beyond_free = position - self.window.free
        if beyond_free < 0:
            return self.start
        spacing = self.pace.window // self.pace.limit
        return max(self.start, self.window.next_free or self.start + spacing) + beyond_free * spacing

    def _by_cap(self, position: int) -> int:
        if self.day is None or position < self.day.left:
            return self.start
        days, place = divmod(position - self.day.left, self.daily_cap)
        return self.day.ends + days * DAY + place * self.pace.campaign_spacing
