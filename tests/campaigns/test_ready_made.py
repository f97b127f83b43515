"""The ready-made segments: of each, a fan on either side of every bound."""

from datetime import timedelta
from typing import Any

import pytest

from app.database import db, utcnow, write
from app.fans.models import Fan
from app.money.actions import record_transaction
from app.segments import queries
from app.segments.ready_made import READY_MADE
from tests.people import Person

MINUTE = timedelta(minutes=1)


def ago(**span: float) -> timedelta:
    return -timedelta(**span)


def ahead(**span: float) -> timedelta:
    return timedelta(**span)


SUBSCRIBED_LONG = {"subscribed_at": ago(days=30) - MINUTE}
INSIDE: dict[str, list[dict[str, Any]]] = {  # moments are from now
    "big-spenders": [{"value_cents": 50_000}],
    "spenders": [{"value_cents": 5_000}, {"value_cents": 49_999}],
    "small-spenders": [{"value_cents": 1}, {"value_cents": 4_999}],
    "never-paid": [{"value_cents": 0}, {}, {"value_cents": -500}],
    "new": [
        {"subscribed_at": ago(days=7) + MINUTE},
        {"subscribed_at": ago(minutes=1), "created_at": ago(days=90)},
        {"created_at": ago(days=7) + MINUTE},
    ],
    "expiring": [{"subscription_ends_at": ahead(minutes=1)}, {"subscription_ends_at": ahead(days=7) - MINUTE}],
    "expired": [{"subscription_status": "expired"}, {"subscription_status": "Expired"}],
    "silent-14": [{"last_seen_at": ago(days=14) - MINUTE}],
    "silent-30": [{"last_seen_at": ago(days=30) - MINUTE}],
    "never-bought": [SUBSCRIBED_LONG, SUBSCRIBED_LONG | {"value_cents": -500}],
}
OUTSIDE: dict[str, list[dict[str, Any]]] = {
    "big-spenders": [{"value_cents": 49_999}, {}],
    "spenders": [{"value_cents": 4_999}, {"value_cents": 50_000}],
    "small-spenders": [{"value_cents": 0}, {"value_cents": 5_000}],
    "never-paid": [{"value_cents": 1}],
    "new": [
        {"subscribed_at": ago(days=7) - MINUTE, "created_at": ago(minutes=1)},
        {"subscribed_at": ahead(hours=1), "created_at": ago(minutes=1)},
        {"created_at": ago(days=7) - MINUTE},
    ],
    "expiring": [{"subscription_ends_at": ago(minutes=1)}, {"subscription_ends_at": ahead(days=7) + MINUTE}, {}],
    "expired": [{"subscription_status": "active"}, {"subscription_ends_at": ago(days=1)}, {}],
    "silent-14": [{"last_seen_at": ago(days=14) + MINUTE}, {}],
    "silent-30": [{"last_seen_at": ago(days=30) + MINUTE}, {}],
    "never-bought": [
        {"subscribed_at": ago(days=30) + MINUTE},
        SUBSCRIBED_LONG | {"last_purchase_at": ago(days=300)},
        SUBSCRIBED_LONG | {"value_cents": 1},
        {"created_at": ago(days=90)},
    ],
}


def add(person: Person, fans: list[dict[str, Any]]) -> list[int]:
    now = utcnow()
    with person.app.app_context(), write() as session:
        rows = [
            Fan(
                account_id=person.account_id,
                name=f"F{number}",
                **{name: _at(now, value) for name, value in fan.items()},
            )
            for number, fan in enumerate(fans)
        ]
        session.add_all(rows)
        session.flush()
        return [fan.id for fan in rows]


def _at(now: Any, value: Any) -> Any:
    return now + value if isinstance(value, timedelta) else value


def found(person: Person, key: str) -> list[int]:
    """The most valuable first."""
    rule = READY_MADE[key].rule
    with person.app.app_context():
        number, first = queries.look(person.account_id, rule, 1000)
        assert queries.count_fans(person.account_id, rule) == number == len(first)
        return [fan.id for fan in first]


@pytest.mark.parametrize("key", INSIDE)
def test_who_is_just_inside_is_found_and_who_is_just_outside_is_not(ada: Person, eve: Person, key: str):
    inside, _ = add(ada, INSIDE[key]), add(ada, OUTSIDE[key])
    theirs = add(eve, INSIDE[key])
    assert sorted(found(ada, key)) == inside
    assert sorted(found(eve, key)) == theirs


@pytest.mark.parametrize(
    ("kind", "is_purchase"), [("subscription", False), ("renewal", False), ("message", True), ("tip", True)]
)
def test_who_paid_for_the_subscription_alone_has_never_bought(ada: Person, kind: str, is_purchase: bool):
    (fan,) = add(ada, [SUBSCRIBED_LONG])
    with ada.app.app_context(), write():
        paid = {"transaction_id": "t1", "kind": kind, "gross_cents": 999, "net_cents": None, "at": utcnow()}
        record_transaction(db.session.get_one(Fan, fan), **paid)
    assert found(ada, "never-bought") == ([] if is_purchase else [fan])


def test_the_best_100_are_the_100_who_spent_most(ada: Person, eve: Person):
    _least, *best = add(ada, [{"value_cents": cents} for cents in range(1_000, 1_101)])
    theirs = add(eve, [{"value_cents": 9_999}] * 3)
    assert found(ada, "best-100") == best[::-1]
    assert sorted(found(eve, "best-100")) == theirs, "of fewer, all"


def test_of_those_who_spent_the_same_still_only_100_are_the_best(ada: Person):
    add(ada, [{"value_cents": 500}] * 101)
    assert len(found(ada, "best-100")) == 100


def test_by_spend_each_fan_is_in_exactly_one(ada: Person):
    """Of four: whoever writes to all of them writes to nobody twice."""
    fans = add(ada, [{"value_cents": cents} for cents in (0, 1, 4_999, 5_000, 49_999, 50_000, 10**9)])
    by_spend = [found(ada, key) for key in ("never-paid", "small-spenders", "spenders", "big-spenders")]
    assert sorted(fan for ids in by_spend for fan in ids) == fans


def test_all_of_them_are_tried_here():
    assert {*INSIDE, "best-100"} == {*OUTSIDE, "best-100"} == set(READY_MADE)
