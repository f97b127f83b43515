"""What waits in a connection's queue, and which message is next: first what may have got lost on the way, then
replies, then campaigns; by priority, then age; and never a later message to a fan before an earlier one.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import JSON, bindparam, column, exists, func, or_, select, table
from sqlalchemy.orm import aliased

from app.conversations.models import Message, MessageStatus
from app.database import UTCDateTime, db, plain, run, utcnow
from app.platforms.models import Connection

# The queue looks at a campaign's state when it takes a message, never before: a pause holds from the next claim on.
campaigns = table(
    "campaigns",
    column("id"),
    column("status"),
    column("priority"),
    column("guards", JSON),
    column("stop_at", UTCDateTime),
)
running = select(campaigns.c.id).where(campaigns.c.status == "active")

_QUEUED, _SENDING = plain(MessageStatus.QUEUED), plain(MessageStatus.SENDING)
_earlier = aliased(Message)
_of_running = exists().where(campaigns.c.id == _earlier.campaign_id, campaigns.c.status == "active")
_kept_back = exists().where(
    _earlier.conversation_id == Message.conversation_id,
    _earlier.status.in_((_QUEUED, _SENDING)),
    _earlier.id < Message.id,
    _earlier.rank >= Message.rank,
    or_(_earlier.campaign_id.is_(None), _earlier.status == _SENDING, _of_running),
)
_of = Message.connection_id == bindparam("connection_id")
_queued = (_of, Message.status == _QUEUED)
_is_due = or_(Message.due_tick.is_(None), Message.due_tick <= bindparam("now"))
_replies = (*_queued, Message.campaign_id.is_(None), _is_due)

_LOOK = select(
    select(Message.id)
    .where(_of, Message.status == _SENDING, Message.lease_tick <= bindparam("now"))
    .order_by(Message.lease_tick)
    .limit(1)
    .scalar_subquery(),
    select(Message.id)
    .where(*_replies, ~_kept_back)
    .order_by(Message.rank.desc(), Message.id)
    .limit(1)
    .scalar_subquery(),
    select(exists().where(*_replies)).scalar_subquery(),
    select(func.min(Message.due_tick)).where(*_queued, Message.due_tick > bindparam("now")).scalar_subquery(),
    select(func.min(Message.lease_tick)).where(_of, Message.status == _SENDING).scalar_subquery(),
)
_next_replies = (
    select(Message.id).where(*_replies, ~_kept_back).order_by(Message.rank.desc(), Message.id).limit(bindparam("most"))
)
_next_of_campaign = (
    select(Message.id)
    .where(*_queued, Message.campaign_id == bindparam("campaign_id"), _is_due, ~_kept_back)
    .order_by(Message.id)
    .limit(bindparam("most"))
)
_first_of_campaign = (
    select(Message.id)
    .where(*_queued, Message.campaign_id == campaigns.c.id, _is_due, ~_kept_back)
    .order_by(Message.id)  # one campaign's messages are of one rank
    .limit(1)
    .correlate(campaigns)
    .scalar_subquery()
)
# The campaigns that have messages queued here, hopping along the index: most campaigns of an account are long done.
_hop = select(func.min(Message.campaign_id).label("id")).where(*_queued).cte("waiting", recursive=True)
_hop = _hop.union_all(
    select(select(func.min(Message.campaign_id)).where(*_queued, Message.campaign_id > _hop.c.id).scalar_subquery())
    .where(_hop.c.id.is_not(None))
)  # fmt: skip
_RUNNING = (
    select(_first_of_campaign, campaigns.c.id, campaigns.c.guards)
    .where(campaigns.c.id.in_(select(_hop.c.id)), campaigns.c.status == "active")
    .where(or_(campaigns.c.stop_at.is_(None), campaigns.c.stop_at > bindparam("wall", type_=UTCDateTime)))
    .order_by(campaigns.c.priority.desc(), campaigns.c.id)
)


@dataclass(frozen=True)
class Queue:
    """A connection's queue at one moment. Ids of messages; ticks."""

    lost: int | None  # its lease has run out
    reply: int | None
    replies_kept_back: bool  # each behind an earlier message to the same fan
    next_retry: int | None
    next_lease: int | None


def look(connection_id: int, now: int) -> Queue:
    found: Any = run(_LOOK, {"connection_id": connection_id, "now": now}).one()
    lost, reply, replies, next_retry, next_lease = found
    return Queue(lost, reply, bool(replies) and reply is None, next_retry, next_lease)


def next_replies(connection_id: int, now: int, most: int) -> list[int]:
    """The replies that may go, the first one first."""
    return list(run(_next_replies, {"connection_id": connection_id, "now": now, "most": most}).scalars())


@dataclass(frozen=True)
class Next:
    """Messages of the campaign whose turn it is, and what it spares people (see guards.py)."""

    message_ids: list[int]
    campaign_id: int
    guards: dict[str, Any]


def next_of_campaigns(connection_id: int, now: int, most: int = 1) -> Next | None:
    """The next messages of the running campaigns that may go, the spacing apart."""
    of = {"connection_id": connection_id, "now": now}
    running = run(_RUNNING, of | {"wall": utcnow()})
    found: Any = next((row for row in running if row[0] is not None), None)
    if found is None:
        return None
    first, campaign_id, guards = found
    of_it = of | {"campaign_id": campaign_id, "most": most}
    return Next([first] if most == 1 else list(run(_next_of_campaign, of_it).scalars()), campaign_id, guards)


def has_work() -> Any:
    """Of a connection: a message waits, or may have got lost."""
    of_it = Message.connection_id == Connection.id
    return or_(exists().where(of_it, Message.status == _QUEUED), exists().where(of_it, Message.status == _SENDING))


def campaigns_queued() -> Any:
    """The campaigns that have messages queued anywhere, hopping along each connection's part of the index."""

    def next_of(connection_id: Any, *after: Any) -> Any:
        its = (Message.connection_id == connection_id, Message.status == _QUEUED)
        return select(func.min(Message.campaign_id)).where(*its, *after).scalar_subquery()

    hop = select(Connection.id.label("connection_id"), next_of(Connection.id).label("id")).cte("queued", recursive=True)
    following = next_of(hop.c.connection_id, Message.campaign_id > hop.c.id)
    hop = hop.union_all(select(hop.c.connection_id, following).where(hop.c.id.is_not(None)))
    return select(hop.c.id).where(hop.c.id.is_not(None))


def is_cancelled(campaign_id: int) -> bool:
    cancelled = select(campaigns.c.id).where(campaigns.c.id == campaign_id, campaigns.c.status == "cancelled")
    return db.session.scalar(cancelled) is not None
