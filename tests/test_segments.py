"""Rules over fans: each condition with a fan on either side of it, and groups of them."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from app.accounts.models import Account
from app.conversations.models import Conversation
from app.database import utcnow, write
from app.errors import Invalid
from app.fans.models import Fan
from app.money.actions import record_transaction, refresh_spends
from app.money.models import Transaction
from app.segments import glancing, queries
from app.segments.ready_made import READY_MADE
from app.segments.rules import EVERYBODY, FIELDS, OPS, as_json, parse
from tests.people import Person, add_fan, connect
from tests.sending import drain


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """However busy the machine is."""
    monkeypatch.setattr(glancing, "ROUGHLY_SECONDS", 60)


@pytest.fixture
def fans(app, ada: Person, eve: Person, sandbox) -> dict[str, int]:
    """`in` and `out`: one on each side of every condition below; Eve's fan, who is never found."""
    connect(ada, sandbox.url)
    values = {"tags": ["VIP"], "valueCents": 50_000, "subscriptionStatus": "Expired", "notes": "Likes Jazz"}
    inside = add_fan(ada, 1, name="Zoë", email="zoe@example.com", **values)["id"]
    outside = add_fan(ada, 2, name="Bob", valueCents=100, subscriptionStatus="active")["id"]
    add_fan(eve, 1, name="Zoë", email="zoe@example.com", **values)
    now = utcnow()
    with app.app_context(), write() as session:
        session.execute(
            update(Fan)
            .where(Fan.id == inside)
            .values(
                last_seen_at=now - timedelta(days=20), subscribed_at=now - timedelta(days=40),
                custom={"Size": "Large", "Age": " 41.5"},
                subscription_ends_at=now + timedelta(days=3), timezone="Europe/Paris", created_at=now - timedelta(days=9),
                phone="+1 555 0100", import_id=77,
            )
        )  # fmt: skip
        for fan_id, kind, cents, days in ((inside, "tip", 3_000, 5), (inside, "message", 9_000, 50)):
            fan = session.get_one(Fan, fan_id)
            key = f"{kind}{days}"
            at = now - timedelta(days=days)
            record_transaction(fan, transaction_id=key, kind=kind, gross_cents=cents, net_cents=None, at=at)
    return {"in": inside, "out": outside}


def found(ada: Person, rule: Any) -> set[int]:
    with ada.app.app_context():
        read = parse(rule)
        number, first = queries.look(ada.account_id, read, 10)
        assert queries.count_fans(ada.account_id, read) == number == len(first)
        estimated = glancing.estimate(ada.account_id, read, 10)
        assert (estimated.number, estimated.first) == (number, first)  # of so few fans a sample has all
        return {fan.id for fan in first}


