"""The pace: at most N attempts in any rolling window per connection, as the platform's clock sees it.

The platform sees an attempt somewhere between its start here and its answer here. So the window is counted from the
answer (an attempt in flight counts as now): a new attempt starts at least a window after the answer to the one N
before it, and the platform cannot see N + 1 within a window. Campaign messages start window / N after whatever
started last, so that the slots of a full window come free one by one and a reply finds one within a spacing: a campaign
that took its slots behind a reply as soon as it could would leave them in heaps, and gaps between the heaps, for ever.
A reserve for replies makes N smaller for campaigns alone.

All times are ticks (app/clock.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, func, select

from app.accounts.models import Account
from app.clock import SECOND, tick_of
from app.conversations.models import SendAttempt
from app.database import db, run
from app.platforms.condition import sent_on, speed_percent, today_in
from app.platforms.models import Connection


@dataclass(frozen=True)
class Pace:
    """As it holds at one moment. Ticks."""

    limit: int
    window: int
    spacing: int  # between a campaign's message and whatever started before it
    campaign_spacing: int  # between two campaign messages: longer where a reserve is kept for replies


@dataclass(frozen=True)
class Window:
    """How a connection's pace stands at one moment. Ticks."""

    free: int  # attempts that may start now
    in_flight: int
    next_free: int | None  # when one more may start; None while only an answer can free a slot
    campaign_due: int  # when the spacing allows the next campaign message


def pace_of(connection: Connection, now: int) -> Pace:
    limit = max(connection.pace_limit * speed_percent(connection, now) // 100, 1)
    window = connection.pace_window_seconds * SECOND
    return Pace(limit, window, -(-window // limit), -(-window // max(limit - connection.reserve, 1)))


_of = SendAttempt.connection_id == bindparam("connection_id")
_COUNTS = select(
    select(func.count()).where(_of, SendAttempt.answered_tick.is_(None)).scalar_subquery(),
    select(func.count()).where(_of, SendAttempt.answered_tick > bindparam("since")).scalar_subquery(),
    select(func.max(SendAttempt.started_tick)).where(_of, SendAttempt.of_campaign.is_(True)).scalar_subquery(),
    select(func.max(SendAttempt.started_tick)).where(_of, SendAttempt.of_campaign.is_(False)).scalar_subquery(),
)
_NTH_NEWEST = (
    select(SendAttempt.answered_tick)
    .where(_of, SendAttempt.answered_tick > bindparam("since"))
    .order_by(SendAttempt.answered_tick.desc())
    .limit(1)
    .offset(bindparam("offset"))
)


def window_of(connection: Connection, now: int) -> Window:
    pace = pace_of(connection, now)
    of = {"connection_id": connection.id, "since": now - pace.window}
    counts: Any = run(_COUNTS, of).one()
    in_flight, recent, last_campaign, last_reply = counts
    slots = pace.limit - in_flight
    next_free = None
    if 0 < slots <= recent:
        nth_newest = run(_NTH_NEWEST, of | {"offset": slots - 1}).scalar()
        next_free = nth_newest + pace.window if nth_newest is not None else None
    campaign_due = max((last_campaign or 0) + pace.campaign_spacing, (last_reply or 0) + pace.spacing)
    return Window(max(slots - recent, 0), in_flight, next_free, campaign_due)


@dataclass(frozen=True)
class Day:
    """A day of the account's zone, and what its cap leaves of it."""

    name: str  # 2026-06-10
    sent: int
    left: int
    ends: int  # tick of the next midnight


def day_of(connection: Connection) -> Day | None:
    """None where the connection has no daily cap."""
    if connection.daily_cap is None:
        return None
    zone = db.session.scalar(select(Account.timezone).where(Account.id == connection.account_id)) or "UTC"
    today = today_in(zone)
    midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), ZoneInfo(zone))
    sent = sent_on(connection, today)
    return Day(today.isoformat(), sent, max(connection.daily_cap - sent, 0), tick_of(midnight))
