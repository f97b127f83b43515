"""What is past is kept, by stretches: figures are those of the rows, whatever changed since, and whoever changed it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Thread
from typing import Any

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import delete, event, func, select

from app import background, sweep
from app.accounts.models import Account
from app.analytics import stretches
from app.analytics.models import ChangedStretch, KeptStretch
from app.database import db, utcnow, write
from app.money.models import Transaction
from tests.analytics.books import Books, business, write_books
from tests.analytics.changes import change, changes, noon_of, read_again
from tests.analytics.test_analytics_pages import ANALYTICS, DRAWN
from tests.people import Person

SOME = {"deadline": None, "phases": [Phase.generate], "suppress_health_check": [HealthCheck.function_scoped_fixture]}


def keep(person: Person, books: Books) -> None:
    """All of what the books are about, as some days after."""
    with person.app.app_context(), time_machine.travel(noon_of(books) + timedelta(days=8), tick=True):
        while stretches.due(person.account_id):
            stretches.keep(person.account_id)


def count(person: Person, model: type[KeptStretch | ChangedStretch]) -> int:
    with person.app.app_context():
        rows = select(func.count()).select_from(model).where(model.account_id == person.account_id)
        return db.session.scalar(rows) or 0


@contextmanager
def statements(person: Person) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_connection, _cursor, statement: str, *_: Any) -> None:
        found.append(statement)

    with person.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)


def check(person: Person, books: Books) -> None:
    found = person.get(f"{ANALYTICS}?{books.address}")
    assert found["kpis"] == books.kpis()
    assert found["previous"] == books.previous().kpis()
    assert {each["start"]: each["byKind"] for each in found["trend"]} == books.by_day()
    paid = {fan: cents for fan, cents in books.by_fan().items() if cents > 0}
    assert {each["fanId"]: each["revenueCents"] for each in found["topFans"]} == paid
    earned = {each.id for each in books.messages if each.campaign_id}
    cents = sum(each.gross_cents for each in books.moved() if each.message_id in earned)
    assert sum(each["revenueCents"] for each in found["campaigns"]) == cents
    sent = [each for each in books.went_out() if each.campaign_id]
    assert sum(each["sent"] for each in found["campaigns"]) == len(sent)


def check_kept(person: Person, books: Books) -> None:
    """And that no row was read for it."""
    with statements(person) as asked:
        check(person, books)
    assert [each for each in asked if "FROM transactions" in each or "FROM messages" in each] == []


@settings(max_examples=8, **SOME)
@given(drawn=business, others=business)
def test_figures_of_what_is_kept_are_those_of_the_rows(ada: Person, eve: Person, drawn, others):
    books = write_books(ada, drawn)
    begin_earlier(ada, books)
    keep(eve, write_books(eve, others))
    keep(ada, books)
    check_kept(ada, books)


def begin_earlier(person: Person, books: Books) -> None:
    """What was before the first payment and the first message is not kept: there is nothing."""
    at = noon_of(books) - timedelta(days=7)
    with person.app.app_context(), write() as session:
        session.add(Transaction(
            account_id=person.account_id, platform_transaction_id="first", kind="tip", gross_cents=1, at=at,
        ))  # fmt: skip


@settings(max_examples=20, **SOME)
@given(drawn=business, changes=changes)
def test_whatever_changes_afterwards_is_counted_at_once(ada: Person, drawn, changes):
    books = write_books(ada, drawn)
    begin_earlier(ada, books)
    keep(ada, books)
    for number, each in enumerate(changes):
        change(ada, books, number, each)
    books = read_again(ada, books)
    check(ada, books)
    keep(ada, books)
    check_kept(ada, books)


def talk(direction: str, hours: int) -> dict[str, Any]:
    return {
        "fan": 0, "direction": direction, "at": timedelta(hours=hours), "delay": 0, "status": "sent", "campaign": False,
        "author": True, "price": 0, "bought": False,
    }  # fmt: skip


ASKED, ANSWERED, ASKED_AGAIN = talk("in", -20), talk("out", -8), talk("in", 4)


@pytest.mark.parametrize(
    ("said", "verb", "place"),
    [
        ([ASKED], "say", 0),  # answers what was asked stretches before
        ([ASKED, ANSWERED], "unsay", 1),
        ([ASKED, ANSWERED, ASKED_AGAIN], "unsay", 1),  # who asked again goes on waiting
        ([ASKED, ASKED_AGAIN], "say", 0),  # and begins to wait anew
        ([ASKED, ANSWERED, ASKED_AGAIN], "send", 1),
        ([ASKED, ANSWERED, ASKED_AGAIN], "hand to campaign", 1),
        ([ASKED, ASKED_AGAIN], "unsay", 0),  # the wait begins later
        ([ASKED, ANSWERED], "move message", 1),
    ],
)
def test_waits_of_other_stretches_follow_a_change(ada: Person, said, verb, place):
    books = write_books(ada, DRAWN | {"messages": said, "transactions": []})
    keep(ada, books)
    change(ada, books, 0, {"what": verb, "place": place, "at": timedelta(hours=-8), "message": ANSWERED})
    check(ada, read_again(ada, books))


def keep_once(person: Person, books: Books) -> None:
    with person.app.app_context(), time_machine.travel(noon_of(books) + timedelta(days=8), tick=True):
        stretches.keep(person.account_id)


def test_a_change_while_it_is_counted_is_counted_again(ada: Person):
    books = write_books(ada, DRAWN)
    keep(ada, books)
    add_payment(ada, "before", noon_of(books))
    late = Thread(target=add_payment, args=(ada, "meanwhile", noon_of(books)))

    def pay_meanwhile(_connection, _cursor, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE kept_stretches") and not late.ident:
            late.start()
            late.join(1)  # on SQLite it waits until the count is written

    with ada.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", pay_meanwhile)
    keep_once(ada, books)
    event.remove(engine, "before_cursor_execute", pay_meanwhile)
    late.join()
    assert count(ada, ChangedStretch) == 1
    check(ada, read_again(ada, books))
    keep(ada, books)
    check(ada, read_again(ada, books))


def add_payment(person: Person, number: str, at: datetime) -> None:
    with person.app.app_context(), write() as session:
        session.add(Transaction(
            account_id=person.account_id, platform_transaction_id=number, kind="tip", gross_cents=300, at=at,
        ))  # fmt: skip


def test_two_who_count_at_once_leave_one_count(ada: Person):
    books = write_books(ada, DRAWN)
    both = [Thread(target=keep, args=(ada, books)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    check(ada, books)
    add_payment(ada, "later", noon_of(books))
    check(ada, read_again(ada, books))


def test_an_account_that_goes_leaves_nothing(ada: Person):
    keep(ada, write_books(ada, DRAWN))
    with ada.app.app_context(), write() as session:
        session.execute(delete(Account).where(Account.id == ada.account_id))
    with ada.app.app_context(), time_machine.travel(utcnow() + timedelta(minutes=1), tick=True):
        if count(ada, ChangedStretch):
            assert ada.account_id in stretches.accounts_due()
            stretches.keep(ada.account_id)
    assert (count(ada, KeptStretch), count(ada, ChangedStretch)) == (0, 0)


def test_a_worker_counts_what_has_ended_and_what_changed(ada: Person):
    work(ada)
    assert count(ada, KeptStretch) == 1, "of an account without rows, what ended last"
    with ada.app.app_context():
        number = db.session.scalar(select(KeptStretch.number).where(KeptStretch.account_id == ada.account_id))
    add_payment(ada, "late", stretches.Stretch(number or 0).start)
    for seconds, changed in ((0, 1), (30, 0)):  # what changes is not counted anew each time
        with time_machine.travel(utcnow() + timedelta(seconds=seconds), tick=True):
            work(ada)
        assert count(ada, ChangedStretch) == changed
        assert ada.get(ANALYTICS)["kpis"]["revenueCents"] == 300


def work(person: Person) -> None:
    with person.app.app_context():
        sweep.ring_again(("links",))
    background.make_worker(person.app, ("links",)).work(burst=True)
