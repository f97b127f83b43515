"""The inbox's list, filtered and sorted: both ways of finding agree, and pages hold each conversation once."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select

from app.conversations import filters, listing, search
from app.conversations.filters import Filter
from app.conversations.forms import SORTS
from app.conversations.models import Conversation, Message
from app.conversations.operators import read
from app.conversations.queries import search_conversations
from app.conversations.rows import as_rows, html_of_row, row_of
from app.database import db, fold, utcnow, write
from app.fans import queries as fans
from app.fans.models import Fan
from app.rare import Rare, fetch_rare_counted, fetch_rare_page
from tests.people import Person, add_fan, connect, make_person
from tests.test_search import HOSTILE

NAMES = ("Ann Lee", "Joanna", "Zoë", "王小明", "O'Neil \\ Sons", "100% Ann", "ann", "Bo")
FILTERS = (
    {}, {"search": "ann"}, {"search": "ZOE"}, {"search": "王"}, {"search": "' \\"}, {"search": "%"}, {"search": "o"},
    {"search": "@fan3"}, {"search": "xq"}, {"search": "fan"}, {"tag": "VIP"}, {"tag": "rare"}, {"tag": "vip", "search": "ann"},
    {"spent_cents": 2000}, {"online": True}, {"online": True, "spent_cents": 1000, "tag": "vip"},
)  # fmt: skip


JOINED = ("mine unread", "unassigned unread unanswered", "archived mine unanswered", "snoozed unread")


def look_through(monkeypatch, *nearest: int) -> None:
    """So many of the nearest; what is not among them is looked up."""
    for module in (listing, fans):
        monkeypatch.setattr(module, "Rare", lambda *known: replace(Rare(*known), nearest=nearest))


@pytest.fixture(params=[None, (2, 100), (0,)], ids=["nearest", "in two goes", "looked up"])
def either_way(request, monkeypatch) -> None:
    if request.param is not None:
        look_through(monkeypatch, *request.param)


@pytest.fixture
def inbox(app, ada: Person, eve: Person) -> Person:
    """Everything that views and filters tell apart, and a stranger's of the same names."""
    for number, name in enumerate(NAMES * 2):
        tags = ["VIP"] * (number % 2) + ["rare"] * (number == 5)
        for person in (ada, eve):
            fan = add_fan(person, number, name=name, valueCents=number // 3 * 1000, tags=tags)["id"]
            person.post("/api/crm/conversations", {"fanId": fan})
    with app.app_context(), write() as session:
        start = datetime(2026, 5, 1, tzinfo=UTC)
        for number, each in enumerate(session.scalars(select(Conversation).order_by(Conversation.id))):
            each.last_message_at = start + timedelta(hours=number // 2) if number % 5 else None
            each.waiting_since = start + timedelta(hours=number // 3) if number % 3 else None
            each.unread_count, each.archived = number % 4, number % 7 == 6
            each.snoozed_until = start if number % 11 == 10 else None
            each.pinned, each.assignee_id = number % 13 == 12, ada.user_id if number % 8 < 4 else None
            session.get_one(Fan, each.fan_id).last_seen_at = utcnow() if number % 3 == 1 else None
    return ada


def test_a_row_of_the_list_and_one_that_is_told_are_the_same(app, inbox: Person):
    """Read in two ways, they are shown by one."""
    said = [
        ("in", "Hello 👋 " * 30, []),
        ("out", "", [{"type": "photo", "url": "https://x.test/a"}]),
        ("out", "<b>", []),
    ]
    with app.app_context():
        with write() as session:
            first = select(Conversation).where(Conversation.account_id == inbox.account_id).order_by(Conversation.id)
            for each, (by, text, files) in zip(session.scalars(first), said, strict=False):
                of = {"account_id": each.account_id, "conversation_id": each.id, "fan_id": each.fan_id}
                message = Message(**of, connection_id=None, direction=by, status="sent", text=text, attachments=files)
                session.add(message)
                session.flush()
                each.last_message_id = message.id
        told = list(map(row_of, db.session.scalars(search_conversations(inbox.account_id).order_by(Conversation.id))))
        listed = db.session.scalars(as_rows(search_conversations(inbox.account_id).order_by(Conversation.id))).all()
        assert listed == told
        assert {(each.last_by, each.last_files) for each in told} == {("in", 0), ("out", 1), ("out", 0), ("", 0)}
        assert [html_of_row(each, "UTC") for each in listed] == [html_of_row(each, "UTC") for each in told]
        assert "<bdi>&lt;b&gt;</bdi>" in html_of_row(told[2], "UTC")


def test_what_a_colleague_wrote_is_not_said_to_be_the_readers(app, ada: Person, sandbox):
    """All readers are shown one row: what it says is true for each."""
    connect(ada, sandbox.url)
    fan = add_fan(ada)["id"]
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    bob.post("/api/onlyfans/messages/send", {"recipientId": fan, "content": "By Bob"}, 202)
    row = ada.browser().get("/messages/onlyfans").text.partition('class="conversation-bottom"')[2]
    assert re.match(r".*?From us: </span></span> <bdi>By Bob</bdi>", row, re.DOTALL)
    assert "You: " not in row


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("sort", SORTS)
def test_each_is_on_one_page_in_its_place_whatever_is_filtered(app, inbox: Person, sort: str):
    with app.app_context():
        alone, joined = product(filters.VIEWS, FILTERS[:2]), product(JOINED, FILTERS[:2])
        for view, said in [*alone, *joined, *product(("", "unanswered"), FILTERS[2:])]:
            wanted = Filter(view=view, **said)
            every = db.session.scalars(filters.inbox(inbox.account_id, inbox.user_id, wanted)).all()
            assert paged(inbox, wanted, sort) == [each.id for each in sorted(every, key=PLACES[sort])], wanted


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ("view=unread", {"Unread", "All three"}),
        ("online=1", {"Online", "All three"}),
        ("spent=25", {"Spender", "All three"}),
        ("view=unread&online=1&spent=25", {"All three"}),
        ("spent=26", set()),
    ],
)
def test_each_filter_finds_just_those_of_whom_it_is_true(app, ada: Person, filters: str, names: set[str]):
    people = (  # unread messages, seen so many minutes ago, cents
        ("Unread", 2, 60, 2499), ("Online", 0, 4, 0), ("Just left", 0, 6, 0), ("Never seen", 0, None, 2499),
        ("Spender", 0, None, 2500), ("All three", 1, 0, 2500),
    )  # fmt: skip
    for number, (name, unread, minutes, cents) in enumerate(people):
        fan = add_fan(ada, number, name=name, valueCents=cents)["id"]
        thread = ada.post("/api/crm/conversations", {"fanId": fan})["id"]
        with app.app_context(), write() as session:
            session.get_one(Conversation, thread).unread_count = unread
            seen = None if minutes is None else utcnow() - timedelta(minutes=minutes)
            session.get_one(Fan, fan).last_seen_at = seen
    page = ada.browser().get(f"/messages/onlyfans?{filters}").text
    assert set(re.findall(r'class="conversation-name text-truncate"><bdi>([^<]*)<', page)) == names


def in_sight(each: Conversation) -> bool:
    return not each.archived and each.snoozed_until is None


@pytest.mark.parametrize(
    ("address", "is_meant"),
    [
        ("view=mine+unread", lambda each: in_sight(each) and each.assignee_id and each.unread_count),
        ("view=mine&view=&view=unread", lambda each: in_sight(each) and each.assignee_id and each.unread_count),
        (
            "view=unanswered+unread+unassigned&tag=vip",
            lambda each: in_sight(each) and each.waiting_since and each.unread_count and not each.assignee_id
            and "VIP" in each.fan.tags,
        ),
        ("view=archived+unread", lambda each: each.archived and each.unread_count),
        ("view=archived&view=snoozed&view=burnt", lambda each: each.archived),
        ("view=unassigned+mine", lambda each: in_sight(each) and not each.assignee_id),
    ],
)  # fmt: skip
def test_filters_of_different_kinds_join_and_of_one_kind_the_first_holds(
    app, inbox: Person, address: str, is_meant: Callable[[Conversation], Any]
):
    page = inbox.browser().get(f"/messages/onlyfans?{address}").text
    with app.app_context():
        every = db.session.scalars(select(Conversation).where(Conversation.account_id == inbox.account_id))
        meant = {each.id for each in every if is_meant(each)}
    assert meant
    assert {int(each) for each in re.findall(r'id="conversation-(\d+)"', page)} == meant


LAST = datetime.max.replace(tzinfo=UTC)
PLACES: dict[str, Any] = {
    "newest": lambda each: (each.last_message_at is None, -(each.last_message_at or LAST).timestamp(), -each.id),
    "waiting": lambda each: (each.waiting_since or LAST, each.id),
    "spend": lambda each: (-each.fan.value_cents, -each.fan_id),
}


def paged(person: Person, wanted: Filter, sort: str) -> list[int]:
    found, cursor = [], None
    while True:
        page = listing.page_of_inbox(
            person.account_id, person.user_id, wanted, SORTS[sort].order, limit=5, cursor=cursor, with_pinned=True
        )
        found += [each.id for each in page.rows]
        if not (cursor := page.next_cursor):
            return found


@pytest.mark.usefixtures("either_way")
def test_fans_are_found_by_any_part_of_a_name_or_address(app, inbox: Person):
    add_fan(inbox, 30, name="Mara", email="Mara@Example.com")
    with app.app_context():
        for said, number in (
            ("ann", 8),
            ("NNA", 2),
            ("王", 2),
            ("@fan9", 1),
            ("mara@ex", 1),
            ("e.c", 1),
            ("xq", 0),
            ("e", 7),
        ):
            rows, order = fans.search_fans(inbox.account_id, search=said), fans.SORTS["name"]
            rare = fans.rare_fans(inbox.account_id, rows, order, said)
            page, *counted = fetch_rare_counted(rows, order, rare, limit=50, most=50)
            assert (len(page.rows), counted) == (number, [number, True]), said
            assert [each.name_key for each in page.rows] == sorted(each.name_key for each in page.rows)
        assert search.find_fans(inbox.account_id, read("ann", "UTC"), limit=3)[1] == 8


def test_a_fan_who_is_renamed_or_deleted_is_found_as_they_are_now(app, ada: Person, monkeypatch):
    look_through(monkeypatch, 0)
    made = add_fan(ada, 1, name="Before", email="old@example.com")["id"]

    def found(said: str) -> int:
        with app.app_context():
            return search.find_fans(ada.account_id, read(said, "UTC"), limit=3)[1]

    assert (found("efor"), found("old@"), found("aft")) == (1, 1, 0)
    ada.call("PATCH", f"/api/crm/fans/{made}", json={"name": "After", "email": "new@example.com"})
    ada.call("PUT", f"/api/crm/fans/{made}", json={"name": "After", "handle": "fan1", "email": "new@example.com"})
    assert (found("efor"), found("old@"), found("aft"), found("new@")) == (0, 0, 1, 1)
    ada.call("DELETE", f"/api/crm/fans/{made}")
    assert (found("aft"), indexed(app)) == (0, 0)


def indexed(app) -> int:
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            return db.session.scalar(db.text("SELECT count(*) FROM fan_names")) or 0
        with write():
            db.session.execute(db.text("INSERT INTO fan_names (fan_names) VALUES ('integrity-check')"))
        return db.session.scalar(db.text("SELECT count(*) FROM fan_names WHERE fan_names MATCH '\"aft\"'")) or 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=HOSTILE.filter(lambda text: text.replace("\0", "").strip()), said=HOSTILE)
