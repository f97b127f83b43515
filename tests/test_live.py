"""The numbered stream, over a real socket to a real web process."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import socketio

from app.accounts import people
from app.config import ROOT
from app.conversations import live, rooms, triage
from app.conversations.actions import Draft, queue_reply
from app.database import write
from tests.people import Person, add_fan, connect, make_person
from tests.servers import empty_redis, free_port, is_up, wait_until


class Watcher:
    """What live.js does, in Python: joins, replays, drops what it has, asks again on a gap; it never asks by itself."""

    def __init__(self, url: str, cookie: str, kind: str, room_id: int, after: int) -> None:
        self.kind, self.id, self.last, self.seen, self.html = kind, room_id, after, [], {}
        self.client = socketio.Client(reconnection=False)
        self.client.on("news", self._take)
        self.client.connect(url, transports=["websocket"], headers={"Cookie": cookie})

    def watch(self) -> dict:
        wish = {"kind": self.kind, "id": self.id, "after": self.last}
        answer = self.client.call("watch", wish, timeout=5)
        for item in answer.get("items", []):
            self._apply(item)
        self.last = max(self.last, answer.get("upto", 0))
        return answer

    def _take(self, news: dict) -> None:
        if news.get("seq", self.last + 1) <= self.last:
            return
        if "html" not in news:
            self.watch()
        else:
            self.last = news["seq"]
            self._apply(news)

    def _apply(self, item: dict) -> None:
        self.seen.append(item["id"])
        self.html[item["id"]] = item["html"]


@pytest.fixture(scope="module")
def web_processes() -> Iterator[dict[str, tuple[str, subprocess.Popen]]]:
    started: dict[str, tuple[str, subprocess.Popen]] = {}
    yield started
    for _, process in started.values():
        process.terminate()
        process.wait(10)


@pytest.fixture
def web(app, valkey_url: str, web_processes) -> str:
    """A web process on the same database and Redis as the test's own application."""
    database = app.config["SQLALCHEMY_DATABASE_URI"]
    if database not in web_processes:
        web_processes[database] = start_web(app, database, valkey_url)
    return web_processes[database][0]


def start_web(app, database: str, valkey_url: str) -> tuple[str, subprocess.Popen]:
    port = free_port()
    settings = {
        "DATABASE_URL": database,
        "REDIS_URL": valkey_url,
        "SECRET_KEY": app.config["SECRET_KEY"],
        "GREENROOM_INSTANCE": str(app.config["INSTANCE"]),
        "PORT": str(port),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "wsgi:app"],
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: is_up(f"{url}/healthz"), seconds=20)
    return url, process


def cookie_of(person: Person) -> str:
    browser = person.browser()
    return f"greenroom={browser.get_cookie('greenroom').value}"


@pytest.fixture
def thread(ada: Person, sandbox) -> int:
    connect(ada, sandbox.url)
    return ada.post("/api/crm/conversations", {"fanId": add_fan(ada)["id"]})["id"]


def post(ada: Person, thread: int, text: str) -> int:
    return ada.post(f"/api/crm/conversations/{thread}/messages", {"text": text}, 202)["id"]


def test_every_watcher_hears_every_message_once_and_in_order(ada: Person, web: str, thread: int):
    cookie = cookie_of(ada)
    watchers = [Watcher(web, cookie, "thread", thread, 0) for _ in range(3)]
    inbox = Watcher(web, cookie, "inbox", 0, 0)
    for each in (*watchers, inbox):
        each.watch()
    ids = [post(ada, thread, f"<b>line</b> {number}") for number in range(10)]
    for each in watchers:
        wait_until(lambda each=each: len(each.seen) >= 10)
        assert each.seen == ids
        assert "&lt;b&gt;line&lt;/b&gt; 3" in each.html[ids[3]], "escaped"
        each.client.disconnect()
    wait_until(lambda: thread in inbox.html)
    inbox.client.disconnect()


