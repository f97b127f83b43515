"""Many browsers in a process of their own: each does what live.js does, and notes when it had which message."""

import asyncio
import contextlib
import multiprocessing
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from bench.wire import Line

SILENT_SECONDS = 60
TICK_SECONDS = 1
OPEN_SECONDS = 5  # live.js gives up after so long, too
COME_AGAIN_SECONDS = 1
BARE = ("emit", "unasked")  # events that the bench emits itself; they have no number
ANSWER_SECONDS = 60  # live.js gives up after four and comes again; here the slow answer is to be seen


@dataclass
class Room:
    name: str
    wish: dict[str, Any]  # kind and id
    last: int = 0
    heard_at: float = 0


@dataclass
class Seen:
    count: int
    tell: Any
    arrivals: dict[str, list[float]] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    answer_seconds: list[float] = field(default_factory=list)
    twice: int = 0

    def add(self, key: str, at: float) -> None:
        times = self.arrivals.setdefault(key, [])
        times.append(at)
        if len(times) == self.count:
            self.tell(("all", key))


class Browser:
    def __init__(self, url: str, cookie: str, rooms: list[Room], seen: Seen) -> None:
        self._rooms = {room.name: room for room in rooms}
        self._url, self._cookie, self._seen = url, cookie, seen
        self._asking: set[str] = set()
        self._early: list[tuple[dict[str, Any], float]] = []
        self._had: set[str] = set()
        self._tasks: set[asyncio.Task] = set()

    async def live(self) -> None:
        """Until it is: who is refused or lost comes again, as the page does."""
        while True:
            try:
                self.line = Line(self._url, self._cookie, self._take)
                async with asyncio.timeout(OPEN_SECONDS):
                    await self.line.open()
                await asyncio.gather(*(self._catch_up(room, "first") for room in self._rooms.values()))
            except (ConnectionError, TimeoutError):
                self.line.close()
                self._asking.clear()
                self._seen.asked["come again"] += 1
                await asyncio.sleep(COME_AGAIN_SECONDS * random.uniform(0.5, 1.5))
            else:
                return

    async def stay(self) -> None:
        """Comes again when the line is lost, and asks where the server has said nothing of a room for long."""
        while True:
            await asyncio.wait([self.line.lost], timeout=TICK_SECONDS)
            try:
                if self.line.lost.done():
                    self._seen.asked["lost"] += 1
                    await self.live()
                silent = [room for room in self._rooms.values() if time.perf_counter() - room.heard_at > SILENT_SECONDS]
                await asyncio.gather(*(self._catch_up(room, "again") for room in silent))
            except (ConnectionError, TimeoutError):
                self._asking.clear()
                self.line.close()

    async def _catch_up(self, room: Room, why: str) -> None:
        if room.name in self._asking:
            return
        self._asking.add(room.name)
        began = time.perf_counter()
        async with asyncio.timeout(ANSWER_SECONDS):
            answer, at = await self.line.ask("watch", room.wish | {"after": room.last})
        self._seen.asked[why] += 1
        self._seen.answer_seconds.append(at - began)
        for item in answer["items"]:
            self._note(item, at)
        room.last, room.heard_at = max(room.last, answer["upto"]), at
        self._asking.discard(room.name)
        early, self._early = self._early, []
        for news, came_at in early:
            self._take("news", news, came_at)

    def _take(self, name: str, news: dict[str, Any], at: float) -> None:
        if news.get("kind") in BARE:
            self._note(news, at)
            return
        if name != "news":  # that the card beside the thread is old
            return
        room = self._rooms[news["room"]]
        room.heard_at = at
        if news["seq"] <= room.last:
            return
        if room.name in self._asking:
            self._early.append((news, at))
        elif news.get("after", news["seq"] - 1) > room.last or "html" not in news:
            task = asyncio.ensure_future(self._catch_up(room, "gap"))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            room.last = news["seq"]
            self._note(news, at)

    def _note(self, item: dict[str, Any], at: float) -> None:
        if item["kind"] not in ("message", *BARE):
            return
        key = f"{item['kind']} {item['id']}"
        if key in self._had:
            self._seen.twice += 1
            return
        self._had.add(key)
        self._seen.add(key, at)


class Watchers:
    """They in their own process, as the bench sees them."""

    def __init__(self, url: str, cookie: str, rooms: list[Room], count: int) -> None:
        self._pipe, theirs = multiprocessing.get_context("spawn").Pipe()
        arguments = (url, cookie, rooms, count, theirs)
        self._process = multiprocessing.get_context("spawn").Process(target=_run, args=arguments, daemon=True)
        self._process.start()
        theirs.close()
        self.live_after: float = self._wait_for("live", 120)[1]

    def wait_for_all(self, key: str, seconds: float) -> bool:
        """Whether every one had it in time."""
        try:
            self._wait_for("all", seconds, key)
        except TimeoutError:
            return False
        return True

    def stop(self) -> dict[str, Any]:
        """What they saw: arrivals by key, what they asked and how long answers took, their own CPU seconds."""
        self._pipe.send("stop")
        _, seen = self._wait_for("seen", 60)
        self._process.join(20)
        return seen

    def _wait_for(self, kind: str, seconds: float, key: str | None = None) -> tuple[str, Any]:
        ends_at = time.monotonic() + seconds
        while self._pipe.poll(max(ends_at - time.monotonic(), 0)):
            said = self._pipe.recv()
            if said[0] == kind and key in (None, said[1]):
                return said
        raise TimeoutError(f"no {kind} {key or ''} within {seconds} s")


def _run(url: str, cookie: str, rooms: list[Room], count: int, pipe: Connection) -> None:
    asyncio.run(_watch(url, cookie, rooms, count, pipe))


async def _watch(url: str, cookie: str, rooms: list[Room], count: int, pipe: Connection) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(pipe.fileno(), stop.set)
    seen = Seen(count, pipe.send)
    browsers = [
        Browser(url, cookie, [Room(room.name, room.wish, room.last) for room in rooms], seen) for _ in range(count)
    ]
    began = time.perf_counter()
    await asyncio.gather(*(browser.live() for browser in browsers))
    pipe.send(("live", time.perf_counter() - began))
    cpu = time.process_time()
    staying = [asyncio.ensure_future(browser.stay()) for browser in browsers]
    await stop.wait()
    cpu = time.process_time() - cpu
    for task in staying:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    for browser in browsers:
        browser.line.close()
    found = {"arrivals": seen.arrivals, "asked": dict(seen.asked), "answers": seen.answer_seconds, "twice": seen.twice}
    pipe.send(("seen", found | {"cpu": cpu}))
