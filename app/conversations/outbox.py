"""The outbox: the database is the queue, and this sends from it at the exact pace.

`claim` marks one message as being sent, in a transaction that only one sender can win and only while the pace allows;
`deliver` calls the platform outside any transaction; `record` writes down what is known for certain. Nothing is ever
sent twice blindly: what may have arrived stays in `sending` until it is asked for again under the same key, or read
back from the chat, or handed to a person as `unknown`.
"""

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from flask import Flask, current_app

from app.background import later, stopping
from app.conversations import delivery, pace
from app.conversations.pace import Claimed
from app.database import db, utcnow

log = structlog.get_logger()

RUN_SECONDS = 20  # then another drain takes over, so that one job never runs long
HORIZON = timedelta(
    seconds=3
)  # a drain stays for what comes due within this time; for later things the sweep wakes one
GLANCE_SECONDS = 0.1  # how soon a waiting drain notices a new reply
CONCURRENCY = 16


@dataclass
class _Flight:
    """The calls under way."""

    app: Flask
    pool: ThreadPoolExecutor
    _calls: set[Future] = field(default_factory=set)

    def under_way(self) -> set[Future]:
        self._calls = {call for call in self._calls if not call.done()}
        return self._calls

    def has_room(self) -> bool:
        return len(self.under_way()) < CONCURRENCY

    def start(self, claimed: Claimed) -> None:
        self._calls.add(self.pool.submit(_deliver, self.app, claimed))


def drain() -> None:
    """Sends what is due on every connection, and goes on while more comes due soon. Safe to run many at once."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    ends_at = time.monotonic() + RUN_SECONDS
    with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="send") as pool:
        flight = _Flight(app, pool)
        while not stopping.is_set() and time.monotonic() < ends_at:
            due_at = _send_what_is_due(flight)
            if not flight.under_way() and (due_at is None or due_at > utcnow() + HORIZON):
                return
            _pause(due_at, flight)
    if not stopping.is_set():
        later("drain")


def _send_what_is_due(flight: _Flight) -> datetime | None:
    """Starts all that may go now. Returns when the next comes due, None where nothing waits."""
    next_times: list[datetime] = []
    for connection_id in pace.connections_with_work():
        while True:
            if not flight.has_room():
                return utcnow()
            verdict = pace.claim(connection_id)
            if not isinstance(verdict, Claimed):
                next_times += [verdict] if verdict else []
                break
            flight.start(verdict)
    return min(next_times, default=None)


def _pause(due_at: datetime | None, flight: _Flight) -> None:
    """Until the next comes due, a call ends, or a glance is due: a new reply may have come in."""
    seconds = GLANCE_SECONDS if due_at is None else (due_at - utcnow()).total_seconds()
    seconds = min(max(seconds, 0.001), GLANCE_SECONDS)
    if calls := flight.under_way():
        wait(calls, timeout=seconds, return_when=FIRST_COMPLETED)
    else:
        stopping.wait(seconds)


def _deliver(app: Flask, claimed: Claimed) -> None:
    with app.app_context():
        try:
            delivery.deliver(claimed)
        except Exception:
            # The lease brings the message back; it is never lost, and never called failed without proof.
            log.exception("delivery_broke", message=claimed.message_id)
        finally:
            db.session.remove()
