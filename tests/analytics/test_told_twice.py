"""A month's events and its statement, in any order and some of it twice: equal to the cent."""

import html
import random
import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from app.database import db
from app.imports import actions as imports
from app.imports.models import Import
from app.money.models import Transaction
from tests.events import Platform, net, paid
from tests.imports.conftest import Importer, counts
from tests.imports.test_undo import Steps
from tests.people import Person, add_fan, connect

MONTH = "/api/analytics/onlyfans?from=2026-10-01&to=2026-11-01"
HEADER = "Transaction ID,Username,Amount,Net,Date,Type\n"
BY_NAME = "Transaction ID,Display Name,Amount,Net,Date,Type\n"
ANONYMOUS = "transaction_id,type,amount,net_amount,currency,created_at\n"
WHO = {"handle": "fan{}", "name": "Fan {}", "nothing": ""}
BEGAN = datetime(2026, 10, 1, 12, tzinfo=UTC)


class Month:
    """Payments that the platform tells by events, and in two statements: all of it, and its second half."""

    def __init__(self, seed: int, fans: int = 3) -> None:
        self.dice = random.Random(seed)
        self.paid = [self._pay(number, fans) for number in range(24)]
        self.gross = sum(each["cents"] for each in self.paid) - 700  # and a refund that only the statement tells

    def _pay(self, number: int, fans: int) -> dict:
        # Pairs that are alike but for some seconds: two payments, not one told twice.
        at = BEGAN + timedelta(days=number // 2, seconds=20 * (number % 2))
        kind = self.dice.choice(("tip", "subscription"))
        fan, cents = 1 + (number // 2) % fans, 500 if number % 4 < 2 else self.dice.choice((500, 999))
        return {"number": number, "at": at, "kind": kind, "fan": fan, "cents": cents}

    def statement(self, first: int = 0, named: str = "handle") -> str:
        """named: what it has of the payers: handle, name or nothing."""
        lines = [self._line(each, named) for each in self.paid[first:]]
        refund = ("r1", BEGAN + timedelta(days=20), "Refund", -700, -560)
        lines.append(self._write(*refund, WHO[named].format(1)))
        return {"handle": HEADER, "name": BY_NAME}.get(named, ANONYMOUS) + "".join(lines)

    def _line(self, each: dict, named: str) -> str:
        at = each["at"] + timedelta(seconds=each["number"] % 7)
        kind = {"tip": "Tip", "subscription": "Renewal"}[each["kind"]]
        cents = each["cents"]
        return self._write(f"h{each['number']}", at, kind, cents, net(cents), WHO[named].format(each["fan"]))

    def _write(self, key: str, at: datetime, kind: str, cents: int, net_cents: int, who: str) -> str:
        money = [f"{cents / 100:.2f}", f"{net_cents / 100:.2f}"]
        if who:
            return ",".join([key, who, *money, f"{at:%Y-%m-%dT%H:%M:%SZ}", kind]) + "\n"
        return ",".join([key, kind, *money, "USD", f"{at:%Y-%m-%dT%H:%M:%SZ}"]) + "\n"


@pytest.mark.parametrize("named", WHO)
@pytest.mark.parametrize("seed", range(4))
def test_in_any_order_and_some_twice_it_is_equal_to_the_cent(app, ada: Person, sandbox, seed: int, named: str):
    platform, bring, month = Platform(ada, connect(ada, sandbox.url)), Importer(app, ada), Month(seed)
    for number in (1, 2, 3):
        add_fan(ada, number)
    told = [lambda each=each: platform.post(*paid(each), f"evt_{each['number']}") for each in month.paid]
    told += month.dice.sample(told, 6)
    again = [
        lambda each=each: platform.post(*paid(each), f"evt_{each['number']}_again")
        for each in month.dice.sample(month.paid, 6)
    ]
    files = [lambda first=first: bring(month.statement(first, named=named), "october.csv") for first in (0, 12, 0)]
    happenings = [*told, *again, *files]
    month.dice.shuffle(happenings)
    for happen in happenings:
        happen()
        platform.work()
    found = ada.get(MONTH)["kpis"]
    assert found["revenueCents"] == month.gross
    assert found["netCents"] == sum(net(each["cents"]) for each in month.paid) - 560
    with app.app_context():
        assert len(db.session.scalars(select(Transaction)).all()) == len(month.paid) + 1
    spent = sum(fan["valueCents"] for fan in ada.get("/api/crm/fans")["fans"])
    assert spent == (month.gross + 700 if named == "nothing" else month.gross)
    nameless = [fan for fan in ada.get("/api/crm/fans")["fans"] if not fan["handle"]]
    assert [fan["valueCents"] for fan in nameless if fan["valueCents"]] == ([-700] if named == "name" else [])


def test_two_payments_alike_stay_two_though_only_one_event_came(app, ada: Person, sandbox):
    platform, bring = Platform(ada, connect(ada, sandbox.url)), Importer(app, ada)
    add_fan(ada, 1)
    month = Month(1)
    month.paid = [{"number": n, "at": BEGAN, "kind": "tip", "fan": 1, "cents": 500} for n in range(2)]
    platform.tell(*paid(month.paid[0]), "evt_1")
    for _ in range(2):
        bring(month.statement(), "october.csv")
    assert ada.get(MONTH)["kpis"]["revenueCents"] == 1000 - 700
    platform.tell(*paid(month.paid[1]), "evt_2")
    assert ada.get(MONTH)["kpis"]["revenueCents"] == 1000 - 700


def test_what_an_event_tells_between_rehearsal_and_apply_is_not_told_again(app, ada: Person, sandbox):
    platform, steps = Platform(ada, connect(ada, sandbox.url)), Steps(app, ada)
    add_fan(ada, 1)
    month = Month(1)
    month.paid = [
        {"number": n, "at": BEGAN + timedelta(days=n), "kind": "tip", "fan": 1, "cents": 500} for n in range(2)
    ]
    steps.upload(month.statement()).rehearse()
    platform.tell(*paid(month.paid[0]), "evt_1")
    row = steps.apply().row
    assert (row.inserted, row.not_applied) == (2, 1)
    assert ada.get(MONTH)["kpis"]["revenueCents"] == 1000 - 700
    assert counts(Importer(app, ada)(month.statement(), "october.csv")) == (0, 1, 2, 0)
    assert ada.get(MONTH)["kpis"]["revenueCents"] == 1000 - 700


def test_a_statement_is_held_against_what_events_told(app, ada: Person, sandbox):
    """Of 24 payments all but the first two are in the statement, events told of the first twelve; the refund had none."""
    platform, month, browser = Platform(ada, connect(ada, sandbox.url)), Month(3), ada.browser()
    for number in (1, 2, 3):
        add_fan(ada, number)
    for each in month.paid[:12]:
        platform.tell(*paid(each), f"evt_{each['number']}")
    Importer(app, ada)(month.statement(2), "october.csv")
    page = browser.get(f"/platforms/onlyfans/analytics/statement?{MONTH.partition('?')[2]}").text
    links = dict.fromkeys(html.unescape(link) for link in re.findall(r'href="([^"]+rows[^"]+)"', page))
    shown = [re.search(r'role="status">(\d+) row', browser.get(link).text)[1] for link in links]
    assert shown == re.findall(r'rows[^"]+">(\d+)</a>', page) == ["10", "2", "13", "25"]
    assert f"${month.gross // 100}.{month.gross % 100:02}" in page


def test_a_statement_taken_back_leaves_what_events_told(app, ada: Person, sandbox):
    platform, bring, month = Platform(ada, connect(ada, sandbox.url)), Importer(app, ada), Month(2)
    for number in (1, 2, 3):
        add_fan(ada, number)
    for each in month.paid[:12]:
        platform.tell(*paid(each), f"evt_{each['number']}")
    before = ada.get(MONTH)["kpis"]
    bring(month.statement(), "october.csv")
    with app.app_context():
        imports.undo(ada.account_id, bring.last_id)
        imports.run_import(bring.last_id)
    assert ada.get(MONTH)["kpis"] == before


def nets(app) -> list[int | None]:
    with app.app_context():
        return list(db.session.scalars(select(Transaction.net_cents)))


def test_the_statement_knows_the_net_better_than_the_event(app, ada: Person, sandbox):
    platform, bring = Platform(ada, connect(ada, sandbox.url)), Importer(app, ada)
    add_fan(ada, 1)
    tip = {"number": 1, "at": BEGAN, "kind": "tip", "fan": 1, "cents": 500}
    platform.tell(*paid(tip), "evt_1")
    assert nets(app) == [400]
    line = HEADER + "h1,fan1,5.00,{},2026-10-01T12:00:03Z,Tip\n"
    assert counts(bring(line.format("3.90"), "october.csv")) == (0, 1, 0, 0)
    assert nets(app) == [390]
    assert ada.get(MONTH)["kpis"]["netCents"] == 390
    statement = bring.last_id
    assert counts(bring(line.format("3.90"), "october.csv")) == (0, 0, 1, 0)
    assert counts(bring(line.format(""), "october.csv")) == (0, 0, 1, 0)
    with app.app_context():
        imports.undo(ada.account_id, statement)
        imports.run_import(statement)
    assert nets(app) == [400]


def test_the_statements_net_stands_whichever_came_first(app, ada: Person, sandbox):
    platform, bring = Platform(ada, connect(ada, sandbox.url)), Importer(app, ada)
    add_fan(ada, 1)
    line = "h1,fan1,5.00,{},2026-10-01T12:00:03Z,Tip\n"
    bring(HEADER + line.format("3.90"), "october.csv")
    bring(HEADER + line.format("3.80"), "october.csv")
    assert nets(app) == [390], "of two statements the first"
    platform.tell(*paid({"number": 1, "at": BEGAN, "kind": "tip", "fan": 1, "cents": 500}), "evt_1")
    assert nets(app) == [390]


def test_a_net_that_came_between_rehearsal_and_apply_stays(app, ada: Person, sandbox):
    platform, steps = Platform(ada, connect(ada, sandbox.url)), Steps(app, ada)
    add_fan(ada, 1)
    platform.tell(*paid({"number": 1, "at": BEGAN, "kind": "tip", "fan": 1, "cents": 500}), "evt_1")
    steps.upload(HEADER + "h1,fan1,5.00,3.90,2026-10-01T12:00:03Z,Tip\n").rehearse()
    assert "('Net amount', '$4.00', '$3.90')" in steps.listed("changed")[0]
    Importer(app, ada)(HEADER + "h1,fan1,5.00,3.80,2026-10-01T12:00:03Z,Tip\n", "october.csv")
    steps.apply()
    assert nets(app) == [380]
    steps.undo()
    assert nets(app) == [380]


def test_a_statement_adds_fee_and_tax_which_are_shown_and_taken_back_with_it(app, ada: Person, sandbox):
    platform, bring = Platform(ada, connect(ada, sandbox.url)), Importer(app, ada)
    add_fan(ada, 1)
    platform.tell(*paid({"number": 1, "at": BEGAN, "kind": "tip", "fan": 1, "cents": 500}), "evt_1")
    header = "Transaction ID,Username,Amount,Net,Fee,VAT,Date,Type\n"
    told, new = "h1,fan1,5.00,4.00,1.00,0.50,2026-10-01T12:00:03Z,Tip\n", "h2,fan1,9.00,7.20,1.80,,2026-10-02,Tip\n"
    assert counts(bring(header + told + new, "october.csv")) == (1, 1, 0, 0)
    assert fees(app) == [(500, 100, 50), (900, 180, None)]
    assert counts(bring(header + told + new, "october.csv")) == (0, 0, 2, 0)
    browser, query = ada.browser(), "report=transactions&from=2026-10-01&to=2026-11-01"
    lines = browser.get(f"/platforms/onlyfans/analytics/rows.csv?{query}").text.splitlines()
    shown = [line.split(",")[3:8] for line in lines]
    assert shown[0] == ["Amount", "Net", "Fee", "Tax", "Currency"]
    assert sorted(shown[1:]) == [["5.00", "4.00", "1.00", "0.50", "USD"], ["9.00", "7.20", "1.80", "", "USD"]]
    with app.app_context():
        first = db.session.scalar(select(Transaction.id).where(Transaction.gross_cents == 500))
    page = browser.get(f"/platforms/onlyfans/analytics/payments/{first}").text
    assert "<dt>Fee</dt><dd>$1.00</dd><dt>Tax</dt><dd>$0.50</dd>" in page
    with app.app_context():
        statement = db.session.scalars(select(Import.id).order_by(Import.id)).first()
        imports.undo(ada.account_id, statement)
        imports.run_import(statement)
    assert fees(app) == [(500, None, None)]


def fees(app) -> list[tuple]:
    with app.app_context():
        rows = select(Transaction.gross_cents, Transaction.fee_cents, Transaction.tax_cents)
        return sorted(map(tuple, db.session.execute(rows)))


def test_another_fan_amount_kind_or_time_is_another_payment(app, ada: Person, sandbox):
    platform, bring = Platform(ada, connect(ada, sandbox.url)), Importer(app, ada)
    for number in (1, 2):
        add_fan(ada, number)
    tip = {"number": 1, "at": BEGAN, "kind": "tip", "fan": 1, "cents": 500}
    platform.tell(*paid(tip), "evt_1")
    others = ("fan2,5.00,4.00,2026-10-01T12:00:00Z,Tip", "fan1,5.01,4.00,2026-10-01T12:00:00Z,Tip",
              "fan1,5.00,4.00,2026-10-01T12:00:00Z,Subscription", "fan1,5.00,4.00,2026-10-01T12:10:01Z,Tip")  # fmt: skip
    bring(HEADER + "".join(f"h{n},{line}\n" for n, line in enumerate(others)), "october.csv")
    assert ada.get(MONTH)["kpis"]["revenueCents"] == 500 * 4 + 501


def test_what_is_taken_back_and_what_is_renewed_are_kinds_of_their_own(app, ada: Person):
    lines = (
        "a,fan1,9.99,8.00,2026-10-02,Renewal",
        "b,fan1,5.00,4.00,2026-10-03,Refund",
        "c,fan1,3.00,2.40,2026-10-04,Chargeback",
    )
    Importer(app, ada)(HEADER + "".join(f"{line}\n" for line in lines), "october.csv")
    by_day = {each["start"]: each["byKind"] for each in ada.get(MONTH)["trend"] if each["byKind"]}
    assert by_day == {
        "2026-10-02": {"renewal": 999}, "2026-10-03": {"refund": -500}, "2026-10-04": {"chargeback": -300},
    }  # fmt: skip