def only(field: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    said = {"field": field, "op": op, **more}
    return {"match": "all", "rules": [said if value is None else said | {"value": value}]}


@pytest.mark.parametrize(
    "rule",
    [
        only("tag", "is", "vip"),
        only("spend", "atLeast", 12_000),
        only("spend", "atLeast", 3_000, days=30),
        only("spend", "atLeast", 9_000, kind="message"),
        only("spend", "atLeast", 3_000, kind="tip", days=10),
        only("topSpend", "is", 1),
        only("lastPurchase", "inLast", 7),
        only("lastPurchase", "isSet"),
        only("lastSeen", "beforeLast", 14),
        only("lastSeen", "isSet"),
        only("subscriptionStatus", "is", "EXPIRED"),
        only("subscriptionStatus", "contains", "expir"),
        only("subscribedAt", "beforeLast", 30),
        only("subscriptionEnds", "inNext", 7),
        only("subscriptionEnds", "inNext", 80, unit="hours"),
        only("added", "beforeLast", 7),
        only("phone", "contains", "555"),
        only("platformFanId", "is", "100000001"),
        only("file", "is", 77),
        only("name", "is", "zoe"),
        only("name", "contains", "ZO"),
        only("handle", "is", "@FAN1"),
        only("email", "is", "ZOE@example.com"),
        only("email", "isSet"),
        only("notes", "contains", "jazz"),
        only("timezone", "is", "europe/paris"),
        only("custom", "is", "large", name="Size"),
        only("custom", "isSet", name="Size"),
        only("custom", "atLeast", 41.5, name="Age"),
        only("custom", "atMost", 41.5, name="Age"),
    ],
)
def test_a_condition_finds_the_one_and_none_of_it_the_other(ada: Person, fans: dict[str, int], rule: dict):
    assert found(ada, rule) == {fans["in"]}
    assert found(ada, rule | {"match": "none"}) == {fans["out"]}
    assert found(ada, rule | {"match": "any"}) == {fans["in"]}


@pytest.mark.parametrize(
    "rule",
    [
        only("tag", "isNot", "VIP"),
        only("spend", "atMost", 11_999),
        only("spend", "atMost", 2_999, days=30),
        only("spend", "atMost", 0, kind="tip"),
        only("lastPurchase", "isNotSet"),
        only("lastSeen", "isNotSet"),
        only("name", "isNot", "Zoë"),
        only("email", "isNotSet"),
        only("custom", "isNot", "Large", name="Size"),
        only("file", "isNot", 77),
        only("phone", "isNotSet"),
    ],
)
def test_a_negative_condition_finds_also_those_of_whom_nothing_is_known(ada: Person, fans: dict[str, int], rule: dict):
    assert found(ada, rule) == {fans["out"]}
    assert found(ada, rule | {"match": "none"}) == {fans["in"]}


@pytest.mark.parametrize(
    ("value", "inside"),
    [
        ("18", True),
        ("-18.5", False),
        ("0018.0", True),
        ("17.9", False),
        ("18 or so", False),
        ("", False),
        ("1e9", False),
    ],
)
def test_a_field_of_ones_own_as_a_number_is_one_or_it_does_not_count(ada: Person, value: str, inside: bool):
    fan = add_fan(ada, 1)["id"]
    with ada.app.app_context(), write() as session:
        session.execute(update(Fan).where(Fan.id == fan).values(custom={"Age": value}))
    assert (found(ada, only("custom", "atLeast", 18, name="Age")) == {fan}) == inside
    assert not found(ada, only("custom", "atLeast", 18, name="Height"))


@pytest.mark.parametrize("field", ["lastSeen", "subscribedAt", "lastPurchase", "subscriptionEnds", "added", "changed"])
def test_a_day_begins_by_the_clock_of_the_account(ada: Person, field: str):
    """In Auckland 1 October 2026 begins thirteen hours before it does in London: 11:00 UTC of the day before."""
    before, after = (add_fan(ada, number)["id"] for number in (1, 2))
    midnight = datetime(2026, 9, 30, 11, tzinfo=UTC)
    with ada.app.app_context(), write() as session:
        session.execute(update(Account).where(Account.id == ada.account_id).values(timezone="Pacific/Auckland"))
        for fan, moment in ((before, midnight - timedelta(seconds=1)), (after, midnight)):
            session.execute(update(Fan).where(Fan.id == fan).values({COLUMNS[field]: moment}))
    assert found(ada, only(field, "since", "2026-10-01")) == {after}
    assert found(ada, only(field, "before", "2026-10-01")) == {before}


COLUMNS = {
    "lastSeen": "last_seen_at", "subscribedAt": "subscribed_at", "lastPurchase": "last_purchase_at",
    "subscriptionEnds": "subscription_ends_at", "added": "created_at", "changed": "updated_at",
}  # fmt: skip


def test_of_a_platform(ada: Person, fans: dict[str, int]):
    assert found(ada, only("platform", "is", "OnlyFans")) == set(fans.values())
    assert found(ada, only("platform", "isNot", "onlyfans")) == set()


def test_what_was_spent_on_each_kind_is_what_the_payments_of_it_add_up_to(ada: Person, fans: dict[str, int]):
    """A renewal is a subscription; what is taken back is a kind of its own."""
    paid = {"subscription": 300, "renewal": 400, "tip": 50, "refund": -50}
    with ada.app.app_context(), write() as session:
        fan = session.get_one(Fan, fans["out"])
        for kind, cents in paid.items():
            at = utcnow() - timedelta(days=3)
            record_transaction(fan, transaction_id=kind, kind=kind, gross_cents=cents, net_cents=None, at=at)
        assert fan.value_cents == 700
    for days in ({}, {"days": 30}):
        assert found(ada, only("spend", "atLeast", 700, kind="subscription", **days)) == {fans["out"]}
        assert found(ada, only("spend", "atLeast", 701, kind="subscription", **days)) == set()
        assert found(ada, only("spend", "atMost", 50, kind="tip", **days)) == {fans["out"]}
        assert found(ada, only("spend", "atMost", 49, kind="tip", **days)) == set()


@pytest.mark.parametrize("seed", range(5))
def test_what_was_spent_within_days_is_what_the_payments_of_these_add_up_to(ada: Person, seed: int):
    """Also where more was taken back than was paid within them, or as much."""
    dice, paid, now = random.Random(seed), list[tuple[int, int, int]](), utcnow()
    ids = [add_fan(ada, number)["id"] for number in range(1, 9)]
    with ada.app.app_context(), write() as session:
        for number, fan_id in enumerate(ids * 3):
            cents, days = dice.choice((1, 500, -500, -1, 0)), dice.choice((5, 89, 91, 200))
            record_transaction(
                session.get_one(Fan, fan_id), transaction_id=f"p{number}", kind="tip" if cents > 0 else "refund",
                gross_cents=cents, net_cents=None, at=now - timedelta(days=days),
            )  # fmt: skip
            paid.append((fan_id, cents, days))
    for waited in (0, 2, 60):
        if waited:
            _let_pass(ada, timedelta(days=waited))
            paid = [(fan_id, cents, days + waited) for fan_id, cents, days in paid]
        for within in (90, 300):
            spent = {each: sum(cents for fan, cents, days in paid if fan == each and days < within) for each in ids}
            for cents in (0, 1, 2, 500, 501):
                no_more = {fan for fan in ids if spent[fan] <= cents}
                as_much = {fan for fan in ids if cents == 0 or spent[fan] >= cents}
                assert found(ada, only("spend", "atMost", cents, days=within)) == no_more
                assert found(ada, only("spend", "atLeast", cents, days=within)) == as_much


def _let_pass(ada: Person, time: timedelta) -> None:
    """Everything was that much earlier, and nothing has happened since."""
    with ada.app.app_context(), write() as session:
        for payment in session.scalars(select(Transaction)):
            payment.at -= time
        for fan in session.scalars(select(Fan).where(Fan.last_paid_at.is_not(None))):
            fan.last_paid_at -= time


def test_what_was_paid_in_other_currencies_is_not_added_up(ada: Person):
    both, euros = (add_fan(ada, number)["id"] for number in (1, 2))
    with ada.app.app_context(), write() as session:
        for number, (fan_id, currency, cents) in enumerate(
            ((both, "USD", 500), (both, "EUR", 700), (euros, "EUR", 900))
        ):
            session.add(
                Transaction(
                    account_id=ada.account_id, platform_transaction_id=f"p{number}", kind="tip", gross_cents=cents,
                    at=utcnow() - timedelta(days=1), fan_id=fan_id, currency=currency,
                )
            )  # fmt: skip
        refresh_spends(ada.account_id, [both, euros])
    for rule in ({}, {"days": 30}, {"kind": "tip"}, {"kind": "tip", "days": 30}):
        for cents in (1, 500):
            assert found(ada, only("spend", "atLeast", cents, **rule)) == {both}, rule
        assert found(ada, only("spend", "atLeast", 501, **rule)) == set(), rule
        assert found(ada, only("spend", "atMost", 0, **rule)) == {euros}, rule


def test_flags(ada: Person, fans: dict[str, int]):
    stranger = ada.post("/api/crm/fans", {"name": "Not linked"})["id"]
    ada.put(f"/api/crm/fans/{fans['out']}", {"doNotMessage": True})
    assert found(ada, only("linked", "is", False)) == {stranger}
    assert found(ada, only("linked", "is", True)) == set(fans.values())
    assert found(ada, only("doNotMessage", "is", True)) == {fans["out"]}
    assert found(ada, only("doNotMessage", "is", False)) == {fans["in"], stranger}


def test_who_wrote_when_and_who_waits(app, ada: Person, fans: dict[str, int]):
    ada.post("/api/onlyfans/messages/send", {"recipientId": fans["out"], "content": "Hello"}, 202)
    waiting = ada.post("/api/crm/conversations", {"fanId": fans["in"]})["id"]
    with app.app_context(), write() as session:
        at = utcnow() - timedelta(hours=5)
        session.execute(
            update(Conversation).where(Conversation.id == waiting).values(waiting_since=at, fan_wrote_at=at)
        )
    assert found(ada, only("waiting", "is", True)) == {fans["in"]}
    assert found(ada, only("waiting", "is", False)) == {fans["out"]}
    assert found(ada, only("weWrote", "inLast", 1, unit="hours")) == {fans["out"]}
    assert found(ada, only("fanWrote", "beforeLast", 4, unit="hours")) == {fans["in"]}
    never_answered = [only("weWrote", "isSet"), only("fanWrote", "isNotSet")]
    assert found(ada, {"match": "all", "rules": never_answered}) == {fans["out"]}


def test_who_got_a_campaign(app, ada: Person, fans: dict[str, int]):
    sent = ada.post("/api/messages/bulk", {"recipientIds": [fans["in"]], "content": "x"}, 202)["campaignId"]
    assert found(ada, only("campaign", "got", sent)) == set(), "it has not gone out yet"
    drain(app)
    assert found(ada, only("campaign", "got", sent)) == {fans["in"]}
    assert found(ada, only("campaign", "notGot", sent)) == {fans["out"]}
    assert found(ada, only("campaign", "bought", sent)) == set()
    assert found(ada, only("campaign", "notBought", sent)) == set(fans.values())


def test_groups_in_groups_include_and_exclude(ada: Person, fans: dict[str, int]):
    either = {"match": "any", "rules": [*only("tag", "is", "VIP")["rules"], *only("name", "is", "Bob")["rules"]]}
    assert found(ada, either) == set(fans.values())
    but_not = {"match": "none", "rules": only("spend", "atLeast", 1_000)["rules"]}
    assert found(ada, {"match": "all", "rules": [either, but_not]}) == {fans["out"]}


def test_an_empty_rule_is_everybody_of_the_account(ada: Person, fans: dict[str, int]):
    for match in ("all", "any", "none"):
        assert found(ada, {"match": match, "rules": []}) == set(fans.values())
    assert as_json(EVERYBODY) == {"match": "all", "rules": []}


def test_every_ready_made_one_is_a_rule_that_can_be_asked_and_written_down(ada: Person, fans: dict[str, int]):
    for each in READY_MADE.values():
        assert parse(as_json(each.rule)) == each.rule
        found(ada, as_json(each.rule))
    assert found(ada, as_json(READY_MADE["expired"].rule)) == {fans["in"]}
    assert found(ada, as_json(READY_MADE["expiring"].rule)) == {fans["in"]}


def test_every_field_and_op_can_be_asked(ada: Person, fans: dict[str, int]):
    values = {
        "text": "x", "own": "x", "tag": "x", "money": 5, "moment": 3, "flag": True, "campaign": 1, "number": 2, "file": 1,
        "atLeast": 5, "atMost": 5, "since": "2026-10-01", "before": "2026-10-01",
    }  # fmt: skip
    for name, field in FIELDS.items():
        for op in OPS[field.sort]:
            more = {"name": 'It\'s "quoted".a[0]'} if name == "custom" else {}
            found(ada, only(name, op, values.get(op, values[field.sort]), **more))


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        (None, "rule"),
        ([], "rule"),
        ({"rules": {}}, "rule.rules"),
        ({"match": "some", "rules": []}, "rule.match"),
        ({"match": "all", "rules": [], "more": 1}, "rule.more"),
        ({"match": "all", "rules": [5]}, "rule.rules.0"),
        (only("size", "is", 1), "rule.rules.0.field"),
        ({"rules": [{"field": ["tag"]}]}, "rule.rules.0.field"),
        (only("tag", "contains", "x"), "rule.rules.0.op"),
        (only("tag", "is"), "rule.rules.0.value"),
        (only("tag", "is", " "), "rule.rules.0.value"),
        (only("tag", "is", "a\0b"), "rule.rules.0.value"),
        (only("spend", "atLeast", -1), "rule.rules.0.value"),
        (only("spend", "atLeast", True), "rule.rules.0.value"),
        (only("spend", "atLeast", 1.5), "rule.rules.0.value"),
        (only("spend", "atLeast", 1, days=0), "rule.rules.0.days"),
        (only("spend", "atLeast", 1, kind="gift"), "rule.rules.0.kind"),
        (only("lastSeen", "inLast", 0), "rule.rules.0.value"),
        (only("lastSeen", "inLast", 10**9), "rule.rules.0.value"),
        (only("lastSeen", "inLast", 1, unit="weeks"), "rule.rules.0.unit"),
        (only("lastSeen", "inLast", 1, days=3), "rule.rules.0.days"),
        (only("lastSeen", "before", 7), "rule.rules.0.value"),
        (only("lastSeen", "since", "2026-02-30"), "rule.rules.0.value"),
        (only("lastSeen", "since", "20261001"), "rule.rules.0.value"),
        (only("lastSeen", "inLast", "2026-10-01"), "rule.rules.0.value"),
        (only("custom", "atLeast", "18", name="Age"), "rule.rules.0.value"),
        (only("custom", "atMost", float("inf"), name="Age"), "rule.rules.0.value"),
        (only("custom", "is", 18, name="Age"), "rule.rules.0.value"),
        (only("file", "is", "june.csv"), "rule.rules.0.value"),
        (only("waiting", "is", "yes"), "rule.rules.0.value"),
        (only("campaign", "got", 2**70), "rule.rules.0.value"),
        (only("custom", "is", "x"), "rule.rules.0.name"),
        (only("name", "is", "x", name="y"), "rule.rules.0.name"),
        ({"rules": [only("tag", "is", "x")] * 101}, "rule"),
    ],
)
def test_what_is_no_rule_is_refused_by_its_place(ada: Person, rule: Any, place: str):
    with pytest.raises(Invalid) as refused:
        parse(rule)
    assert refused.value.errors[0][0] == place
    if isinstance(rule, dict):
        assert ada.call("POST", "/api/segments/count", json={"rule": rule}).status_code == 400


