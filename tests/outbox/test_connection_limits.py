"""What a connection may have beside its pace: a reserve for replies, a daily cap, a slower speed, a breaker."""

import time
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from app import clock
from app.clock import SECOND
from app.conversations import claims, delivery, forecast, outbox, outcomes
from app.conversations.models import Message, SendAttempt
from app.database import db, write
from app.platforms import condition
from app.platforms.condition import Breaker
from app.platforms.models import Connection
from tests.people import Person, add_fan, connect
from tests.sending import drain, statuses
from tests.servers import Sandbox, wait_until


def change(app, **values) -> None:
    with app.app_context(), write() as session:
        session.execute(update(Connection).values(due_tick=0, **values))


def connection(app) -> Connection:
    with app.app_context():
        found = db.session.scalars(select(Connection)).one()
        db.session.expunge(found)
        return found


def now(app) -> int:
    with app.app_context():
        return clock.now()


def reply(ada: Person, fan: dict) -> int:
    body = {"recipientId": fan["id"], "content": "hello"}
    return ada.post("/api/onlyfans/messages/send", body, 202)["messageId"]


def test_a_reserve_spaces_campaigns_further_apart_and_leaves_room_for_replies(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_reserve", pace=(4, 1))
    change(app, reserve=2)
    fans = [add_fan(ada, number) for number in range(1, 5)]
    ada.post("/api/messages/bulk", {"recipientIds": [fan["id"] for fan in fans], "content": "x"}, 202)
    drain(app)
    with app.app_context():
        starts = db.session.scalars(select(SendAttempt.started_tick).order_by(SendAttempt.id)).all()
    assert len(starts) == 4
    assert all(later - earlier >= SECOND // 2 for earlier, later in pairwise(starts))


def test_a_daily_cap_stops_all_until_midnight_in_the_accounts_zone(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_cap")
    change(app, daily_cap=2)
    waiting = [reply(ada, add_fan(ada, number)) for number in range(1, 5)]
    drain(app)
    assert statuses(app) == ["sent", "sent", "queued", "queued"]
    with app.app_context():
        midnight = forecast.send_time(db.session.get_one(Message, waiting[-1]))
    assert midnight is not None
    assert (midnight.hour, midnight.minute) == (0, 0)
    assert midnight > datetime.now(UTC)
    change(app, cap_day="2020-01-01")  # the count was another day's
    drain(app)
    assert statuses(app) == ["sent"] * 4


def test_a_429_slows_the_connection_and_time_brings_its_pace_back(app, ada: Person, sandbox: Sandbox, monkeypatch):
    monkeypatch.setattr(outcomes, "LIMITED_SECONDS", (0.1,))
    connect(ada, sandbox.url, account="acct_slow", pace=(10, 2))
    sandbox.faults(error429=1)
    reply(ada, add_fan(ada))
    with app.app_context():
        (claimed,), _ = claims.claim_due(1)
        delivery.deliver(*delivery.jobs_of([claimed]))
    slowed = connection(app)
    assert condition.speed_percent(slowed, slowed.slowed_tick) == 50
    assert condition.speed_percent(slowed, slowed.slowed_tick + SECOND) == 75
    assert condition.speed_percent(slowed, slowed.slowed_tick + 2 * SECOND) == 100
    assert slowed.held_tick > slowed.slowed_tick
    assert ada.get("/api/onlyfans/messages/status")["health"] == "degraded"
    assert "asked us to slow down" in ada.browser().get("/platforms/connect/onlyfans").text
    sandbox.faults()
    wait_until(lambda: drain(app) or statuses(app) == ["sent"])


def test_repeated_faults_open_the_breaker_then_one_call_at_a_time_tries(
    app, ada: Person, sandbox: Sandbox, monkeypatch
):
    monkeypatch.setitem(app.config, "SEND_BACKOFF_SECONDS", (0.01, 64))
    connect(ada, "http://127.0.0.1:9", account="acct_broken")
    for number in range(1, 9):
        reply(ada, add_fan(ada, number))
    drain(app)
    broken = connection(app)
    assert broken.faults_in_a_row >= condition.BREAKER_FAULTS
    assert condition.breaker_of(broken, now(app)) == Breaker.OPEN
    page = ada.browser().get("/platforms/connect/onlyfans").text
    assert "in a row failed" in page
    assert set(statuses(app)) == {"queued"}, "nothing failed, nothing is lost"

    change(app, held_tick=None, base_url=sandbox.url)
    assert condition.breaker_of(connection(app), now(app)) == Breaker.HALF_OPEN
    with app.app_context():
        first, _ = claims.claim_due(1)
        second, _ = claims.claim_due(1)
    assert (len(first), len(second)) == (1, 0), "one call tries, the others wait for it"
    with app.app_context():
        outbox._deliver(app, *delivery.jobs_of(first))
    assert condition.breaker_of(connection(app), now(app)) == Breaker.CLOSED
    change(app)
    wait_until(lambda: drain(app) or statuses(app) == ["sent"] * 8)


def test_calls_of_a_dead_sender_do_not_fill_the_window_for_ever(app, ada: Person, sandbox: Sandbox):
    account = f"acct_full_{time.time_ns()}"  # the sandbox remembers: a text found in a chat is taken for arrived
    connect(ada, sandbox.url, account=account, pace=(1, 1))
    reply(ada, add_fan(ada, 1))
    reply(ada, add_fan(ada, 2))
    with app.app_context():
        assert len(claims.claim_due(1)[0]) == 1  # and here its sender dies
        with write() as session:
            session.execute(update(Message).where(Message.status == "sending").values(lease_tick=clock.now()))
    change(app)
    wait_until(lambda: drain(app) or statuses(app) == ["sent", "sent"])
    assert sandbox.stats()["accounts"][account]["accepted"] == 2


def test_a_message_that_comes_back_into_a_cancelled_campaign_is_cancelled_too(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_cancelled")
    sandbox.faults(error429=1)
    body = {"recipientIds": [add_fan(ada)["id"]], "content": "x"}
    campaign = ada.post("/api/messages/bulk", body, 202)["campaignId"]
    with app.app_context():
        (claimed,), _ = claims.claim_due(1)
    ada.post(f"/api/campaigns/{campaign}/cancel", status=200)
    with app.app_context():
        delivery.deliver(*delivery.jobs_of([claimed]))
    metrics = ada.get(f"/api/campaigns/{campaign}")["metrics"]
    assert (metrics["cancelled"], metrics["queued"]) == (1, 0)


def test_work_whose_writer_died_before_it_rang_is_found(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_forgotten")
    reply(ada, add_fan(ada))
    with app.app_context():
        with write() as session:
            session.execute(update(Connection).values(due_tick=None))
        assert not outbox.is_needed()
        claims.find_forgotten()
        assert outbox.is_needed()
    drain(app)
    assert statuses(app) == ["sent"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"pace_limit": 10, "pace_window_seconds": 60}, "A campaign to 1,000 fans takes about 100 minutes."),
        ({"pace_limit": 600, "pace_window_seconds": 60}, "A campaign to 1,000 fans takes about 2 minutes."),
        ({"pace_limit": 1000, "pace_window_seconds": 1}, "A campaign to 1,000 fans takes less than a minute."),
        (
            {"pace_limit": 10, "pace_window_seconds": 60, "reserve": 4},
            "Campaigns use 6 of them; 4 are kept for replies.",
        ),
        ({"pace_limit": 10, "pace_window_seconds": 60, "daily_cap": 200}, "takes about 4 days."),
    ],
)
def test_the_page_says_what_a_pace_means(values: dict, said: str):
    made = Connection(account_id=1, base_url="", external_account="", api_key="", webhook_secret="", **values)
    assert said in condition.pace_in_words(made)
