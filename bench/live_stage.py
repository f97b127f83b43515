"""What `bench.live` plays on: the product's web process, a thread in it, and the two requests that are compared."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.config import ROOT
from app.conversations import live, rooms
from bench.place import Place, cpu_seconds
from bench.watchers import Room
from tests.people import Person, add_fan, connect, make_person
from tests.servers import free_port, http_client, is_up, wait_until

TEXT = "Good morning from Lisbon! Is the behind-the-scenes set still available? I would love to see it"


@dataclass
class Stage:
    place: Place
    url: str
    pid: int  # gunicorn's
    person: Person
    thread: int
    html: str  # what a watcher is sent of a message, so that the bare emit is no smaller

    def rooms(self) -> list[Room]:
        """What a page that was just loaded watches, and from which number on."""
        with self.place.app.app_context():
            wanted = (("thread", self.thread), ("inbox", 0))
            found = [(kind, number, *rooms.newest_seq(self.person.account_id, kind, number)) for kind, number in wanted]
        return [Room(name, {"kind": kind, "id": number}, seq) for kind, number, name, seq in found]

    def cookie(self) -> str:
        cookie = self.person.browser().get_cookie("greenroom")
        assert cookie is not None
        return f"greenroom={cookie.value}"

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.person.token}"}
        return http_client(self.url, headers=headers, timeout=60)

    def post(self, client: httpx.Client, number: int) -> str:
        """The key under which its arrivals are noted."""
        answer = client.post(f"/api/crm/conversations/{self.thread}/messages", json={"text": f"{TEXT} {number}"})
        return f"message {answer.raise_for_status().json()['id']}"

    def emit(self, client: httpx.Client, number: int) -> str:
        """As `post`, by an address that only knows who asks, and emits."""
        return self._emit(client, number, "emit", "/api/bench/emit")

    def emit_unasked(self, client: httpx.Client, number: int) -> str:
        """As `emit`, open to everyone."""
        return self._emit(client, number, "unasked", "/bench/emit")

    def _emit(self, client: httpx.Client, number: int, kind: str, path: str) -> str:
        html = self.html.replace(f"{TEXT} 0", f"{TEXT} {number}")
        news = {"room": rooms.thread_room(self.thread), "nth": number, "kind": kind, "id": number, "html": html}
        client.post(path, json=news).raise_for_status()
        return f"{kind} {number}"

    def server_cpu(self) -> float:
        """CPU seconds so far of gunicorn's one worker."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return sum(cpu_seconds(int(child)) for child in children)


@contextmanager
def a_stage(place: Place, sockets: int) -> Iterator[Stage]:
    person = make_person(place.app, "ada@example.com", "Bench")
    connect(person, place.sandbox.url)
    thread = person.post("/api/crm/conversations", {"fanId": add_fan(person)["id"]})["id"]
    html = _html_of_one(place, person, thread)
    with _running_web(place, sockets) as (url, pid):
        yield Stage(place, url, pid, person, thread, html)


def _html_of_one(place: Place, person: Person, thread: int) -> str:
    person.post(f"/api/crm/conversations/{thread}/messages", {"text": f"{TEXT} 0"}, 202)
    with place.app.app_context():
        return live.replay(person.account_id, rooms.thread_room(thread), 1, 0)["items"][0]["html"]


@contextmanager
def _running_web(place: Place, sockets: int) -> Iterator[tuple[str, int]]:
    port = free_port()
    settings = {"PORT": str(port), "GREENROOM_SOCKETS": str(sockets), "GREENROOM_LIMIT_WRITES": "1000000/minute"}
    command = [sys.executable, "-m", "gunicorn", os.environ.get("BENCH_WEB") or "bench.live_web:app"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=place.environment | settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: is_up(f"{url}/healthz"), seconds=20)
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(20)