def test_one_who_was_away_gets_what_was_missed_once(ada: Person, web: str, thread: int):
    first = post(ada, thread, "before")
    watcher = Watcher(web, cookie_of(ada), "thread", thread, 0)
    assert watcher.watch()["upto"] == 1
    watcher.client.disconnect()
    missed = [post(ada, thread, f"missed {number}") for number in range(3)]
    back = Watcher(web, cookie_of(ada), "thread", thread, watcher.last)
    back.watch()
    back.watch()
    assert watcher.seen == [first]
    assert back.seen == missed
    back.client.disconnect()


def test_a_watcher_whom_redis_forgot_hears_at_once_all_the_same(ada: Person, web: str, thread: int, valkey_url: str):
    watcher = Watcher(web, cookie_of(ada), "thread", thread, 0)
    watcher.watch()
    empty_redis(valkey_url)
    message_id = post(ada, thread, "hello")
    wait_until(lambda: watcher.seen == [message_id], seconds=3)
    assert "hello" in watcher.html[message_id]
    watcher.client.disconnect()


def test_who_missed_the_last_news_of_a_room_is_told_so_without_asking(app, ada: Person, web: str, thread: int):
    """As of a process that dies between its commit and telling of it, and of Redis when it drops an event."""
    heard = post(ada, thread, "heard")
    watchers = [
        Watcher(web, cookie_of(ada), kind, room_id, after)
        for kind, room_id, after in (("thread", thread, 0), ("inbox", 0, 1))
    ]
    for each in watchers:
        each.watch()
    with app.app_context(), write():
        message, _never_told = queue_reply(ada.account_id, thread, Draft(text="not told"))
        message_id = message.id
    of_thread, of_inbox = watchers
    wait_until(lambda: of_thread.seen == [heard, message_id] and of_inbox.seen == [thread], seconds=20)
    for each in watchers:
        each.client.disconnect()


def test_a_long_absence_is_answered_in_parts_that_arrive_on_a_bad_line(ada: Person, web: str, thread: int):
    ids = [post(ada, thread, str(number)) for number in range(live.MOST_AT_ONCE + 5)]
    watcher = Watcher(web, cookie_of(ada), "thread", thread, 0)
    assert watcher.watch()["more"] is True
    assert watcher.seen == ids[: live.MOST_AT_ONCE]
    assert watcher.watch()["more"] is False
    assert watcher.seen == ids
    watcher.client.disconnect()


def test_what_was_committed_while_joining_is_in_the_answer(app, ada: Person, thread: int):
    with app.app_context():
        assert rooms.newest_seq(ada.account_id, "thread", thread)[1] == 0
        with ThreadPoolExecutor() as elsewhere:
            message_id = elsewhere.submit(post, ada, thread, "in between").result()
        answer = live.catch_up(ada.account_id, "thread", thread, 0)
    assert [item["id"] for item in answer["items"]] == [message_id]


def test_what_is_known_no_longer_asks_for_a_reload(app, ada: Person, web: str, thread: int):
    from sqlalchemy import delete

    from app.conversations.models import RoomEvent
    from app.database import write

    for number in range(3):
        post(ada, thread, str(number))
    with app.app_context(), write() as session:
        session.execute(delete(RoomEvent).where(RoomEvent.seq == 1))
    watcher = Watcher(web, cookie_of(ada), "thread", thread, 0)
    assert watcher.watch()["reload"] is True
    watcher.client.disconnect()


def test_a_deleted_fan_leaves_the_lists_and_the_unread_number_of_everybody(app, ada: Person, web: str, thread: int):
    with app.app_context():
        triage.change(ada.account_id, thread, triage.UNREAD)
    inbox = Watcher(web, cookie_of(ada), "inbox", 0, 0)
    assert inbox.watch()["items"][0]["unreadTotal"] == 1
    fan = ada.get("/api/crm/conversations")["conversations"][0]["fanId"]
    assert ada.call("DELETE", f"/api/crm/fans/{fan}").status_code == 204
    wait_until(lambda: inbox.html[thread] is None, seconds=3)
    late = Watcher(web, cookie_of(ada), "inbox", 0, inbox.last - 1)
    gone = {"kind": "conversation", "id": thread, "html": None, "unreadTotal": 0}
    assert late.watch()["items"] == [gone]
    for each in (inbox, late):
        each.client.disconnect()


