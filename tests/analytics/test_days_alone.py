"""A statement that tells days alone, and the events of the same payments: each counts once, whichever came first."""

from datetime import UTC, datetime
from itertools import permutations

import pytest
from sqlalchemy import select

from app.database import db
from app.imports import actions as imports
from app.money.models import Transaction
from tests.analytics.test_told_twice import HEADER
from tests.analytics.test_wrong_zone import live_in, told
from tests.events import Platform
from tests.imports.conftest import Importer, counts
from tests.imports.test_undo import Steps
from tests.people import Person, add_fan, connect

MONTH = "/api/analytics/onlyfans?from=2026-10-01&to=2026-11-01"
# In Paris: two alike on the 2nd, one of each kind late on the 2nd and early on the 3rd, one that only the statement has.
TIMES = ("2026-10-01T22:30", "2026-10-02T20:00", "2026-10-02T21:59", "2026-10-02T22:01", "2026-10-03T12:00")
DAYS = ("2026-10-02", "2026-10-02", "2026-10-02", "2026-10-03", "2026-10-03")
CENTS = (500, 500, 900, 900, 700)
ROWS = [f"h{n},fan1,{cents / 100:.2f},{cents * 7 / 1000:.2f},{DAYS[n]},Tip" for n, cents in enumerate(CENTS)]
STATEMENT = HEADER + "".join(f"{row}\n" for row in ROWS)


def event(number: int) -> dict:
    at = datetime.fromisoformat(TIMES[number]).replace(tzinfo=UTC)
    return {"number": number, "at": at, "kind": "tip", "fan": 1, "cents": CENTS[number]}


@pytest.fixture
def platform(ada: Person, sandbox) -> Platform:
    add_fan(ada, 1)
    live_in(ada, "Europe/Paris")
    return Platform(ada, connect(ada, sandbox.url))


def standing(app) -> list[tuple]:
    """Of each payment: gross, net, the event's number, the statement's, and when it was."""
    with app.app_context():
        rows = db.session.scalars(select(Transaction).order_by(Transaction.at, Transaction.id)).all()
        return [
            (each.gross_cents, each.net_cents, each.platform_transaction_id, each.statement_id, f"{each.at:%d %H:%M}")
            for each in rows
        ]


@pytest.mark.parametrize("order", list(permutations("abS")), ids="".join)
def test_in_any_order_each_payment_is_one(app, ada: Person, platform: Platform, order: tuple[str, ...]):
    """a, b: events of half of the payments each; S: the statement. The last payment had no event."""
    bring = Importer(app, ada)
    for happening in order:
        if happening == "S":
            bring(STATEMENT, "october.csv")
        else:
            told(platform, [event(n) for n in ((0, 2) if happening == "a" else (1, 3))])
    found = standing(app)
    assert [(gross, net, event, at) for gross, net, event, _, at in found] == [
        (500, 350, "9000", "01 22:30"),
        (500, 350, "9001", "02 20:00"),
        (900, 630, "9002", "02 21:59"),
        (700, 490, "h4", "02 22:00"),
        (900, 630, "9003", "02 22:01"),
    ]
    assert sorted(each[3] or "" for each in found) == ["", "h0", "h1", "h2", "h3"]
    if order in (("a", "b", "S"), ("S", "a", "b")):
        assert [each[3] for each in found[:2]] == ["h0", "h1"], "several alike pair off in order"
    assert ada.get(MONTH)["kpis"]["revenueCents"] == sum(CENTS)
    assert counts(bring(STATEMENT, "october.csv")) == (0, 0, 5, 0)


def test_undo_leaves_what_events_told(app, ada: Person, platform: Platform):
    bring = Importer(app, ada)
    told(platform, [event(n) for n in range(4)])
    before = standing(app)
    for told_after in ([], [event(4)]):
        bring(STATEMENT, "october.csv")
        told(platform, told_after)
        with app.app_context():
            imports.undo(ada.account_id, bring.last_id)
            imports.run_import(bring.last_id)
        assert [each[:3] for each in standing(app)][:4] == [each[:3] for each in before]
        assert len(standing(app)) == 4 + len(told_after)
    assert standing(app)[:4] == before


def test_each_event_is_one_payment_of_its_day(app, ada: Person, platform: Platform):
    told(platform, [event(0)])
    Importer(app, ada)(STATEMENT, "october.csv")
    assert ada.get(MONTH)["kpis"]["revenueCents"] == sum(CENTS), "two alike, of which one had an event"


def test_another_day_fan_kind_or_amount_is_another_payment(app, ada: Person, platform: Platform):
    add_fan(ada, 2)
    others = ("fan1,9.00,6.30,2026-10-01,Tip", "fan2,9.00,6.30,2026-10-02,Tip",
              "fan1,9.00,6.30,2026-10-02,Subscription", "fan1,9.01,6.30,2026-10-02,Tip")  # fmt: skip
    file = HEADER + "".join(f"h{n},{line}\n" for n, line in enumerate(others))
    Importer(app, ada)(file, "october.csv")
    told(platform, [event(2)])
    assert len(standing(app)) == 5
    Importer(app, ada)(HEADER + "h9,fan1,9.00,6.30,2026-10-02,Tip\n", "october.csv")
    assert len(standing(app)) == 5


def test_the_day_is_the_files_own(app, ada: Person, platform: Platform):
    """22:01 in UTC is the next day in Paris, and the same one in UTC."""
    told(platform, [event(3)])
    day = HEADER + "h3,fan1,9.00,6.30,2026-10-02,Tip\n"
    assert counts(Importer(app, ada)(day, "october.csv", timezone="UTC")) == (0, 1, 0, 0)
    told(platform, [event(2)])
    assert len(standing(app)) == 2, "found once, it is found no more"


def test_what_an_event_tells_between_rehearsal_and_apply_is_not_told_again(app, ada: Person, platform: Platform):
    steps = Steps(app, ada)
    steps.upload(STATEMENT).rehearse()
    told(platform, [event(2)])
    assert steps.apply().row.not_applied == 1
    assert ada.get(MONTH)["kpis"]["revenueCents"] == sum(CENTS)


def test_a_time_is_nearer_than_a_day(app, ada: Person, platform: Platform):
    bring = Importer(app, ada)
    bring(HEADER + "h1,fan1,5.00,3.50,2026-10-02,Tip\nh2,fan1,5.00,3.50,2026-10-02 22:00:03,Tip\n", "october.csv")
    told(platform, [event(1)])
    assert [each[2:4] for each in standing(app)] == [("h1", None), ("9001", "h2")]
