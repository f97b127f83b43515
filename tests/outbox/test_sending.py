"""The outbox against the real platform's stand-in, over real HTTP."""

import threading
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from app import clock
from app.conversations import claims, delivery, outcomes
from app.conversations.models import Message, SendAttempt
from app.database import db, write
from app.platforms.models import Connection
from tests.people import Person, add_fan, connect
from tests.sending import drain, statuses
from tests.servers import Sandbox, wait_until


@pytest.fixture
def quick_retries(app, monkeypatch):
    monkeypatch.setitem(app.config, "SEND_BACKOFF_SECONDS", (0.05, 0.2))
    monkeypatch.setattr(outcomes, "LIMITED_SECONDS", (0.2, 0.2, 0.2))


def send(person: Person, fan: dict, text: str = "hello", **more) -> dict:
    return person.post("/api/onlyfans/messages/send", {"recipientId": fan["id"], "content": text} | more, 202)


def test_a_message_goes_out_once_with_its_key(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_once")
    queued = send(ada, add_fan(ada), "hello & <goodbye>")
    assert queued["status"] == "queued"
    assert queued["estimatedSendTime"]
    drain(app)
    drain(app)
    sends = sandbox.sends("acct_once")
    assert [(each["outcome"], each["text"]) for each in sends] == [("accepted", "hello & <goodbye>")]
    message = ada.get(f"/api/onlyfans/messages/{queued['messageId']}")
    assert message["status"] == "sent"
    assert message["platformMessageId"]
    assert message["sentAt"]
    assert [attempt["outcome"] for attempt in message["attempts"]] == ["sent"]


def test_never_more_than_the_pace_in_any_window_as_the_platform_sees_it(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_pace", pace=(5, 1))
    sandbox.faults(limit=5, windowSeconds=1, delaySeconds=0.05)
    for number in range(1, 12):
        send(ada, add_fan(ada, number))
    drain(app)
    assert sandbox.stats()["violations"] == 0
    received = sorted(each["receivedAt"] for each in sandbox.sends("acct_pace") if each["outcome"] == "accepted")
    assert len(received) == 11
    assert all(later - earlier > 1 for earlier, later in zip(received, received[5:], strict=False))


def test_two_drains_at_once_keep_the_pace_and_send_nothing_twice(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_two", pace=(10, 1))
    sandbox.faults(limit=10, windowSeconds=1)
    for number in range(1, 16):
        send(ada, add_fan(ada, number))
    drains = [threading.Thread(target=drain, args=(app,)) for _ in range(3)]
    for each in drains:
        each.start()
    for each in drains:
        each.join()
    assert sandbox.stats()["violations"] == 0
    assert [each["outcome"] for each in sandbox.sends("acct_two")] == ["accepted"] * 15
    assert statuses(app) == ["sent"] * 15


def test_a_reply_overtakes_a_campaign(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_over", pace=(10, 2))
    fans = [add_fan(ada, number) for number in range(1, 9)]
    bulk = {"recipientIds": [fan["id"] for fan in fans], "content": "campaign", "priority": 10}
    ada.post("/api/messages/bulk", bulk, 202)
    running = threading.Thread(target=drain, args=(app,))
    running.start()
    wait_until(lambda: sandbox.sends("acct_over"))
    send(ada, fans[0], "reply", priority=1)
    running.join()
    drain(app)
    sends = sandbox.sends("acct_over")
    texts = [each["text"] for each in sends]
    assert len(texts) == 9
    assert texts.index("reply") <= 3
    with app.app_context():
        of_campaign = select(SendAttempt.started_tick).where(SendAttempt.of_campaign.is_(True)).order_by(SendAttempt.id)
        starts = db.session.scalars(of_campaign).all()
    spacing = 2 * clock.SECOND // 10
    assert all(later - earlier >= spacing for earlier, later in pairwise(starts)), "evenly spaced"


def test_a_refusal_is_final_says_the_platforms_words_and_holds_up_nobody(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_refuse")
    sandbox.faults(refuse=1)
    refused = send(ada, add_fan(ada, 1))
    drain(app)
    message = ada.get(f"/api/onlyfans/messages/{refused['messageId']}")
    assert message["status"] == "failed"
    assert "Cannot send message" in message["statusReason"]
    assert ada.get("/api/onlyfans/messages/failed")["total"] == 1

    sandbox.faults()
    send(ada, add_fan(ada, 2))
    assert ada.post(f"/api/onlyfans/messages/{refused['messageId']}/retry", status=202)["status"] == "queued"
    assert ada.call("POST", f"/api/onlyfans/messages/{refused['messageId']}/retry").status_code == 409
    drain(app)
    assert statuses(app) == ["sent", "sent"]


@pytest.mark.usefixtures("quick_retries")
def test_an_unreachable_platform_costs_nothing_but_time(app, ada: Person, sandbox: Sandbox):
    connection_id = connect(ada, "http://127.0.0.1:9", account="acct_gone")
    send(ada, add_fan(ada))
    drain(app)
    assert statuses(app) == ["failed"], "after the last try"
    with app.app_context():
        attempts = db.session.scalars(select(SendAttempt.outcome)).all()
        assert attempts == ["not_sent"] * outcomes.MOST_TRIES
        with write() as session:
            session.execute(update(Connection).where(Connection.id == connection_id).values(base_url=sandbox.url))
    failed = ada.get("/api/onlyfans/messages/failed")["messages"][0]
    ada.post(f"/api/onlyfans/messages/{failed['id']}/retry", status=202)
    drain(app)
    assert statuses(app) == ["sent"]


def test_a_lost_key_pauses_the_connection_and_the_messages_wait(app, ada: Person, sandbox: Sandbox):
    connection_id = connect(ada, sandbox.url, account="acct_expired")
    with app.app_context(), write() as session:
        session.get_one(Connection, connection_id).api_key = "sandbox-expired"
    send(ada, add_fan(ada))
    drain(app)
    assert statuses(app) == ["queued"]
    assert ada.get("/api/connections")["connections"][0]["status"] == "expired"
    assert ada.get("/api/onlyfans/messages/status")["health"] == "down"


def test_a_sender_that_died_after_the_platform_accepted_is_made_good_without_a_second_send(
    app, ada: Person, sandbox: Sandbox
):
    connect(ada, sandbox.url, account="acct_died")
    send(ada, add_fan(ada))
    with app.app_context():
        (claimed,), _ = claims.claim_due(1)
        (job,) = delivery.jobs_of([claimed])
        job.gateway.send(delivery._outgoing(job))  # and here the sender dies: nothing was written down
    drain(app)
    assert statuses(app) == ["sending"], "its lease still runs"
    with app.app_context(), write() as session:
        session.execute(update(Message).values(lease_tick=clock.now()))
        session.execute(update(Connection).values(due_tick=0))
    drain(app)
    assert statuses(app) == ["sent"]
    assert [each["outcome"] for each in sandbox.sends("acct_died")] == ["accepted"], "the chat told: no second call"


@pytest.mark.usefixtures("quick_retries")
def test_what_cannot_be_told_waits_for_a_person(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_unknown")
    sandbox.faults(error500=1)
    queued = send(ada, add_fan(ada))
    wait_until(lambda: drain(app) or statuses(app) == ["unknown"])
    settle = f"/api/onlyfans/messages/{queued['messageId']}/settle"
    assert ada.call("POST", settle, json={"outcome": "maybe"}).status_code == 400
    assert ada.post(settle, {"outcome": "not_sent"}, 200)["status"] == "failed"
    assert ada.call("POST", settle, json={"outcome": "sent"}).status_code == 409


def test_a_paid_message_carries_its_media_and_price(app, ada: Person, sandbox: Sandbox):
    import io

    connect(ada, sandbox.url, account="acct_paid")
    picture = (io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(64)), "a.png")
    medium = ada.call("POST", "/api/media", data={"file": picture}).json
    send(ada, add_fan(ada), "for you", priceCents=1234, mediaUrls=[medium["url"]])
    drain(app)
    assert [(each["outcome"], each["price"]) for each in sandbox.sends("acct_paid")] == [("accepted", 12.34)]


def test_messages_to_one_fan_keep_their_order(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_order")
    sandbox.faults(delaySeconds=0.02)
    fan = add_fan(ada)
    for number in range(8):
        send(ada, fan, f"line {number}")
    drain(app)
    assert [each["text"] for each in sandbox.sends("acct_order")] == [f"line {number}" for number in range(8)]


def test_each_of_a_fans_messages_follows_the_one_before_at_once(app, ada: Person, sandbox: Sandbox):
    """An answer and a claim that looks in the same moment must not miss each other."""
    connect(ada, sandbox.url, account="acct_pairs")
    for number in range(1, 7):
        fan = add_fan(ada, number)
        for line in range(2):
            send(ada, fan, f"{number} {line}")
        drain(app)
        assert statuses(app) == ["sent"] * 2 * number


def test_do_not_message_and_unlinked_fans_are_refused_with_the_reason(ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url)
    silent, unlinked = add_fan(ada, 1, doNotMessage=True), add_fan(ada, 2, platformFanId=None)
    for fan, reason in ((silent, "do not message"), (unlinked, "not linked")):
        answer = ada.call("POST", "/api/onlyfans/messages/send", json={"recipientId": fan["id"], "content": "x"})
        assert answer.status_code == 409
        assert reason in answer.json["detail"]


def test_the_forecast_is_right_to_within_one_spacing(app, ada: Person, sandbox: Sandbox):
    from datetime import datetime

    connect(ada, sandbox.url, account="acct_cast", pace=(2, 2))
    fans = [add_fan(ada, number)["id"] for number in range(1, 4)]
    bulk = ada.post("/api/messages/bulk", {"recipientIds": fans, "content": "x"}, 202)
    drain(app)
    last = sandbox.sends("acct_cast")[-1]["receivedAt"]
    assert abs(datetime.fromisoformat(bulk["estimatedCompletionTime"]).timestamp() - last) < 1
