"""What live.js does with a thread, in Python: for the many who listen at once, where a browser each would be too much."""

import re
import threading
from typing import Any

import socketio
from socketio.exceptions import SocketIOError

ASK_AGAIN_SECONDS = 10
ROW = re.compile(
    r'<li class="[^>]*? data-at="(?P<at>[^"]+)" data-row="(?P<row>\d+)"(?:[^>]*data-status="(?P<status>\w+)")?'
)
TEXT = re.compile(r'<p class="(?:message|note)-text"[^>]*>(.*?)</p>', re.S)


class Listener:
    """Joins, asks for what is newer, drops what it has by its number, and asks again after a gap, a break, or a silence."""

    def __init__(self, url: str, cookie: str, conversation_id: int) -> None:
        self._url, self._cookie, self._id = url, cookie, conversation_id
        self.last = 0
        self.breaks = 0
        self.was_left_behind = False  # so far that only a fresh load would do
        self.rows: dict[str, str] = {}  # by kind and id, as the server rendered them
        self._early: list[dict[str, Any]] = []
        self._asking = False
        self._lock = threading.Lock()
        self._ask = threading.Event()
        self._heard = threading.Event()
        self._leaving = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        self._leaving = True
        self._ask.set()
        self._thread.join(20)

    def _run(self) -> None:
        while not self._leaving:
            client = socketio.Client(reconnection=False)
            client.on("news", self._take)
            client.on("disconnect", self._hear_break)
            try:
                client.connect(self._url, transports=["websocket"], headers={"Cookie": self._cookie}, wait_timeout=2)
                while client.connected and not self._leaving:
                    self._ask.clear()
                    self._catch_up(client)
                    self._ask.wait(ASK_AGAIN_SECONDS)
            except (SocketIOError, OSError):
                pass
            finally:
                self.breaks += 1
                self._ask.wait(0.1)
                client.disconnect()

    def _catch_up(self, client: socketio.Client) -> None:
        self._asking = True
        try:
            while self._take_answer(self._answer_of(client)):
                pass
        finally:
            with self._lock:
                self._asking = False
                early, self._early = sorted(self._early, key=lambda news: news["seq"]), []
            for news in early:
                self._take(news)

    def _answer_of(self, client: socketio.Client) -> dict[str, Any]:
        """Raises TimeoutError, also as soon as the line breaks."""
        answers: list[dict[str, Any]] = []
        self._heard.clear()
        wish = {"kind": "thread", "id": self._id, "after": self.last}
        client.emit("watch", wish, callback=lambda answer: (answers.append(answer), self._heard.set()))
        self._heard.wait(4)
        if not answers:
            raise TimeoutError
        return answers[0]

    def _hear_break(self, *_: object) -> None:
        self._heard.set()
        self._ask.set()

    def _take_answer(self, answer: dict[str, Any]) -> bool:
        """Whether there is more to ask for."""
        with self._lock:
            self.was_left_behind |= answer["reload"]
            for item in answer["items"]:
                self._apply(item)
            self.last = max(self.last, answer["upto"])
        return answer["more"]

    def _take(self, news: dict[str, Any]) -> None:
        with self._lock:
            if news.get("seq", self.last + 1) <= self.last:
                return
            if self._asking and "seq" in news:
                self._early.append(news)
            elif news.get("seq") == self.last + 1 and "html" in news:
                self.last = news["seq"]
                self._apply(news)
            else:
                self._ask.set()

    def _apply(self, item: dict[str, Any]) -> None:
        name = f"{item['kind']}-{item['id']}"
        if item["html"]:
            self.rows[name] = item["html"]
        else:
            self.rows.pop(name, None)

    def shown(self) -> list[tuple[str, str, str]]:
        """Its rows from the oldest to the newest: (id, status, text)."""
        with self._lock:
            rows = [(name, html, _match(ROW, html)) for name, html in self.rows.items()]
        rows.sort(key=lambda row: (row[2]["at"], int(row[2]["row"])))
        return [(name, row["status"] or "", _match(TEXT, html)[1]) for name, html, row in rows]


def _match(pattern: re.Pattern[str], html: str) -> re.Match[str]:
    found = pattern.search(html)
    assert found, html
    return found