def test_groups_that_stand_too_deep_are_refused():
    rule: dict = {"rules": []}
    for _ in range(1000):
        rule = {"rules": [rule]}
    with pytest.raises(Invalid):
        parse(rule)


def test_the_api_keeps_changes_counts_and_removes(ada: Person, eve: Person, fans: dict[str, int]):
    rule = only("tag", "is", "VIP")
    answer = ada.call("POST", "/api/segments", json={"name": " Best ", "rule": rule})
    made = answer.json
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/api/segments/{made['id']}")
    assert (made["name"], made["rule"]) == ("Best", rule)
    assert ada.get("/api/segments")["segments"] == [made]
    assert ada.post("/api/segments/count", {"rule": made["rule"]}, 200) == {"count": 1}
    assert ada.call("POST", "/api/segments", json={"name": "BEST", "rule": rule}).status_code == 409
    changed = ada.put(f"/api/segments/{made['id']}", {"name": "Better"})
    assert (changed["name"], changed["rule"]) == ("Better", rule)
    assert ada.put(f"/api/segments/{made['id']}", {"rule": {"rules": []}})["rule"] == {"match": "all", "rules": []}
    assert ada.call("PUT", f"/api/segments/{made['id']}", json={"rule": {"rules": 1}}).status_code == 400
    assert eve.get("/api/segments") == {"segments": []}
    assert eve.call("DELETE", f"/api/segments/{made['id']}").status_code == 404
    assert ada.call("DELETE", f"/api/segments/{made['id']}").status_code == 204
    assert ada.call("GET", f"/api/segments/{made['id']}").status_code == 404
