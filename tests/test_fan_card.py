"""Who one talks with: what they paid, their tags, notes and clock, and what happened with them, in one line of time."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.conversations import notes, rooms
from app.conversations.models import Message
from app.database import utcnow, write
from app.errors import Conflict, Invalid
from app.fans import actions, queries
from app.fans.models import Fan
from app.money import queries as money
from app.money.actions import record_transaction
from app.money.models import Transaction
from app.timeline.queries import KINDS, happenings
from tests.imports.conftest import Importer
from tests.people import Person, add_fan, connect, submit


@pytest.fixture
def fan(ada: Person, sandbox) -> int:
    connect(ada, sandbox.url)
    return add_fan(ada, 1, tags=["VIP"])["id"]


@pytest.fixture
def thread(ada: Person, fan: int) -> int:
    return ada.post("/api/crm/conversations", {"fanId": fan})["id"]


def pay(ada: Person, fan_id: int, kind: str, cents: int, days_ago: float) -> None:
    with ada.app.app_context(), write():
        fan = queries.find_fan(ada.account_id, fan_id)
        at = utcnow() - timedelta(days=days_ago)
        key = f"{kind}-{cents}-{days_ago}"
        record_transaction(fan, transaction_id=key, kind=kind, gross_cents=cents, net_cents=None, at=at)


class Card:
    """A browser on the conversation, and the forms of the card beside it."""

    def __init__(self, person: Person, fan: int) -> None:
        self.browser: FlaskClient = person.browser()
        self.fan = fan
        self.token = self.browser.get("/fans").text.partition('name="csrf_token" value="')[2].partition('"')[0]

    def post(self, path: str, *, script: bool = True, **fields: str):
        headers = {"HX-Request": "true"} if script else {}
        return self.browser.post(f"/fans/{self.fan}/{path}", data={"csrf_token": self.token, **fields}, headers=headers)


def test_spend_is_told_by_kind_and_of_the_last_30_days(ada: Person, fan: int, thread: int):
    for kind, cents, days_ago in (("tip", 500, 1), ("tip", 700, 40), ("message", 2000, 2), ("subscription", 999, 29)):
        pay(ada, fan, kind, cents, days_ago)
    with ada.app.app_context():
        spend = money.spend_of(ada.account_id, fan)
        assert [(each.kind, each.cents) for each in spend.kinds] == [
            ("message", 2000), ("tip", 1200), ("subscription", 999),
        ]  # fmt: skip
        assert spend.recent_cents == 500 + 2000 + 999
        assert spend.last
        assert spend.last.kind == "tip"
    page = ada.browser().get(f"/messages/onlyfans/{thread}").text
    for words in ("$41.99", "$34.99", "Paid messages", "$20.00", "Last purchase"):
        assert words in page


def test_what_was_paid_in_another_currency_is_shown_and_not_added_up(app, ada: Person, fan: int, thread: int):
    pay(ada, fan, "tip", 500, 1)
    seen_at = utcnow() - timedelta(days=3)
    Importer(app, ada)("Transaction ID,Username,Amount,Currency,Date,Type\nb,fan1,7.00,EUR,2026-10-05T12:00:03Z,Tip\n")
    with ada.app.app_context():
        assert money.spend_of(ada.account_id, fan).kinds[0].cents == 500
        assert money.spent_since(ada.account_id, fan, seen_at - timedelta(days=3000)) == (500, 0)
    assert ada.get(f"/api/crm/fans/{fan}")["valueCents"] == 500
    assert "<strong>7.00 EUR</strong>" in ada.browser().get(f"/fans/{fan}/timeline").text


def test_what_was_taken_back_or_subscribed_is_no_purchase(ada: Person, fan: int, thread: int):
    for kind, cents, days_ago in (("tip", 500, 9), ("message", -500, 4), ("chargeback", -300, 3), ("renewal", 800, 2)):
        pay(ada, fan, kind, cents, days_ago)
    with ada.app.app_context():
        spend, of_fan = money.spend_of(ada.account_id, fan), queries.find_fan(ada.account_id, fan)
        assert spend.last
        assert spend.last.kind == "tip"
        assert spend.last.at == of_fan.last_purchase_at < utcnow() - timedelta(days=8)
        assert of_fan.value_cents == 500


def test_a_spend_brought_by_hand_is_marked_as_such(ada: Person, thread: int, fan: int):
    ada.put(f"/api/crm/fans/{fan}", {"valueCents": 1250})
    page = ada.browser().get(f"/messages/onlyfans/{thread}").text
    assert "by hand or by file" in page
    assert "Last purchase" not in page


def test_what_a_file_said_stands_beside_the_sum_of_fewer_payments(ada: Person, thread: int, fan: int):
    """The first payment of a fan whose history came by file does not make them seem to have spent no more."""
    ada.put(f"/api/crm/fans/{fan}", {"valueCents": 1250})
    said = "<dt>A file or a person said</dt><dd>$12.50</dd>"
    pages = f"/messages/onlyfans/{thread}", f"/fans/{fan}"
    assert not any(said in ada.browser().get(page).text for page in pages)
    pay(ada, fan, "tip", 500, 1)
    assert all(said in ada.browser().get(page).text for page in pages)
    pay(ada, fan, "tip", 900, 1)
    assert not any(said in ada.browser().get(page).text for page in pages)


def test_a_tag_is_added_and_taken_away_beside_the_thread(ada: Person, fan: int):
    card = Card(ada, fan)
    assert "Whale" in card.post("tags", add=" Whale ").text
    card.post("tags", add="whale")
    assert ada.get(f"/api/crm/fans/{fan}")["tags"] == ["VIP", "Whale"]
    assert "Whale" not in card.post("tags", remove="WHALE").text
    assert card.post("tags", script=False, add="Plain").status_code == 302
    assert ada.get(f"/api/crm/fans/{fan}")["tags"] == ["Plain", "VIP"]


@pytest.mark.parametrize("tag", ["", "  ", "a,b", "x" * 101])
def test_what_is_no_tag_is_refused_beside_the_field(ada: Person, fan: int, tag: str):
    answer = Card(ada, fan).post("tags", add=tag)
    assert answer.status_code == 422
    assert "A tag has 1 to 100 characters, and no comma." in answer.text
    assert ada.get(f"/api/crm/fans/{fan}")["tags"] == ["VIP"]


def test_no_more_tags_than_a_fan_may_have(app, ada: Person, fan: int):
    ada.put(f"/api/crm/fans/{fan}", {"tags": [f"tag {number}" for number in range(50)]})
    with app.app_context():
        with pytest.raises(Invalid):
            actions.tag_fan(ada.account_id, fan, "one more")
        assert actions.tag_fans(ada.account_id, select(Fan.id), "x") == 0


def test_notes_are_not_written_over_what_somebody_else_wrote_meanwhile(app, ada: Person, fan: int):
    card = Card(ada, fan)
    with app.app_context():
        version = queries.find_fan(ada.account_id, fan).notes_version
    assert card.post("notes", notes="Likes jazz\r\nand tea", version=version).status_code == 200
    assert ada.get(f"/api/crm/fans/{fan}")["notes"] == "Likes jazz\nand tea"
    late = card.post("notes", notes="Likes rock", version=version)
    assert late.status_code == 422
    assert "Somebody changed these notes meanwhile." in late.text
    assert "Likes rock" in late.text
    assert "Likes jazz" in late.text
    assert ada.get(f"/api/crm/fans/{fan}")["notes"] == "Likes jazz\nand tea"
    plain = card.post("notes", script=False, notes="Likes rock", version=version)
    assert plain.status_code == 422
    assert "<title>Notes on" in plain.text
    with app.app_context(), pytest.raises(Conflict):
        actions.change_notes(ada.account_id, fan, "x", version)
    assert card.post("notes", notes="Likes jazz\nand tea", version=version).status_code == 200, (
        "the same is no conflict"
    )


def test_whoever_changes_what_is_shown_of_them_makes_another_version(app, ada: Person, fan: int, thread: int):
    def version() -> str:
        with app.app_context():
            (told,) = rooms.fans_of([rooms.thread_room(thread), rooms.inbox_room(ada.account_id)]).values()
            assert told == queries.find_fan(ada.account_id, fan).version
            return told

    seen, card = [version()], Card(ada, fan)
    assert version() == seen[0]

    def has_another() -> None:
        seen.append(version())
        assert len(set(seen)) == len(seen)

    ada.put(f"/api/crm/fans/{fan}", {"name": "Zoe"})
    has_another()
    card.post("tags", add="Whale")
    has_another()
    card.post("tags", remove="Whale")
    has_another()
    with app.app_context():
        actions.tag_fans(ada.account_id, select(Fan.id).where(Fan.id == fan), "many at once")
        notes_version = queries.find_fan(ada.account_id, fan).notes_version
    has_another()
    card.post("notes", notes="Likes jazz", version=notes_version)
    has_another()
    pay(ada, fan, "tip", 500, 1)
    has_another()
    Importer(app, ada)("Username,Subscription Tier\nfan1,Gold\n")
    has_another()
    shown = ada.browser().get(f"/messages/onlyfans/{thread}/fan").text
    assert f'data-version="{seen[-1]}"' in shown
    assert all(each in shown for each in ("Zoe", "many at once", "Likes jazz", "$5.00", "Gold"))


def test_nobody_elses_fan_is_shown(eve: Person, thread: int):
    assert eve.browser().get(f"/messages/onlyfans/{thread}/fan").status_code == 404


def test_their_clock_stands_beside_the_thread(ada: Person, fan: int, thread: int):
    browser, card = ada.browser(), Card(ada, fan)
    assert "for them" not in browser.get(f"/messages/onlyfans/{thread}").text
    form = {"csrf_token": card.token, "name": "Fan 1", "handle": "fan1", "platform_fan_id": "100000001"}
    wrong = card.browser.post(f"/fans/{fan}", data=form | {"timezone": "Mars/Olympus"})
    assert "Choose the name of a time zone" in wrong.text
    card.browser.post(f"/fans/{fan}", data=form | {"timezone": "Asia/Tokyo"})
    assert "JST" in browser.get(f"/messages/onlyfans/{thread}").text
    assert "Asia/Tokyo" in browser.get("/fans.csv").text


@pytest.fixture
def eventful(app, ada: Person, fan: int, thread: int) -> int:
    """A fan with something of each kind."""
    ada.post("/api/messages/bulk", {"recipientIds": [fan], "content": "News", "campaignName": "Got it"}, 202)
    ada.put(f"/api/crm/fans/{fan}", {"doNotMessage": True})
    ada.post("/api/messages/bulk", {"recipientIds": [fan], "content": "More", "campaignName": "Missed it"}, 202)
    ada.put(f"/api/crm/fans/{fan}", {"doNotMessage": False})
    paid = {"text": "The set", "priceCents": 1500, "attachments": [{"type": "photo", "url": "platform:abc"}]}
    ada.post(f"/api/crm/conversations/{thread}/messages", paid, 202)
    pay(ada, fan, "tip", 300, 0)
    with app.app_context():
        notes.add_note(ada.account_id, thread, ada.user_id, "Promised a picture")
    return fan


def test_the_timeline_tells_all_of_it_the_newest_first(app, ada: Person, eventful: int):
    with app.app_context():
        page = happenings(queries.find_fan(ada.account_id, eventful), limit=50)
    assert [each.kind for each in page.rows] == ["notes", "money", "offers", "campaigns", "campaigns"]
    assert [each.at for each in page.rows] == sorted((each.at for each in page.rows), reverse=True)


def test_a_payment_leads_to_the_message_that_it_was_for(app, ada: Person, eventful: int, thread: int):
    with app.app_context(), write() as session:
        bought = session.scalars(select(Message.id).where(Message.price_cents == 1500)).one()
        session.execute(update(Transaction).values(message_id=bought, kind="message"))
    browser = ada.browser()
    timeline = browser.get(f"/fans/{eventful}/timeline").text
    assert "</strong> paid message" in timeline
    link = re.search(r'<a href="([^"]+)">the message</a>', timeline)[1].replace("&amp;", "&")
    assert link == f"/messages/onlyfans/{thread}?at={bought}"
    assert f'id="message-{bought}"' in browser.get(link).text


def test_its_pages_hold_each_thing_once(app, ada: Person, eventful: int):
    with app.app_context():
        fan = queries.find_fan(ada.account_id, eventful)
        whole, cursor, seen = happenings(fan, limit=50).rows, None, []
        while True:
            page = happenings(fan, limit=2, cursor=cursor)
            seen += page.rows
            cursor = page.next_cursor
            if cursor is None:
                break
        assert [(each.kind, each.at) for each in seen] == [(each.kind, each.at) for each in whole]
        for kind in KINDS:
            assert [each.at for each in happenings(fan, kind, limit=50).rows] == [
                each.at for each in whole if each.kind == kind
            ]


def test_why_the_fan_got_a_campaign_or_not(ada: Person, eventful: int):
    page = ada.browser().get(f"/fans/{eventful}/timeline?what=campaigns").text
    assert "It went to fans chosen one by one." in page
    assert "Left out: must not be messaged." in page
    assert "Promised a picture" not in page


def test_a_fan_with_nothing_behind_them_is_told_as_such(ada: Person, fan: int):
    browser = ada.browser()
    assert "Nothing here" in browser.get(f"/fans/{fan}/timeline").text
    beside = browser.get(f"/fans/{fan}/timeline?what=campaigns", headers={"HX-Request": "true"}).text
    assert "In no campaign so far." in beside
    assert "<html" not in beside


def test_all_that_match_are_tagged_once_the_number_was_seen(ada: Person, eve: Person, fan: int, thread: int):
    add_fan(eve, 1)
    card = Card(ada, fan)
    form = {"csrf_token": card.token, "which": "all", "do": "tag", "tag": "Spring"}
    asked = card.browser.post("/messages/onlyfans/triage", data=form)
    assert "1 conversation" in asked.text
    assert ada.get(f"/api/crm/fans/{fan}")["tags"] == ["VIP"]
    card.browser.post("/messages/onlyfans/triage", data=form | {"confirmed": "1"})
    assert ada.get(f"/api/crm/fans/{fan}")["tags"] == ["Spring", "VIP"]
    card.browser.post("/messages/onlyfans/triage", data=form | {"confirmed": "1", "tag": ""})
    assert ada.get(f"/api/crm/fans/{fan}")["tags"] == ["Spring", "VIP"]
    assert ada.get("/api/crm/fans?tag=spring")["total"] == 1
    assert eve.get("/api/crm/fans?tag=spring")["total"] == 0


def test_too_many_tags_in_the_fans_form_are_refused_beside_the_field(ada: Person, fan: int):
    card = Card(ada, fan)
    form = {"csrf_token": card.token, "name": "Fan 1", "tags": ",".join(f"tag {number}" for number in range(51))}
    answer = card.browser.post(f"/fans/{fan}", data=form)
    assert answer.status_code == 400
    assert "At most 50 tags of 100 characters each." in answer.text


def test_the_first_faulty_field_of_a_fan_takes_the_focus(ada: Person):
    browser = ada.browser()
    page = submit(browser, "/fans/new", name="Zoë", handle="x" * 300, email="no address").text
    focused = re.search(r"<[^>]*\sautofocus[^>]*>", page)
    assert focused
    assert 'id="handle"' in focused[0]