def test_any_name_is_found_by_its_parts_and_any_search_is_safe(app, ada: Person, monkeypatch, name: str, said: str):
    look_through(monkeypatch, 0)
    name = " ".join(name.replace("\0", "").split())
    with app.app_context():
        with write() as session:
            session.execute(db.delete(Fan))
            fan = Fan(account_id=ada.account_id, name=name, name_key=fold(name), search_text=fold(name))
            session.add(fan)
        for part in {name, name[:2], name[-1:], name[1:4], name[2:]} - {""}:
            rows = fans.search_fans(ada.account_id, search=part)
            rare = fans.rare_fans(ada.account_id, rows, fans.SORTS["name"], part)
            plain = db.session.scalars(rows).all()
            assert fetch_rare_page(rows, fans.SORTS["name"], rare, limit=5).rows == list(plain), part
        search.find_fans(ada.account_id, read(said, "UTC"), limit=3)


def test_large_numbers_are_counted_no_further_than_they_are_shown(ada: Person, monkeypatch):
    monkeypatch.setattr("app.fans.views.MOST_COUNTED", 2)
    add_fan(ada, 1)
    assert ">1 fan<" in ada.browser().get("/fans").text
    for number in range(2, 5):
        add_fan(ada, number, tags=["VIP"] if number == 2 else ["often", "VIP"])
    page = ada.browser().get("/fans").text
    assert ">2+ fans<" in page
    assert page.index("<option>VIP") < page.index("<option>often")
    assert ">3 fans found<" in ada.browser().get("/fans?tag=vip").text


def test_where_nothing_matches_it_is_not_said_that_there_is_nothing(ada: Person, sandbox):
    connect(ada, sandbox.url)
    browser = ada.browser()
    assert "No conversations yet" in browser.get("/messages/onlyfans").text
    page = browser.get("/messages/onlyfans?view=mine+unread").text
    assert "No conversations yet" not in page
    assert page.count("Show the whole inbox") == 2
