"""Simulated time: the real outbox on a real database, with senders, a network and a platform that only exist here.

Each delivery is a greenlet; where the real one would wait for the network, it hands over to the simulation, which
lets the next thing happen. So minutes pass in a moment, senders die in the middle of calls, and the wall clock jumps.
"""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

from app import clock
from app.clock import SECOND
from app.conversations import delivery, outbox
from app.conversations.delivery import Job
from app.database import db
from app.platforms.gateway import (
    Chat,
    NotSent,
    OutcomeUnknown,
    OutgoingMessage,
    PlatformMessage,
    RateLimited,
    Refused,
)

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
GLANCE = outbox.GLANCE
CALL_TIMEOUT = 15 * SECOND


class Time:
    """The boot clock, the wall clock, and what is going to happen."""

    def __init__(self) -> None:
        self.now = 1_000 * SECOND
        self.wall_is_off = timedelta()
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.hub = getcurrent()

    @property
    def wall(self) -> datetime:
        return BEGAN + timedelta(microseconds=self.now) + self.wall_is_off

    def at(self, moment: int, happens: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (max(moment, self.now), next(self._numbers), happens))

    def after(self, ticks: int, happens: Callable[[], None]) -> None:
        self.at(self.now + ticks, happens)

    def sleep(self, ticks: int) -> None:
        """Of a delivery: everything else goes on meanwhile."""
        me = getcurrent()
        self.after(ticks, lambda: None if me.dead else me.switch())
        self.hub.switch()

    def next(self) -> bool:
        """Lets the next thing happen. False where nothing is left."""
        if not self._queue:
            return False
        self.now, _, happens = heapq.heappop(self._queue)
        happens()
        return True


@dataclass
class Platform:
    """Counts every arrival in its rolling window, keeps keys and chats, and meets trouble by a seeded draw."""

    time: Time
    limit: int
    window: int  # ticks
    trouble: float
    slowest: int  # ticks, there and back
    dice: Random
    arrivals: list[int] = field(default_factory=list)
    violations: int = 0
    accepted: dict[str, str] = field(default_factory=dict)  # key -> message id
    running: set[str] = field(default_factory=set)
    chats: defaultdict[str, list[PlatformMessage]] = field(default_factory=lambda: defaultdict(list))

    def send(self, message: OutgoingMessage) -> str:
        """The call as the sender sees it. The request arrives even where the sender dies meanwhile."""
        there, back = (self.dice.randrange(1_000, max(self.slowest // 2, 1_001)) for _ in range(2))
        verdict: list[str | Exception] = []
        if self._strikes():
            raise NotSent("The platform cannot be reached.")
        self.time.after(there, lambda: verdict.append(self._arrive(message)))
        self.time.after(there + back, lambda: self.running.discard(message.idempotency_key))
        self.time.sleep(min(there + back, CALL_TIMEOUT))
        if there + back > CALL_TIMEOUT:
            raise OutcomeUnknown("The platform took too long to answer.")
        (answer,) = verdict
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _strikes(self, times: float = 1) -> bool:
        return self.dice.random() < self.trouble * times

    def _arrive(self, message: OutgoingMessage) -> str | Exception:
        key = message.idempotency_key
        if key in self.accepted:
            return self.accepted[key]
        if key in self.running:
            return OutcomeUnknown("The first request still runs.")
        self._count_arrival()
        self.running.add(key)
        if self._strikes():
            return RateLimited("Slow down.", 1)
        if self._strikes():
            if self.dice.random() < 0.5:
                self._keep(message)  # it arrived, and no key is kept for it: only the chat knows
            return OutcomeUnknown("Something went wrong.", answered=True)
        if self._strikes():
            return OutcomeUnknown("The connection broke.")
        if self._strikes(0.3):
            return Refused("Cannot send message to this user")
        self.accepted[key] = self._keep(message)
        return OutcomeUnknown("The connection broke.") if self._strikes() else self.accepted[key]

    def _count_arrival(self) -> None:
        now = self.time.now
        self.arrivals.append(now)
        in_window = sum(now - at < self.window for at in self.arrivals)
        self.violations += in_window > self.limit

    def _keep(self, message: OutgoingMessage) -> str:
        chat = self.chats[message.chat_id]
        number = sum(map(len, self.chats.values())) + 1
        at = BEGAN + timedelta(microseconds=self.time.now)
        chat.append(PlatformMessage(str(number), message.chat_id, message.text, sent_by_us=True, created_at=at))
        return str(number)

    def read_chat(self, chat_id: str, limit: int, before: str | None = None) -> Chat:
        self.time.sleep(self.dice.randrange(1_000, max(self.slowest, 1_001)))
        found = self.chats[chat_id][::-1]
        if before:
            found = found[[each.id for each in found].index(before) + 1 :]
        return Chat(found[:limit], BEGAN + timedelta(microseconds=self.time.now))


class Sender:
    """A sending process: it looks, claims, and has its deliveries in the air. `kill` loses all of them.

    Where the real one glances every so often, this one is told that there is something to see, a glance later.
    """

    def __init__(self, time: Time, app: Any) -> None:
        self.time, self.app = time, app
        self.alive = True
        self.calls: set[greenlet] = set()
        self.looks_at: int | None = None
        self.glance()

    def glance(self) -> None:
        self._look_at(self.time.now + GLANCE)

    def free(self) -> int:
        self.calls = {call for call in self.calls if not call.dead}
        return outbox.CONCURRENCY - len(self.calls)

    def start(self, job: Job) -> None:
        call = greenlet(self._deliver)
        self.calls.add(call)
        self.time.after(0, lambda: None if call.dead else call.switch(job))

    def _deliver(self, job: Job) -> None:
        with self.app.app_context():
            delivery.deliver(job)
            db.session.remove()
        self.glance()

    def _look_at(self, moment: int) -> None:
        if self.looks_at is None or moment < self.looks_at:
            self.looks_at = moment
            self.time.at(moment, lambda: self._look() if self.looks_at == moment else None)

    def _look(self) -> None:
        self.looks_at = None
        if not self.alive:
            return
        with self.app.app_context():
            due = outbox.send_what_is_due(self)
            now = clock.now()
            db.session.remove()
        if due is not None:
            self._look_at(self.time.now + max(due - now, 1_000))

    def kill(self) -> None:
        self.alive = False
        for call in self.calls:
            if not call.dead:
                call.throw(GreenletExit)
