"""How each part stands: healthy, degraded or down."""

from functools import cache
from typing import Any

from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app.background import queue_lengths, queues_served
from app.config import ROOT
from app.conversations import sender_status
from app.database import db
from app.extensions import get_redis
from app.platforms.queries import first_connection

WORST_FIRST = ("down", "degraded", "healthy")


def database_answers() -> bool:
    try:
        db.session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return True


def redis_answers() -> bool:
    try:
        return bool(get_redis().ping())
    except RedisError:
        return False


def migrations_are_done() -> bool:
    try:
        stands = db.session.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return stands == _newest_migration()


@cache
def _newest_migration() -> str | None:
    """Of this release. To read them all takes longer than a probe waits: once in a process."""
    # Imported here: a worker, which nobody asks this, needs a tenth less memory.
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(ROOT / "migrations")).get_current_head()


def readiness() -> dict[str, bool]:
    return {"database": database_answers(), "redis": redis_answers(), "migrations": migrations_are_done()}


def overview(account_id: int) -> dict[str, Any]:
    """The contract's /api/monitoring document. Without Redis messages wait, but nothing is lost: degraded."""
    components = {
        "database": "healthy" if database_answers() else "down",
        "redis": "healthy" if redis_answers() else "degraded",
        "workers": _workers(("incoming", "links", "imports")),
        "sender": _worst(_workers(("sending",)), _connection(account_id)),
    }
    return {"status": _worst(*components.values()), "components": components, "metrics": _metrics(account_id)}


def _workers(queues: tuple[str, ...]) -> str:
    try:
        served = queues_served()
    except RedisError:
        return "degraded"
    return "healthy" if all(served[queue] for queue in queues) else "down"


def _connection(account_id: int) -> str:
    """An account that is connected to nothing has nothing to send: that is no fault."""
    connection = first_connection(account_id, "onlyfans")
    return sender_status.connection_health(connection) if connection else "healthy"


def _metrics(account_id: int) -> dict[str, Any]:
    status = sender_status.sender_status(account_id)
    try:
        jobs = queue_lengths()
    except RedisError:
        jobs = None
    return {
        "queueDepth": status.queue_depth,
        "messagesInFlight": status.messages_in_flight,
        "failed": status.failed,
        "unknown": status.unknown,
        "jobsWaiting": jobs,
    }


def _worst(*states: str) -> str:
    return next(state for state in WORST_FIRST if state in states)
