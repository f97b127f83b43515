"""The outbox: the database is the queue, and this sends from it at the exact pace.

`claims` marks messages as being sent, in a transaction that only one sender can win and only while the pace allows;
`delivery` calls the platform outside any transaction; `outcomes` writes down what is known for certain. Nothing is ever
sent twice blindly: what may have arrived stays in `sending` until it is asked for again under the same key, or read
back from the chat, or handed to a person as `unknown`.
"""

import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from flask import Flask, current_app

from app import clock
from app.background import later, stopping
from app.clock import SECOND
from app.conversations import claims, delivery, senders
from app.conversations.claims import CONNECTIONS_AT_ONCE
from app.conversations.delivery import Job
from app.database import db

log = structlog.get_logger()

RUN_SECONDS = 300  # then another drain takes over: handing over costs a moment, and a job has its limit (TASKS)
HORIZON = 3 * SECOND  # a drain stays for what comes due within this time; for later things the sweep wakes one
GLANCE = SECOND // 20  # how soon a waiting drain notices a new reply
CONCURRENCY = 64  # calls at once; one connection takes only a few of them
BREATH = SECOND // 100  # after a look that found all that was due: what comes due meanwhile is taken together
ELSEWHERE = SECOND // 200  # how long another sender is left with the connections that it looks at


class Hands(Protocol):
    """What makes the calls."""

    def free(self) -> int: ...

    def start(self, job: Job) -> None: ...


@dataclass
class Threads:
    """The calls under way, each in a thread."""

    app: Flask
    pool: ThreadPoolExecutor
    _calls: set[Future] = field(default_factory=set)

    def under_way(self) -> set[Future]:
        self._calls = {call for call in self._calls if not call.done()}
        return self._calls

    def free(self) -> int:
        return CONCURRENCY - len(self.under_way())

    def start(self, job: Job) -> None:
        # In a copy of this context: what is logged there goes under the same request's id.
        self._calls.add(self.pool.submit(copy_context().run, _deliver, self.app, job))


def drain() -> None:
    """Sends what is due on every connection, and goes on while more comes due soon. Safe to run many at once."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    ends_at = time.monotonic() + RUN_SECONDS
    with _on_one_core(), ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="send") as pool:
        threads = Threads(app, pool)
        while not stopping.is_set() and time.monotonic() < ends_at:
            was_busy = threads.under_way()  # asked first: a call that ends now may free what the look misses
            due = send_what_is_due(threads)
            if due is not None and due <= clock.now():
                continue
            if not was_busy and (due is None or due > clock.now() + HORIZON):
                return
            _pause(due, threads)
    if not stopping.is_set():
        later("drain")


@contextmanager
def _on_one_core() -> Iterator[None]:
    """Python's threads take turns, and a turn that goes to another core costs more than one that stays: on one core a
    sender sent a fifth more. Threads that are started inside stay there too."""
    place = senders.place_on_this_host()
    if place is None or not hasattr(os, "sched_setaffinity"):  # Linux alone has it
        yield
        return
    before = os.sched_getaffinity(0)
    cores = sorted(before)
    os.sched_setaffinity(0, {cores[-1 - place % len(cores)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def is_needed() -> bool:
    """Whether something comes due before the next one asks."""
    due = claims.next_due()
    return due is not None and due <= clock.now() + HORIZON


def send_what_is_due(hands: Hands) -> int | None:
    """Starts one round of what may go now. Returns the tick at which to come again, None where nothing waits.

    One round only: with more to do than can be done, the caller must still notice that it is to stop.
    """
    room, due = hands.free(), claims.next_due()
    if due is None or due > clock.now():
        return due
    if room <= 0:
        return clock.now() + GLANCE
    claimed, looked_at = claims.claim_due(room)
    for job in delivery.jobs_of(claimed):
        hands.start(job)
    if looked_at:
        return clock.now() + (0 if looked_at == CONNECTIONS_AT_ONCE else BREATH)
    return clock.now() + ELSEWHERE


def _pause(due: int | None, threads: Threads) -> None:
    """Until the next comes due, a call ends, or a glance is due: a new reply may have come in."""
    ticks = GLANCE if due is None else min(max(due - clock.now(), SECOND // 1000), GLANCE)
    calls = threads.under_way()
    if calls and ticks > BREATH:
        wait(calls, timeout=ticks / SECOND, return_when=FIRST_COMPLETED)
    else:
        stopping.wait(ticks / SECOND)


def _deliver(app: Flask, job: Job) -> None:
    with app.app_context():
        try:
            delivery.deliver(job)
        except Exception:
            # The lease brings the message back; it is never lost, and never called failed without proof.
            log.exception("delivery_broke", message=job.message.id)
        finally:
            db.session.remove()
