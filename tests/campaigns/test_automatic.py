"""Campaigns that write by themselves: to whom it happens, once or again, and to nobody else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import select, update

from app import clock
from app.campaigns.automatic import turn_to_fans
from app.campaigns.models import Campaign, Recipient
from app.conversations.models import Message
from app.database import db, utcnow, write
from app.fans.models import Fan
from app.money.actions import record_transaction
from tests.campaigns.composer import change, change_thread, launch, ledger, make_due, press, send_all, shown, sweep_once
from tests.people import Person, add_fan

VIP = {"match": "all", "rules": [{"field": "tag", "op": "is", "value": "VIP"}]}


def look_again(ada: Person) -> None:
    """The seconds between two looks pass."""
    with ada.app.app_context(), write() as session:
        session.execute(update(Campaign).values(looked_at=utcnow() - timedelta(minutes=1)))
    send_all(ada)


def pass_days(ada: Person, days: int) -> None:
    """As if all that a campaign did had been so many days ago."""
    with ada.app.app_context(), write() as session:
        earlier = utcnow() - timedelta(days=days)
        session.execute(update(Recipient).values(created_at=earlier))
        session.execute(update(Campaign).values(started_at=earlier - timedelta(days=1)))


def subscribe(ada: Person, fan_id: int, when=None) -> None:
    with ada.app.app_context(), write():
        db.session.get_one(Fan, fan_id).subscribed_at = when or utcnow()


def buy(ada: Person, fan_id: int, kind: str = "message", number: int = 1) -> None:
    with ada.app.app_context(), write():
        fan, name = db.session.get_one(Fan, fan_id), f"t{fan_id}-{number}-{kind}"
        record_transaction(fan, transaction_id=name, kind=kind, gross_cents=500, net_cents=400, at=utcnow())


def test_who_subscribes_is_welcomed_once(browser: FlaskClient, ada: Person):
    old, new, other = (add_fan(ada, number)["id"] for number in (1, 2, 3))
    subscribe(ada, old, utcnow() - timedelta(days=3))
    campaign = launch(browser, ada, audience="all", when="subscription", type="welcome")
    assert shown(ada, campaign)["status"] == "active"
    subscribe(ada, new)
    look_again(ada)
    assert ledger(ada, campaign) == {new: ("sent", None)}
    subscribe(ada, new)
    subscribe(ada, other)
    look_again(ada)
    assert ledger(ada, campaign) == {new: ("sent", None), other: ("sent", None)}
    assert shown(ada, campaign)["status"] == "active", "it waits for more"
    assert len(statuses_of(ada, campaign)) == 2


def statuses_of(ada: Person, campaign: int) -> list[str]:
    with ada.app.app_context():
        return list(db.session.scalars(select(Message.status).where(Message.campaign_id == campaign)))


def test_only_of_its_audience_and_by_its_guards(browser: FlaskClient, ada: Person, eve: Person):
    inside, outside, blocked = (add_fan(ada, n, tags=["VIP"] if n != 2 else []) for n in (1, 2, 3))
    ada.put(f"/api/crm/fans/{blocked['id']}", {"doNotMessage": True})
    theirs = add_fan(eve, 1, tags=["VIP"])["id"]
    campaign = launch(browser, ada, audience="tag:VIP", when="subscription")
    for fan in (inside["id"], outside["id"], blocked["id"], theirs):
        subscribe(ada, fan)
    look_again(ada)
    assert ledger(ada, campaign) == {inside["id"]: ("sent", None), blocked["id"]: ("skipped", "do_not_message")}


def test_who_comes_into_the_segment_gets_it_and_who_was_in_does_not(browser: FlaskClient, ada: Person):
    before, comes = add_fan(ada, 1, tags=["VIP"])["id"], add_fan(ada, 2)["id"]
    segment = ada.post("/api/segments", {"name": "S", "rule": VIP})["id"]
    campaign = launch(browser, ada, audience=f"segment:{segment}", when="segment", type="re-engagement")
    look_again(ada)
    assert ledger(ada, campaign) == {before: ("skipped", "was_in_before")}
    ada.put(f"/api/crm/fans/{comes}", {"tags": ["VIP"]})
    look_again(ada)
    assert ledger(ada, campaign)[comes] == ("sent", None)


def test_after_a_purchase_and_again_only_after_so_many_days(browser: FlaskClient, ada: Person):
    fan, subscriber = add_fan(ada, 1)["id"], add_fan(ada, 2)["id"]
    campaign = launch(browser, ada, audience="all", when="purchase", again_after_days="7")
    buy(ada, fan)
    buy(ada, subscriber, "subscription")
    look_again(ada)
    assert ledger(ada, campaign) == {fan: ("sent", None)}
    buy(ada, fan, number=2)
    look_again(ada)
    assert len(statuses_of(ada, campaign)) == 1, "too early"
    pass_days(ada, 8)
    look_again(ada)
    assert statuses_of(ada, campaign) == ["sent"] * 2, "they have bought since"
    pass_days(ada, 8)
    with ada.app.app_context(), write() as session:
        session.execute(update(Recipient).values(created_at=utcnow() + timedelta(seconds=1) - timedelta(days=7)))
    look_again(ada)
    assert len(statuses_of(ada, campaign)) == 2


def test_it_waits_a_random_while_and_not_for_who_writes_first(browser: FlaskClient, ada: Person):
    patient, writer = (add_fan(ada, number)["id"] for number in (1, 2))
    delay = {"delay_from": "30", "delay_to": "90"}
    campaign = launch(browser, ada, audience="all", when="subscription", stop_on_answer="y", **delay)
    subscribe(ada, patient)
    subscribe(ada, writer)
    look_again(ada)
    with ada.app.app_context():
        due = list(db.session.scalars(select(Message.due_tick)))
        minutes = [(tick - clock.now()) / clock.SECOND / 60 for tick in due if tick]
    assert len(minutes) == 2
    assert all(29 < each <= 90 for each in minutes)
    assert minutes[0] != minutes[1]
    change_thread(ada, writer, fan_wrote_at=utcnow() + timedelta(seconds=1))
    make_due(ada)
    look_again(ada)
    assert ledger(ada, campaign) == {patient: ("sent", None), writer: ("cancelled", "fan_answered")}


def test_switched_off_it_turns_to_nobody_and_on_again_to_those_meanwhile(browser: FlaskClient, ada: Person):
    fan = add_fan(ada, 1)["id"]
    campaign = launch(browser, ada, audience="all", when="subscription")
    press(browser, campaign, "pause")
    subscribe(ada, fan)
    look_again(ada)
    assert ledger(ada, campaign) == {}
    press(browser, campaign, "resume")
    look_again(ada)
    assert ledger(ada, campaign) == {fan: ("sent", None)}
    press(browser, campaign, "cancel")
    assert shown(ada, campaign)["status"] == "cancelled"


def test_two_workers_that_look_at_once_turn_to_a_fan_once(browser: FlaskClient, ada: Person):
    fans = [add_fan(ada, number)["id"] for number in range(1, 6)]
    campaign = launch(browser, ada, audience="all", when="subscription")
    for fan in fans:
        subscribe(ada, fan)

    def look() -> int:
        with ada.app.app_context():
            return turn_to_fans(campaign)

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: look(), range(4))) == 5
    sweep_once(ada)
    change(ada, campaign, looked_at=utcnow())
    send_all(ada)
    assert statuses_of(ada, campaign) == ["sent"] * 5


def test_after_so_many_messages_it_turns_to_nobody_else(browser: FlaskClient, ada: Person):
    fans = [add_fan(ada, number)["id"] for number in range(1, 5)]
    campaign = launch(browser, ada, audience="all", when="subscription", at_most="2")
    subscribe(ada, fans[0])
    look_again(ada)
    for fan in fans[1:3]:
        subscribe(ada, fan)
    look_again(ada)
    subscribe(ada, fans[3])
    look_again(ada)
    found = ledger(ada, campaign)
    assert sorted(found.values(), key=str) == [("sent", None), ("sent", None), ("skipped", "beyond_limit")]
    assert fans[3] not in found
