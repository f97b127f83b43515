"""What people see of sending: a message's own page, the ones that need a person, what a killed sender left."""

import re
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import event, func, select, update

from app import clock
from app.conversations import claims, restarts
from app.conversations.models import Message, SendAttempt, Sender
from app.database import db, utcnow, write
from app.platforms.models import Connection
from tests.people import Person, add_fan, connect, make_person
from tests.sending import drain, statuses
from tests.servers import Sandbox, wait_until


def send(ada: Person, number: int = 1) -> int:
    body = {"recipientId": add_fan(ada, number)["id"], "content": f"to {number} <b>"}
    return ada.post("/api/onlyfans/messages/send", body, 202)["messageId"]


def status(ada: Person, message_id: int) -> str:
    return ada.get(f"/api/onlyfans/messages/{message_id}")["status"]


def press(browser, path: str, **fields: str):
    token = browser.get("/messages/onlyfans/failed").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    return browser.post(path, data={"csrf_token": token, **fields})


def test_a_message_has_a_page_that_tells_each_attempt(app, ada: Person, eve: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_page")
    message_id = send(ada)
    browser, path = ada.browser(), f"/messages/onlyfans/message/{message_id}"
    assert "It waits for its turn." in browser.get(path).text
    sandbox.faults(refuse=1)
    drain(app)
    page = browser.get(path).text
    assert "Cannot send message to this user" in page
    assert "Refused" in page
    assert "&lt;b&gt;" in page
    assert "Send again" in page
    assert eve.browser().get(path).status_code == 404


def test_an_unknown_message_is_settled_or_sent_again_by_a_person(app, ada: Person, sandbox: Sandbox, monkeypatch):
    monkeypatch.setitem(app.config, "SEND_BACKOFF_SECONDS", (0.01, 0.02))
    account = f"acct_settle_{time.time_ns()}"  # the sandbox remembers: a text found in a chat is taken for arrived
    connect(ada, sandbox.url, account=account)
    sandbox.faults(error500=1)
    first, second = send(ada, 1), send(ada, 2)
    wait_until(lambda: drain(app) or {status(ada, first), status(ada, second)} == {"unknown"})
    browser = ada.browser()
    listed = browser.get("/messages/onlyfans/failed").text
    assert listed.count("It did not: send again") == 2
    press(browser, f"/messages/onlyfans/message/{first}/settle", outcome="sent", **{"from": "list"})
    assert status(ada, first) == "sent"
    sandbox.faults()
    answer = press(browser, f"/messages/onlyfans/message/{second}/settle", outcome="send_again", **{"from": "message"})
    assert answer.location.endswith(f"/messages/onlyfans/message/{second}")
    wait_until(lambda: drain(app) or status(ada, second) == "sent")
    again = press(browser, f"/messages/onlyfans/message/{second}/settle", outcome="send_again")
    assert "Only an unknown message" in browser.get(again.location).text
    texts = [each["text"] for each in sandbox.sends(account) if each["outcome"] == "accepted"]
    assert texts == ["to 2 <b>"]


def test_the_restart_report_tells_what_a_killed_sender_had_in_flight(app, ada: Person, eve: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_restart")
    message_id = send(ada)
    with app.app_context():
        with write() as session:
            sender = Sender(host="box", pid=4711, seen_at=utcnow() - timedelta(minutes=1))
            session.add(sender)
            session.flush()
            app.extensions["greenroom_sender"] = sender.id
        claims.claim_due(1)  # and here it is killed
        app.extensions.pop("greenroom_sender")
    assert report(app, ada) == [("box", False, 1, 0, 1)]
    with app.app_context(), write() as session:
        session.execute(update(Message).values(lease_tick=clock.now()))
        session.execute(update(Connection).values(due_tick=0))
    drain(app)
    assert status(ada, message_id) == "sent"
    assert report(app, ada) == [("box", False, 1, 1, 0)]
    assert report(app, eve) == [("box", False, 0, 0, 0)], "another account's messages are not counted"
    page = ada.browser().get("/system").text
    assert "box, process 4711" in page
    assert "Killed" in page


def report(app, person: Person) -> list[tuple[str, bool, int, int, int]]:
    with app.app_context():
        ended = restarts.ended_senders(person.account_id)
        return [(each.sender.host, each.in_order, each.in_flight, each.went_on, each.being_settled) for each in ended]


def test_only_owners_see_the_system_page(app, ada: Person):
    chatter = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    assert ada.browser().get("/system").status_code == 200
    browser = chatter.browser()
    assert browser.get("/system").status_code == 403
    assert 'href="/system"' not in browser.get("/fans").text


def test_the_connection_page_keeps_reserve_and_cap_and_names_the_wrong_field(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, pace=(10, 60))
    browser = ada.browser()
    form = {
        "base_url": sandbox.url, "external_account": "acct_demo", "api_key": "sandbox-test", "pace_limit": "10",
        "pace_window_seconds": "60", "price_min": "3", "price_max": "200", "reserve": "10", "daily_cap": "",
    }  # fmt: skip
    page = press(browser, "/platforms/connect/onlyfans", **form)
    assert page.status_code == 400
    assert "keep back fewer" in page.text
    assert (
        press(browser, "/platforms/connect/onlyfans", **form | {"reserve": "3", "daily_cap": "500"}).status_code == 302
    )
    with app.app_context():
        kept = db.session.scalars(select(Connection)).one()
        assert (kept.reserve, kept.daily_cap) == (3, 500)
    assert "3 are kept for replies" in browser.get("/platforms/connect/onlyfans").text


def test_a_key_that_is_refused_is_said_to_be_so_until_the_right_one_comes(ada: Person, sandbox: Sandbox):
    browser, path = ada.browser(), "/platforms/connect/onlyfans"
    form = {
        "base_url": sandbox.url, "external_account": "acct_demo", "api_key": "wrong", "pace_limit": "10",
        "pace_window_seconds": "60", "price_min": "3", "price_max": "200", "reserve": "", "daily_cap": "",
    }  # fmt: skip
    assert re.search(r'<input[^>]*id="api_key"[^>]* required', browser.get(path).text)
    press(browser, path, **form)
    page = browser.get(path).text
    assert "Key refused" in page
    assert 'href="https://app.onlyfansapi.com/api-keys"' in page
    assert not {"Active", "Breaker", "Connected since"} & set(re.split(r"[<>]", page))
    assert not re.search(r'<input[^>]*id="api_key"[^>]* required', page)
    inbox = browser.get("/messages/onlyfans").text
    assert "shows here at once" not in inbox
    assert "The platform does not let Greenroom in" in inbox
    press(browser, path, **form | {"api_key": "sandbox-test"})
    page = browser.get(path).text
    assert "Key refused" not in page
    assert "Connected since" in page
    assert "shows here at once" in browser.get("/messages/onlyfans").text


def test_a_test_that_failed_is_said_until_one_goes_well(ada: Person, sandbox: Sandbox):
    connect(ada, "http://127.0.0.1:9")
    browser, path = ada.browser(), "/platforms/connect/onlyfans"
    press(browser, f"{path}/test")
    assert "Test failed" in browser.get(path).text
    connect(ada, sandbox.url)
    press(browser, f"{path}/test")
    assert "Test failed" not in browser.get(path).text


def test_what_was_paused_by_hand_goes_on_by_hand_alone(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, pace=(10, 60))
    browser, path = ada.browser(), "/platforms/connect/onlyfans"
    form = {
        "base_url": sandbox.url, "external_account": "acct_demo", "pace_limit": "10", "pace_window_seconds": "60",
        "price_min": "3", "price_max": "200", "reserve": "", "daily_cap": "",
    }  # fmt: skip

    def status() -> str:
        return ada.get("/api/connections")["connections"][0]["status"]

    press(browser, f"{path}/pause")
    for key in ("sandbox-test", "wrong", "sandbox-test"):
        press(browser, path, **form, api_key=key)
        assert status() == "paused"
        press(browser, f"{path}/test")
        assert status() == "paused"
    assert "Sending is still paused" in browser.get(path).text
    send(ada)
    drain(app)
    assert statuses(app) == ["queued"]
    press(browser, f"{path}/resume")
    assert status() == "active"
    drain(app)
    assert statuses(app) == ["sent"]


def test_when_the_platform_answered_last_is_found_by_an_index(app, ada: Person, sandbox: Sandbox):
    """However many attempts there were."""
    connect(ada, sandbox.url, account="acct_last")
    for number in (1, 2):
        send(ada, number)
        drain(app)
    asked: list[tuple[str, Any]] = []

    def note(_connection, _cursor, statement: str, values: Any, *_) -> None:
        if "answered_at" in statement:
            asked.append((statement, values))

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            said = ada.get("/api/onlyfans/messages/status")["lastProcessedAt"]
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        newest = db.session.scalar(select(func.max(SendAttempt.answered_at)))
        assert newest is not None
        assert said[:19] == newest.isoformat()[:19]
        plan = explained(*asked[-1])
        is_sqlite = db.engine.dialect.name == "sqlite"
    by_index = "(connection_id=? AND answered_tick>?)" if is_sqlite else "Scan Backward"
    assert "ix_send_attempts_connection_id_answered_tick" in plan
    assert by_index in plan
    assert "TEMP B-TREE" not in plan


def explained(statement: str, values: Any) -> str:
    if db.engine.dialect.name == "sqlite":
        return str(db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())
    with db.engine.connect() as connection:  # of a few rows, each way is as good as the other
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(
            "INSERT INTO send_attempts (account_id, connection_id, of_campaign, started_at, started_tick, answered_tick, detail)"
            " SELECT 1, mod(n, 3), false, now(), n, n, '' FROM generate_series(1, 20000) n"
        )
        connection.exec_driver_sql("ANALYZE send_attempts")
        found = str(connection.exec_driver_sql(f"EXPLAIN {statement}", values).all())
        connection.rollback()
        return found
