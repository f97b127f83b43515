"""Campaigns that write by themselves: to whom it happens, once or again, and to nobody else."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app import clock
from app.campaigns.automatic import turn_to_fans
from app.campaigns.models import Campaign, Recipient, Stay
from app.conversations.models import Message
from app.database import db, utcnow, write
from app.fans.models import Fan
from app.money.actions import record_transaction
from app.money.models import Transaction
from tests.campaigns.composer import change, change_thread, launch, ledger, make_due, press, send_all, shown, sweep_once
from tests.people import Person, add_fan

VIP = {"match": "all", "rules": [{"field": "tag", "op": "is", "value": "VIP"}]}


def look_again(ada: Person) -> None:
    """The seconds between two looks pass."""
    with ada.app.app_context(), write() as session:
        session.execute(update(Campaign).values(looked_at=utcnow() - timedelta(minutes=1)))
    send_all(ada)


def pass_days(ada: Person, days: float) -> None:
    """As if all that was done had been so many days ago."""
    span = timedelta(days=days)
    with ada.app.app_context(), write() as session:
        for recipient in session.scalars(select(Recipient)):
            recipient.created_at -= span
        for stay in session.scalars(select(Stay)):
            stay.began_at -= span
        for payment in session.scalars(select(Transaction)):
            payment.at -= span
        for campaign in session.scalars(select(Campaign)):
            campaign.started_at -= span


def subscribe(ada: Person, fan_id: int, when=None) -> None:
    with ada.app.app_context(), write():
        db.session.get_one(Fan, fan_id).subscribed_at = when or utcnow()


def buy(ada: Person, fan_id: int, kind: str = "message", number: int = 1, cents: int = 500) -> None:
    with ada.app.app_context(), write():
        fan, name = db.session.get_one(Fan, fan_id), f"t{fan_id}-{number}-{kind}"
        record_transaction(fan, transaction_id=name, kind=kind, gross_cents=cents, net_cents=None, at=utcnow())


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
    fan, subscriber, taken_back = (add_fan(ada, number)["id"] for number in (1, 2, 3))
    campaign = launch(browser, ada, audience="all", when="purchase", again_after_days="7")
    buy(ada, fan)
    buy(ada, taken_back, cents=-500)
    buy(ada, subscriber, "subscription")
    look_again(ada)
    assert ledger(ada, campaign) == {fan: ("sent", None)}
    buy(ada, fan, number=2)
    look_again(ada)
    assert len(statuses_of(ada, campaign)) == 1, "too early"
    pass_days(ada, 8)
    look_again(ada)
    assert times_written(ada, campaign) == {fan: 2}, "they have bought since"
    buy(ada, fan, number=3)
    pass_days(ada, 6.99)
    look_again(ada)
    assert times_written(ada, campaign) == {fan: 2}, "too early"
    pass_days(ada, 0.02)
    look_again(ada)
    assert times_written(ada, campaign) == {fan: 3}
    buy(ada, fan, number=4, cents=-500)
    pass_days(ada, 8)
    buy(ada, subscriber)
    look_again(ada)
    assert times_written(ada, campaign) == {fan: 3, subscriber: 1}, "another has bought, and not they"


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


def tag(ada: Person, fan_id: int, *tags: str) -> None:
    ada.put(f"/api/crm/fans/{fan_id}", {"tags": list(tags)})
    look_again(ada)


def switch_on_for_the_segment(browser: FlaskClient, ada: Person, **fields: str) -> int:
    segment = ada.post("/api/segments", {"name": "S", "rule": VIP})["id"]
    return launch(browser, ada, audience=f"segment:{segment}", when="segment", type="re-engagement", **fields)


def test_again_only_to_who_left_the_segment_and_came_back(browser: FlaskClient, ada: Person):
    stays, returns = add_fan(ada, 1)["id"], add_fan(ada, 2)["id"]
    campaign = switch_on_for_the_segment(browser, ada, again_after_days="7")
    tag(ada, stays, "VIP")
    tag(ada, returns, "VIP")
    assert len(statuses_of(ada, campaign)) == 2
    tag(ada, returns)
    tag(ada, returns, "VIP")
    assert len(statuses_of(ada, campaign)) == 2, "too early"
    pass_days(ada, 8)
    look_again(ada)
    assert times_written(ada, campaign) == {stays: 1, returns: 2}
    pass_days(ada, 8)
    look_again(ada)
    assert times_written(ada, campaign) == {stays: 1, returns: 2}


def times_written(ada: Person, campaign: int) -> dict[int, int]:
    with ada.app.app_context():
        of_it = select(Message.fan_id).where(Message.campaign_id == campaign)
        return dict(Counter(db.session.scalars(of_it)))


@pytest.mark.parametrize("again", ["", "7"])
def test_who_was_in_before_gets_it_once_they_have_left_and_come_back(browser: FlaskClient, ada: Person, again: str):
    back, forever = (add_fan(ada, number, tags=["VIP"])["id"] for number in (1, 2))
    campaign = switch_on_for_the_segment(browser, ada, again_after_days=again)
    pass_days(ada, 8)
    look_again(ada)
    assert times_written(ada, campaign) == {}, "nobody has come in"
    tag(ada, back)
    tag(ada, back, "VIP")
    assert times_written(ada, campaign) == {back: 1}
    assert ledger(ada, campaign)[forever] == ("skipped", "was_in_before")


def test_once_is_once_for_who_leaves_the_segment_and_comes_back(browser: FlaskClient, ada: Person):
    fan = add_fan(ada, 1)["id"]
    campaign = switch_on_for_the_segment(browser, ada)
    for tags in (["VIP"], [], ["VIP"]):
        tag(ada, fan, *tags)
    pass_days(ada, 100)
    look_again(ada)
    assert times_written(ada, campaign) == {fan: 1}


def test_each_time_is_each_time(browser: FlaskClient, ada: Person):
    fan = add_fan(ada, 1)["id"]
    campaign = switch_on_for_the_segment(browser, ada, again_after_days="0")
    assert "; each time" in browser.get(f"/campaigns/{campaign}").text
    for tags in (["VIP"], ["VIP"], [], ["VIP"]):
        tag(ada, fan, *tags)
    assert times_written(ada, campaign) == {fan: 2}


def test_one_that_has_ended_forgets_who_is_inside(browser: FlaskClient, ada: Person):
    fan = add_fan(ada, 1, tags=["VIP"])["id"]
    campaign = switch_on_for_the_segment(browser, ada)
    with ada.app.app_context():
        assert list(db.session.scalars(select(Stay.fan_id).where(Stay.campaign_id == campaign))) == [fan]
    press(browser, campaign, "cancel")
    with ada.app.app_context():
        assert not db.session.scalar(select(Stay).where(Stay.campaign_id == campaign))


def test_switched_off_what_waits_for_its_time_waits_on_and_ended_it_never_goes(browser: FlaskClient, ada: Person):
    fan, other = (add_fan(ada, number)["id"] for number in (1, 2))
    campaign = launch(browser, ada, audience="all", when="subscription", delay_from="30", delay_to="90")
    subscribe(ada, fan)
    look_again(ada)
    press(browser, campaign, "pause")
    make_due(ada)
    look_again(ada)
    assert statuses_of(ada, campaign) == ["queued"]
    press(browser, campaign, "resume")
    look_again(ada)
    assert statuses_of(ada, campaign) == ["sent"]
    subscribe(ada, other)
    look_again(ada)
    press(browser, campaign, "cancel")
    make_due(ada)
    look_again(ada)
    assert ledger(ada, campaign) == {fan: ("sent", None), other: ("cancelled", "The campaign was cancelled.")}
