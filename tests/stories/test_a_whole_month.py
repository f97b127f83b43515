"""A statement of 5,000 lines and the events of the same month, in any order and some of both twice: equal to the cent."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from app.database import db
from app.money.models import Transaction
from tests.events import Platform, net, paid
from tests.imports.conftest import Importer
from tests.people import Person, connect

LINES, FANS, PARTS = 5_000, 250, 4
BEGAN = datetime(2026, 10, 1, tzinfo=UTC)
SPAN = timedelta(days=31).total_seconds()
HEADER = "Transaction ID,Username,Amount,Net,Date,Type\n"
MONTH = "/api/analytics/onlyfans?from=2026-10-01&to=2026-11-01"
KINDS = {  # how often, and what the statement calls it
    "tip": (40, "Tip"), "message": (30, "Message"), "subscription": (10, "Subscription"), "renewal": (15, "Renewal"),
    "refund": (3, "Refund"), "chargeback": (2, "Chargeback"),
}  # fmt: skip
TOLD = ("tip", "message", "subscription", "renewal")  # what is taken back, no event tells


@pytest.fixture
def payments() -> list[dict[str, Any]]:
    """Some of them alike but for seconds, as by fans who tip twice."""
    dice = random.Random(7)
    weights = [often for often, _ in KINDS.values()]
    found = []
    for number in range(LINES):
        if found and dice.random() < 0.1:
            found.append(found[-1] | {"number": number, "at": found[-1]["at"] + timedelta(seconds=dice.randrange(90))})
            continue
        kind = dice.choices(list(KINDS), weights)[0]
        cents = dice.choice((500, 999, 1500, dice.randrange(300, 20_000))) * (1 if kind in TOLD else -1)
        at = BEGAN + timedelta(seconds=dice.randrange(int(SPAN) - 100))
        found.append({"number": number, "kind": kind, "cents": cents, "fan": 1 + dice.randrange(FANS), "at": at})
    return found


def statement(payments: list[dict[str, Any]]) -> str:
    """Its clock is some seconds late, as the platform's is."""
    lines = [
        f"h{each['number']},fan{each['fan']},{each['cents'] / 100:.2f},{net(each['cents']) / 100:.2f},"
        f"{each['at'] + timedelta(seconds=each['number'] % 7):%Y-%m-%dT%H:%M:%SZ},{KINDS[each['kind']][1]}\n"
        for each in payments
    ]
    return HEADER + "".join(lines)


@pytest.mark.timeout(600)
def test_the_books_equal_the_statement_to_the_cent(app, ada: Person, sandbox, payments: list[dict[str, Any]]):
    dice, platform, bring = random.Random(8), Platform(ada, connect(ada, sandbox.url)), Importer(app, ada)
    told = [each for each in payments if each["kind"] in TOLD]
    told += dice.sample(told, 300)
    dice.shuffle(told)
    half = dice.sample(payments, LINES // 2)
    files = {0: half, 1: payments, 2: payments}  # after so many parts of the events
    done = 0
    for part in range(PARTS):
        for each in told[part::PARTS]:
            platform.post(*paid(each), f"evt_{each['number']}")
        done = platform.work(done)
        if part in files:
            bring(statement(files[part]), "october.csv")
    found = ada.get(MONTH)
    assert found["kpis"]["revenueCents"] == sum(each["cents"] for each in payments)
    assert found["kpis"]["netCents"] == sum(net(each["cents"]) for each in payments)
    by_kind = Counter[str]()
    for step in found["trend"]:
        by_kind.update(step["byKind"])
    assert by_kind == {kind: sum(each["cents"] for each in payments if each["kind"] == kind) for kind in KINDS}
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Transaction)) == LINES
        of_each = select(Transaction.fan_id, func.sum(Transaction.gross_cents)).group_by(Transaction.fan_id)
        assert None not in {fan for fan, _ in db.session.execute(of_each)}
