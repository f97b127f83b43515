"""Who sold it: each rule against a plain look at the rows; whatever the rule, the sum is the revenue."""

import csv
import io
import re
from collections import defaultdict
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given, settings
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.analytics import selling
from app.analytics.periods import Period
from app.conversations.desk_models import Assignment
from app.conversations.models import Conversation
from app.database import db, utcnow, write
from app.errors import Invalid, NotFound
from app.money import actions, queries
from app.money.models import Transaction
from tests.analytics.books import Books, business, went_out, write_books
from tests.analytics.test_figures import SOME, cents, rows_of
from tests.people import Person, add_fan, csrf_of, make_person

Given = dict[int, list[tuple[datetime, int | None]]]  # by fan: when their thread was given to whom, in order


def plain(books: Books, given_to: Given) -> dict[str, dict[int, int]]:
    """Cents by rule and person, 0 for nobody."""
    rules = {
        "sentBy": lambda paid: next((each.author_id for each in books.messages if each.id == paid.message_id), None),
        "lastWriter": lambda paid: last_writer(books, paid),
        "assignee": lambda paid: next(
            (whom for at, whom in reversed(given_to.get(paid.fan_id, [])) if at <= paid.at), None
        ),
    }
    found = {name: defaultdict(int) for name in rules}
    for paid in books.moved():
        for name, rule in rules.items():
            found[name][rule(paid) or 0] += paid.gross_cents
    return found


def last_writer(books: Books, paid: Transaction) -> int | None:
    wrote = [
        each
        for each in books.messages
        if went_out(each) and each.campaign_id is None and each.fan_id == paid.fan_id and each.created_at <= paid.at
    ]
    return max(wrote, key=lambda each: (each.created_at, each.id)).author_id if wrote else None


@settings(max_examples=15, **SOME)
@given(drawn=business, others=business)
def test_each_rule_gives_each_payment_to_one(app, ada: Person, eve: Person, drawn, others):
    books = write_books(ada, drawn)
    write_books(eve, others)
    changed = datetime.combine(drawn["change"][1], time(), books.zone)
    steps = [(changed - timedelta(days=2), ada.user_id), (changed, None), (changed + timedelta(hours=2), eve.user_id)]
    with app.app_context():
        with write() as session:
            thread = session.scalars(select(Conversation).where(Conversation.fan_id == books.fans[0].id)).one()
            for at, whom in steps:
                whose = {"conversation_id": thread.id, "account_id": ada.account_id, "assignee_id": whom}
                session.add(Assignment(**whose, at=at))
        found = selling.sellers(ada.account_id, Period(books.first, books.after, books.zone))
        by_rule = {rule.name: {} for rule in selling.RULES}
        for seller in found:
            for name, sold in seller.cents.items():
                by_rule[name][seller.person.id if seller.person else 0] = sold
    assert by_rule == plain(books, {books.fans[0].id: steps})
    revenue = sum(each.gross_cents for each in books.moved())
    assert all(sum(sold.values()) == revenue for sold in by_rule.values())
    for name, sold in by_rule.items():
        for person, amount in sold.items():
            assert cents(rows_of(ada, books, "transactions", **{name: person})) == amount


@settings(max_examples=8, **SOME)
@given(drawn=business)
def test_what_a_person_said_stands_above_every_rule_and_the_sum_is_the_same(app, ada: Person, drawn):
    books = write_books(ada, drawn)
    said = {paid.id: ada.user_id if number % 2 else None for number, paid in enumerate(books.moved()[:6])}
    with app.app_context():
        for paid_id, seller in said.items():
            for step in (ada.user_id, seller):  # the last one counts
                actions.attribute(ada.account_id, paid_id, step, by_id=ada.user_id)
        found = selling.sellers(ada.account_id, Period(books.first, books.after, books.zone))
        for rule in selling.RULES:
            expected = defaultdict(int)
            for paid in books.moved():
                by_rule = selling.people_by_rule(queries.find_transaction(ada.account_id, paid.id))[rule.name]
                seller = said.get(paid.id, by_rule and by_rule.id)
                expected[seller or 0] += paid.gross_cents
            sums = {
                each.person.id if each.person else 0: each.cents[rule.name] for each in found if rule.name in each.cents
            }
            assert sums == expected
        for paid_id in said:
            actions.attribute(ada.account_id, paid_id, None, by_id=ada.user_id, is_by_hand=False)
        left = selling.sellers(ada.account_id, Period(books.first, books.after, books.zone))
        for rule in selling.RULES:
            sums = {
                each.person.id if each.person else 0: each.cents[rule.name] for each in left if rule.name in each.cents
            }
            assert sums == plain(books, {})[rule.name]


@pytest.fixture
def paid(app, ada: Person) -> int:
    """A tip of a fan's. Returns its id."""
    fan = add_fan(ada, 1)
    with app.app_context(), write() as session:
        tip = Transaction(
            account_id=ada.account_id,
            platform_transaction_id="t1",
            kind="tip",
            gross_cents=500,
            at=utcnow(),
            fan_id=fan["id"],
        )
        session.add(tip)
        session.flush()
        return tip.id


def say(person: Person, transaction_id: int, seller: object) -> TestResponse:
    browser, address = person.browser(), f"/platforms/onlyfans/analytics/payments/{transaction_id}"
    token = browser.get("/fans").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    return browser.post(address, data={"seller": seller, "csrf_token": token}, follow_redirects=True)