def test_a_fan_who_is_called_otherwise_is_so_in_everybody_s_list(ada: Person, web: str, thread: int):
    inbox = Watcher(web, cookie_of(ada), "inbox", 0, 0)
    inbox.watch()
    fan, number = ada.get("/api/crm/conversations")["conversations"][0]["fanId"], len(inbox.seen)
    ada.put(f"/api/crm/fans/{fan}", {"notes": "Of no concern to a list."})
    ada.put(f"/api/crm/fans/{fan}", {"name": "Renamed"})
    wait_until(lambda: "<bdi>Renamed</bdi>" in inbox.html.get(thread, ""), seconds=3)
    assert len(inbox.seen) == number + 1
    inbox.client.disconnect()


def test_watchers_are_told_of_another_version_of_the_fan_and_of_none_that_they_were_told_of(
    ada: Person, web: str, thread: int
):
    watcher, told = Watcher(web, cookie_of(ada), "thread", thread, 0), []
    watcher.client.on("fan", told.append)
    first = watcher.watch()["fan"]
    fan = ada.get("/api/crm/conversations")["conversations"][0]["fanId"]
    ada.put(f"/api/crm/fans/{fan}", {"name": "Renamed"})
    changed = watcher.watch()["fan"]
    assert changed != first
    wait_until(lambda: [each["version"] for each in told][-1:] == [changed], seconds=10)
    number = len(told)
    time.sleep(6)
    assert len(told) == number
    watcher.client.disconnect()


def test_a_thread_of_another_account_cannot_be_watched(app, ada: Person, eve: Person, web: str, thread: int):
    watcher = Watcher(web, cookie_of(eve), "thread", thread, 0)
    assert watcher.watch() == {"error": "no such room"}
    inbox = Watcher(web, cookie_of(eve), "inbox", 0, 0)
    inbox.watch()
    colleague = Watcher(web, cookie_of(make_person(app, "bob@example.com", "Ada's account")), "thread", thread, 0)
    colleague.watch()
    message = post(ada, thread, "secret")
    wait_until(lambda: message in colleague.seen)
    time.sleep(0.2)
    assert watcher.seen == inbox.seen == []
    for each in (watcher, inbox, colleague):
        each.client.disconnect()


def test_nobody_watches_without_signing_in(web: str):
    with pytest.raises(socketio.exceptions.ConnectionError):
        Watcher(web, "greenroom=nonsense", "inbox", 0, 0)


def test_nobody_watches_whose_role_does_not_see_the_inbox(app, ada: Person, web: str, thread: int):
    una = make_person(app, "una@example.com", "Ada's account", role="uploader")
    with pytest.raises(socketio.exceptions.ConnectionError):
        Watcher(web, cookie_of(una), "thread", thread, 0)


@pytest.mark.parametrize(
    "wish",
    [
        5,
        {},
        {"kind": "thread"},
        {"kind": "all", "id": 1, "after": 0},
        {"kind": "thread", "id": "x", "after": 0},
        {"kind": "thread", "id": 10**30, "after": 0},
    ],
)
def test_a_wish_that_makes_no_sense_is_answered_so(ada: Person, web: str, wish):
    watcher = Watcher(web, cookie_of(ada), "inbox", 0, 0)
    assert watcher.client.call("watch", wish, timeout=5) == {"error": "no such room"}
    watcher.client.disconnect()


def test_who_is_deactivated_stops_hearing_although_they_never_ask_again(app, ada: Person, web: str, thread: int):
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    watcher = Watcher(web, cookie_of(bob), "thread", thread, 0)
    watcher.watch()
    with app.app_context():
        people.deactivate(ada.account_id, bob.user_id)
    wait_until(lambda: not watcher.client.connected, seconds=20)
    post(ada, thread, "not for Bob")
    time.sleep(0.3)
    assert watcher.seen == []
