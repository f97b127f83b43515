"""How sending stands for an account: counted, never kept."""

from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import func, select

from app import clock
from app.conversations import forecast
from app.conversations.models import Message, MessageStatus, SendAttempt
from app.conversations.pace import window_of
from app.database import db
from app.platforms.condition import Breaker, breaker_of
from app.platforms.models import Connection, ConnectionStatus
from app.platforms.queries import first_connection


@dataclass(frozen=True)
class RateLimit:
    limit: int
    window_seconds: int
    available: int


@dataclass(frozen=True)
class SenderStatus:
    queue_depth: int
    messages_in_flight: int
    failed: int
    unknown: int
    last_processed_at: datetime | None
    estimated_completion_time: datetime | None
    rate_limit: RateLimit
    health: str


def sender_status(account_id: int) -> SenderStatus:
    counts = _counts(account_id)
    connection = first_connection(account_id, "onlyfans")
    return SenderStatus(
        queue_depth=counts.get(MessageStatus.QUEUED, 0),
        messages_in_flight=counts.get(MessageStatus.SENDING, 0),
        failed=counts.get(MessageStatus.FAILED, 0),
        unknown=counts.get(MessageStatus.UNKNOWN, 0),
        last_processed_at=_last_answer(connection) if connection else None,
        estimated_completion_time=forecast.completion_time(connection) if connection else None,
        rate_limit=_rate_limit(connection),
        health=connection_health(connection),
    )


def _counts(account_id: int) -> dict[str, int]:
    wanted = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.FAILED, MessageStatus.UNKNOWN)
    rows = (
        select(Message.status, func.count())
        .where(Message.account_id == account_id, Message.status.in_(wanted), Message.fan_id.is_not(None))
        .group_by(Message.status)
    )
    return {row[0]: row[1] for row in db.session.execute(rows)}


def _last_answer(connection: Connection) -> datetime | None:
    """By the steady clock, as the index has them: it is asked for often, and attempts are kept for ever."""
    answered = (SendAttempt.connection_id == connection.id) & SendAttempt.answered_tick.is_not(None)
    newest_first = select(SendAttempt.answered_at).where(answered).order_by(SendAttempt.answered_tick.desc())
    return db.session.scalar(newest_first.limit(1))


def _rate_limit(connection: Connection | None) -> RateLimit:
    if connection is None:
        config = current_app.config
        return RateLimit(config["PACE_LIMIT"], config["PACE_WINDOW_SECONDS"], 0)
    free = window_of(connection, clock.now()).free
    return RateLimit(connection.pace_limit, connection.pace_window_seconds, free)


def connection_health(connection: Connection | None) -> str:
    """down: nothing can be sent; degraded: sending waits, or was asked to."""
    if connection is None or connection.status == ConnectionStatus.EXPIRED:
        return "down"
    now = clock.now()
    waits = (connection.held_tick or 0) > now or connection.status == ConnectionStatus.PAUSED
    return "degraded" if waits or breaker_of(connection, now) != Breaker.CLOSED else "healthy"