def test_who_sold_a_payment_is_said_on_its_page_and_everything_said_stays_there(app, ada: Person, paid: int):
    bob = make_person(app, "bob@example.com", "Ada's account", "manager")
    address = f"/platforms/onlyfans/analytics/payments/{paid}"
    assert "Nothing: the rules alone say who sold it." in ada.browser().get(address).text
    page = say(bob, paid, ada.user_id).text
    assert "Kept: who sold it." in page
    page = say(ada, paid, 0).text
    rows = re.findall(r"<tr><td>([^<]*)</td><td>([^<]*)</td>", page)
    assert rows[:2] == [("Nobody", "Ada"), ("Ada", "Bob")]
    assert "Left to the rules again." in say(ada, paid, "").text
    audit = ada.browser().get("/settings/audit?kind=money").text
    said = r'<strong dir="auto">(\w+)</strong> said who sold a payment'
    logged = re.findall(rf'{said}: <a href="{address}" dir="auto">([^<]+)<', audit)
    assert logged == [("Ada", "$5.00: as the rules say"), ("Ada", "$5.00: nobody"), ("Bob", "$5.00: Ada")]


def test_what_nobody_sold_is_unattributed_on_the_pages_and_in_the_file(app, ada: Person, paid: int):
    browser, rules = ada.browser(), [rule.title for rule in selling.RULES]
    assert "<td>Unattributed</td>" in browser.get("/platforms/onlyfans/analytics/sold").text
    page = browser.get(f"/platforms/onlyfans/analytics/payments/{paid}").text
    assert page.count("<dd>Unattributed</dd>") == len(rules)
    rows = "/platforms/onlyfans/analytics/rows{}?report=transactions&assignee=0"
    assert 'Was assigned: <strong dir="auto">Unattributed</strong>' in browser.get(rows.format("")).text
    (line,) = csv.DictReader(io.StringIO(browser.get(rows.format(".csv")).text))
    assert [line[title] for title in rules] == ["Unattributed"] * len(rules)
    say(ada, paid, ada.user_id)
    (line,) = csv.DictReader(
        io.StringIO(browser.get("/platforms/onlyfans/analytics/rows.csv?report=transactions").text)
    )
    assert [line[title] for title in rules] == ["Ada"] * len(rules)


def test_it_is_said_of_ones_own_payments_and_people_only(app, ada: Person, eve: Person, paid: int):
    assert say(eve, paid, eve.user_id).status_code == 404
    answer = say(ada, paid, eve.user_id)
    assert answer.status_code == 400
    assert "Choose somebody of this account." in answer.text
    with app.app_context(), pytest.raises(NotFound):
        actions.attribute(eve.account_id, paid, None, by_id=eve.user_id)
    with app.app_context(), pytest.raises(Invalid):
        actions.attribute(ada.account_id, paid, eve.user_id, by_id=ada.user_id)
    with app.app_context():
        assert queries.attributions_of(queries.find_transaction(ada.account_id, paid)) == []


def test_a_viewer_may_not_say_it(app, ada: Person, paid: int):
    viewer = make_person(app, "viv@example.com", "Ada's account", "viewer")
    assert say(viewer, paid, ada.user_id).status_code == 403


def assigned(person: Person, transaction_id: int) -> str | None:
    with person.app.app_context():
        found = selling.people_by_rule(queries.find_transaction(person.account_id, transaction_id))["assignee"]
        return found and found.name


def test_a_payment_stays_with_whom_the_thread_was_assigned_to_then(app, ada: Person, paid: int):
    """By the thread's header or for many; whoever is assigned later sold nothing of it."""
    bob = make_person(app, "bob@example.com", "Ada's account", "manager")
    fan = ada.get("/api/crm/fans")["fans"][0]
    thread = ada.post("/api/crm/conversations", {"fanId": fan["id"]})["id"]
    assert assigned(ada, paid) is None
    when = {}
    for name, give in (
        ("Bob", lambda: do(ada, f"/messages/onlyfans/{thread}/triage", do=f"assign:{bob.user_id}")),
        ("Ada", lambda: do(ada, "/messages/onlyfans/triage", do=f"assign:{ada.user_id}", ids=thread)),
        ("Bob", lambda: do(ada, "/messages/onlyfans/triage", do=f"assign:{bob.user_id}", which="all", confirmed="1")),
        (None, lambda: do(ada, f"/messages/onlyfans/{thread}/triage", do="assign:")),
    ):
        give()
        give()  # whose it is already is not given anew
        when[utcnow()] = name
    with app.app_context():
        assert len(db.session.scalars(select(Assignment)).all()) == len(when)
    for at, name in when.items():
        with app.app_context(), write() as session:
            session.execute(update(Transaction).where(Transaction.id == paid).values(at=at))
        assert assigned(ada, paid) == name


def do(person: Person, address: str, **said: object) -> None:
    browser = person.browser()
    assert browser.post(address, data={"csrf_token": csrf_of(browser, "/fans"), **said}).status_code in (200, 302)


def test_before_the_first_time_that_is_known_it_is_nobodys(ada: Person, paid: int):
    fan = ada.get("/api/crm/fans")["fans"][0]
    thread = ada.post("/api/crm/conversations", {"fanId": fan["id"]})["id"]
    do(ada, f"/messages/onlyfans/{thread}/triage", do=f"assign:{ada.user_id}")
    assert assigned(ada, paid) is None
