"""What the system page shows: the whole installation, read by the owner of one account. Of other accounts it shows no more
than numbers.
"""

import shutil
from dataclasses import dataclass
from typing import Any

from flask import current_app
from redis import RedisError
from sqlalchemy import select

from app import alive, background, clock
from app.conversations import restarts
from app.database import db, utcnow
from app.operations import counts, health, versions
from app.platforms.condition import Breaker, breaker_of
from app.platforms.models import Connection
from app.platforms.queries import connections_of
from app.restored import Restore

LOW_DISK = 0.1  # of it free: then it is said
TASK_WORDS = {
    "drain": "Sending what is due",
    "handle_event": "Taking in an event from the platform",
    "read_back": "Reading chats back",
    "catch_up": "Catching up on what was said meanwhile",
    "sync_fans": "Fetching the platform's fans",
    "discard_media": "Throwing away files that are not kept",
    "cancel_waiting": "Cancelling what waits of a campaign",
    "prepare_campaign": "Preparing a campaign's messages",
    "keep_figures": "Adding up an account's figures",
    "run_import": "Running an import",
    "run_export": "Putting a whole account into a file",
}


@dataclass(frozen=True)
class Disk:
    total: int
    free: int

    @property
    def is_low(self) -> bool:
        return self.free < LOW_DISK * self.total


@dataclass(frozen=True)
class Line:
    """How one connection of the account stands."""

    connection: Connection
    breaker: Breaker
    waiting: int
    oldest_seconds: float | None


def everything(account_id: int) -> dict[str, Any]:
    return {
        "overview": health.overview(account_id),
        "lines": _lines(account_id),
        "senders": restarts.running_senders(),
        "ended": restarts.ended_senders(account_id),
        "versions": versions.everything(),
        "disk": _disk(),
        "database_bytes": counts.database_bytes(),
        "restore": db.session.scalar(select(Restore).order_by(Restore.id.desc()).limit(1)),
        "task_words": TASK_WORDS,
        **_jobs(),
    }


def _jobs() -> dict[str, Any]:
    """Without Redis neither is known."""
    try:
        return {"queues": background.queues(), "processes": alive.processes(), "failed": background.failed_jobs()}
    except RedisError:
        return {"queues": None, "processes": [], "failed": []}


def _lines(account_id: int) -> list[Line]:
    waiting: dict[int, list[counts.Waiting]] = {}
    for each in counts.waiting(account_id):
        waiting.setdefault(each.connection_id, []).append(each)
    now, found = utcnow(), []
    for connection in connections_of(account_id):
        queue = waiting.get(connection.id, [])
        oldest = min((each.oldest for each in queue), default=None)
        age = (now - oldest).total_seconds() if oldest else None
        found.append(Line(connection, breaker_of(connection, clock.now()), sum(each.count for each in queue), age))
    return found


def _disk() -> Disk:
    found = shutil.disk_usage(current_app.config["INSTANCE"])
    return Disk(found.total, found.free)
