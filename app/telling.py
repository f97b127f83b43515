"""How news reaches the sockets that a web process holds: Socket.IO's own manager, with two things more.

It knows how far each room was told, so that what got lost on the way to this process can be found. And a list is told a
moment later than a thread: what a person waits for goes first, and of a row that changes several times the last is told.
"""

import threading
import time
from typing import Any, cast

import structlog
from socketio import RedisManager

log = structlog.get_logger()
LISTS = "inbox:"
MOMENT_SECONDS = 0.25
Item = dict[str, Any]


class Teller(RedisManager):
    def __init__(self, url: str, channel: str) -> None:
        super().__init__(url, channel=channel)
        self.reached: dict[str, int] = {}  # by room, the number that was told last
        self._of_lists: dict[str, list[Item]] = {}
        self._lock = threading.Lock()
        self._has_some = threading.Event()

    def initialize(self) -> None:
        super().initialize()
        cast("Any", self.server).start_background_task(self._tell_lists)

    def begin(self, room: str) -> None:
        """Somebody is about to join it. Where nobody is in it so far, what was told before says nothing."""
        if not self._is_here(room):
            self.reached.pop(room, None)

    def tell_here(self, room: str, item: Item) -> None:
        """To the sockets of this process alone."""
        self.emit("news", item, namespace="/", room=room, ignore_queue=True)

    def _handle_emit(self, message: Any) -> None:
        """What any process says comes by here: of this one at once, of the others by Redis. Python-socketio has no open
        door to both."""
        room, data = message["room"], message["data"]
        seq = data[0].get("seq") if message["event"] == "news" else None
        if seq is not None and self._is_here(room):
            self.reached[room] = seq
            if room.startswith(LISTS):
                return self._tell_in_a_moment(room, data[0])
        super()._handle_emit(message)

    def _is_here(self, room: str) -> bool:
        return room in self.rooms.get("/", {})

    def _tell_in_a_moment(self, room: str, item: Item) -> None:
        with self._lock:
            self._of_lists.setdefault(room, []).append(item)
        self._has_some.set()

    def _tell_lists(self) -> None:
        while True:
            self._has_some.wait()
            time.sleep(MOMENT_SECONDS)
            self._has_some.clear()
            with self._lock:
                rooms, self._of_lists = self._of_lists, {}
            for room, items in rooms.items():
                try:
                    for item in newest_of_each(items):
                        self.tell_here(room, item)
                except Exception:  # whatever it was, the others are told; and this room is found to be behind
                    log.exception("list_not_told", room=room)
                    self.reached.pop(room, None)


def newest_of_each(items: list[Item]) -> list[Item]:
    """The last news of each row, in the order of their numbers. `after` is the number before those that an item stands
    for: a number that is missing between two shows as a gap."""
    items = sorted(items, key=lambda item: item["seq"])
    last = {_row(item): item["seq"] for item in items}
    told, before, after = list[Item](), None, 0
    for item in items:
        if item["seq"] - 1 != before:
            after = item["seq"] - 1
        before = item["seq"]
        if last[_row(item)] == before:
            told.append(item | {"after": after})
            after = before
    return told


def _row(item: Item) -> tuple[Any, Any]:
    return item.get("kind"), item.get("id")
