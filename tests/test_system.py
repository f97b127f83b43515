"""The system page: how everything stands, for owners, and nothing of other accounts."""

import os
import re
from datetime import timedelta

import pytest
import redis
from apiflask import APIFlask
from rq.registry import FailedJobRegistry

from app import background, restored
from app.background import Task
from app.database import db, utcnow, write
from app.extensions import get_redis
from app.restored import Restore
from tests.people import Person, add_fan, connect, make_person


def break_down(number: int) -> None:
    raise RuntimeError(f"a fan wrote: secret words {number}")


@pytest.fixture
def breaking(monkeypatch):
    monkeypatch.setitem(background.TASKS, "break_down", Task("links", "tests.test_system.break_down", 10))


def work(app: APIFlask) -> None:
    """As a worker does, until nothing waits."""
    background.make_worker(app, ("links",)).work(burst=True)


def page(person: Person) -> str:
    answer = person.browser().get("/system")
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def press(person: Person, job_id: str, deed: str):
    browser = person.browser()
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/system").text)
    assert token
    data = {"csrf_token": token[1], "job": job_id}
    return browser.post(f"/system/jobs/{deed}", data=data, follow_redirects=True)


def failed(app: APIFlask) -> list[background.FailedJob]:
    with app.app_context():
        return background.failed_jobs()


def test_it_names_queues_workers_versions_and_disk(app, ada: Person):
    with app.app_context():
        background.report_alive(("sending", "links"))
    told = page(ada)
    assert f"process {os.getpid()}" in told
    assert "Sending, links" in told
    for word in ("Incoming", "Migration 00", "Flask", "Free", "No job has failed"):
        assert word in told, word


def test_it_shows_ones_own_connections_only(app, ada: Person, eve: Person):
    connect(ada, "http://127.0.0.1:9", account="acct_of_ada")
    connect(eve, "http://127.0.0.1:9", account="acct_of_eve")
    fan = add_fan(ada)
    ada.post("/api/onlyfans/messages/send", {"recipientId": fan["id"], "content": "hello"}, 202)
    told = page(ada)
    assert "acct_of_ada" in told
    assert "Waiting 1, the oldest for" in told
    assert "acct_of_eve" not in told


def test_a_failed_job_is_shown_with_its_request_and_not_with_its_text(app, ada: Person, breaking):
    with app.test_request_context("/x", headers={"X-Request-ID": "the-request"}):
        app.preprocess_request()
        background.later("break_down", 7)
    work(app)
    (job,) = failed(app)
    assert (job.task, job.ids, job.error, job.request_id) == ("break_down", (7,), "RuntimeError", "the-request")
    told = page(ada)
    assert "break_down 7" in told
    assert "the-request" in told
    assert "secret words" not in told


def test_what_fails_again_and_again_is_kept_once(app, ada: Person, breaking):
    for number in (7, 7, 8, 7):
        with app.app_context():
            background.later("break_down", number)
        work(app)
    assert sorted(job.ids for job in failed(app)) == [(7,), (8,)]


def test_a_failed_job_is_retried_and_is_gone_once_it_went_well(app, ada: Person, breaking, monkeypatch):
    with app.app_context():
        background.later("break_down", 7)
    work(app)
    (job,) = failed(app)
    assert "in line again" in press(ada, job.id, "retry").text
    assert failed(app) == []
    work(app)
    assert [each.id for each in failed(app)] == [job.id]
    monkeypatch.setattr("tests.test_system.break_down", lambda number: None)
    with app.app_context():
        background.later("break_down", 7)
    work(app)
    assert failed(app) == []


def test_a_failed_job_is_discarded(app, ada: Person, breaking):
    with app.app_context():
        background.later("break_down", 7)
    work(app)
    (job,) = failed(app)
    assert "was forgotten" in press(ada, job.id, "discard").text
    assert failed(app) == []
    assert "no longer there" in press(ada, job.id, "discard").text


@pytest.mark.parametrize("role", ["manager", "chatter", "viewer"])
def test_who_is_no_owner_may_neither_see_nor_retry(app, ada: Person, breaking, role: str):
    with app.app_context():
        background.later("break_down", 7)
    work(app)
    other = make_person(app, f"{role}@example.com", "Ada's account", role).browser()
    token = re.search(r'name="csrf_token" value="([^"]+)"', other.get("/fans").text)
    assert other.get("/system").status_code == 403
    data = {"csrf_token": token[1] if token else "", "job": failed(app)[0].id}
    assert other.post("/system/jobs/discard", data=data).status_code == 403
    assert len(failed(app)) == 1


def test_without_redis_the_page_says_so(app, ada: Person, monkeypatch):
    browser = ada.browser()
    monkeypatch.setitem(app.extensions, "greenroom_redis", redis.Redis(unix_socket_path="/nowhere.sock"))
    answer = browser.get("/system")
    assert answer.status_code == 200
    assert "Redis does not answer" in answer.text


def test_a_low_disk_is_said(app, ada: Person, monkeypatch):
    monkeypatch.setattr("app.operations.standing.LOW_DISK", 1.1)
    assert "The disk is nearly full" in page(ada)


def test_a_restore_is_said(app, ada: Person):
    with app.app_context(), write() as session:
        session.add(Restore(taken_at=utcnow() - timedelta(hours=1), restored_at=utcnow()))
    assert "This database was restored on" in page(ada)


def test_a_connection_resumed_right_after_a_restore_waits_for_its_window(app, ada: Person):
    with app.app_context():
        assert restored.quiet_until(60) is None
        with write() as session:
            session.add(Restore(taken_at=utcnow(), restored_at=utcnow()))
        assert restored.quiet_until(60) is not None
        assert restored.quiet_until(0) is None
        db.session.remove()
        assert FailedJobRegistry("links", connection=get_redis()).count == 0
