"""What a person has seen of a thread: drafts that wait, answers that are stopped once, and what others did meanwhile."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from app.accounts.models import User
from app.conversations import drafts, looking, notes, queries, sending_later
from app.conversations.actions import Draft
from app.conversations.desk_models import ReadMarker, SavedDraft
from app.conversations.models import Message
from app.database import db, utcnow, write
from app.money.actions import record_transaction
from app.money.models import Transaction
from tests.events import FAN, Platform, said
from tests.people import Person, make_person


@pytest.fixture
def thread(ada: Person, platform: Platform) -> int:
    platform.tell("messages.received", said())
    return ada.get("/api/crm/conversations")["conversations"][0]["id"]


@pytest.fixture
def bob(app) -> Person:
    return make_person(app, "bob@example.com", "Ada's account", role="chatter")


class Window:
    """A browser window with the thread open."""

    def __init__(self, person: Person, thread: int) -> None:
        self.browser: FlaskClient = person.browser()
        self.address = f"/messages/onlyfans/{thread}"
        self.reload()

    def reload(self) -> str:
        self.page = self.browser.get(self.address).text
        self.fields = {name: self._value(name) for name in ("csrf_token", "client_message_id", "seen")}
        return self.page

    def _value(self, name: str) -> str:
        found = re.search(rf'<form class="composer".*?name="{name}"[^>]*? value="([^"]*)"', self.page, re.DOTALL)
        assert found, name
        return found[1]

    def send(self, text: str) -> str:
        form = self.fields | {"text": text}
        answer = self.browser.post(self.address, data=form, headers={"HX-Request": "true"})
        self.page = answer.text
        self.fields |= {name: self._value(name) for name in ("client_message_id", "seen")}
        return answer.text

    def type(self, text: str, **others: str) -> int:
        return self.browser.post(f"{self.address}/draft", data=self.fields | {"text": text} | others).status_code


def written(text: str, message_id: int) -> dict:
    """By the fan, just now."""
    return said(text, message_id) | {"createdAt": datetime.now(UTC).isoformat()}


def texts(ada: Person, thread: int) -> list[str]:
    return [each["text"] for each in ada.get(f"/api/crm/conversations/{thread}/messages")["messages"]]


def texts_by_key(ada: Person, thread: int) -> dict[str, str]:
    with ada.app.app_context():
        mine = db.session.query(Message).filter_by(conversation_id=thread, direction="out")
        return {each.text: each.client_message_id or "" for each in mine}


# --- The reply guard ---


def test_an_answer_is_stopped_once_by_what_its_author_had_not_seen(
    ada: Person, bob: Person, platform: Platform, thread: int
):
    window = Window(ada, thread)
    platform.tell("messages.received", written("Forget it!", 2), "evt_2")
    Window(bob, thread).send("I have this")
    stopped = window.send("Gladly, when?")
    assert "Forget it!" in stopped
    assert "I have this" in stopped
    assert "Bob" in stopped
    assert "Gladly, when?" in stopped  # nothing typed is lost
    assert texts(ada, thread)[-1] == "I have this"
    assert 'class="missed"' not in window.send("Gladly, when?")
    assert texts(ada, thread)[-1] == "Gladly, when?"


def test_one_own_messages_and_programs_are_not_stopped(ada: Person, thread: int):
    window = Window(ada, thread)
    other = Window(ada, thread)
    other.send("From my other window")
    assert 'class="missed"' not in window.send("And from this one")
    ada.post(f"/api/crm/conversations/{thread}/messages", {"text": "By a program"}, 202)
    assert texts(ada, thread)[-2:] == ["And from this one", "By a program"]


def test_a_campaigns_message_stops_too(app, ada: Person, thread: int):
    window = Window(ada, thread)
    with app.app_context():
        fan = queries.find_conversation(ada.account_id, thread).fan_id
    ada.post("/api/messages/bulk", {"recipientIds": [fan], "content": "The news of the week"}, 202)
    stopped = window.send("Hello")
    assert "A campaign" in stopped
    assert "The news of the week" in stopped


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 30])
def test_a_form_that_does_not_say_what_was_seen_is_sent(ada: Person, platform: Platform, thread: int, seen: str):
    window = Window(ada, thread)
    platform.tell("messages.received", written("News", 2), "evt_2")
    window.fields["seen"] = seen
    window.send("Hello")
    assert texts(ada, thread)[-1] == "Hello"


# --- Drafts ---


def test_a_draft_waits_for_its_person_and_becomes_one_message(app, ada: Person, bob: Person, thread: int):
    window = Window(ada, thread)
    assert window.type("Dear Anna, I", price="12.50") == 204
    key = window.fields["client_message_id"]
    elsewhere = Window(ada, thread)
    assert "Dear Anna, I" in elsewhere.page
    assert 'value="12.50"' in elsewhere.page
    assert elsewhere.fields["client_message_id"] == key
    assert "Dear Anna" not in Window(bob, thread).page
    window.send("Dear Anna, I am here")
    assert "Dear Anna, I<" not in Window(ada, thread).page
    assert window.type("Dear Anna, I", client_message_id=key) == 200  # late, from before the sending
    with app.app_context():
        assert db.session.query(SavedDraft).all() == []


def test_two_windows_with_one_draft_send_what_each_of_them_says(app, ada: Person, thread: int):
    window = Window(ada, thread)
    window.type("Dear Anna")
    elsewhere = Window(ada, thread)
    window.send("Dear Anna, yes")
    assert elsewhere.send("Dear Anna, yes").count('data-key="') == 1  # the same is one message
    elsewhere.fields["client_message_id"] = key = texts_by_key(ada, thread)["Dear Anna, yes"]
    asked = elsewhere.send("And no")
    assert "Send this one too?" in asked
    assert "And no</textarea>" in asked
    assert elsewhere.fields["client_message_id"] != key
    assert "And no</textarea>" in Window(ada, thread).page  # kept, if that window is closed now
    assert "Send this one too?" not in elsewhere.send("And no")
    assert texts(ada, thread)[1:] == ["Dear Anna, yes", "And no"]
    with app.app_context():
        assert db.session.query(SavedDraft).all() == []


def test_without_javascript_too_a_new_text_under_a_used_key_is_asked_about(ada: Person, thread: int):
    window = Window(ada, thread)
    old = dict(window.fields)
    window.send("The first")
    window.page = window.browser.post(window.address, data=old | {"text": "The second"}).text
    assert "The second</textarea>" in window.page
    assert window._value("client_message_id") != old["client_message_id"]


def test_what_is_begun_after_a_message_outlives_a_late_draft_of_it(app, ada: Person, thread: int):
    window = Window(ada, thread)
    old = dict(window.fields)
    window.send("Dear Anna")
    window.type("By the way")
    answer = window.browser.post(f"{window.address}/draft", data=old | {"text": "Dear"})
    assert (answer.status_code, answer.text) == (200, "sent")
    window.browser.post(f"{window.address}/draft", data=old | {"text": "", "client_message_id": "another"})
    with app.app_context():
        assert [each.text for each in db.session.query(SavedDraft)] == ["By the way"]


def test_an_emptied_draft_is_gone_and_a_wrong_one_changes_nothing(app, ada: Person, thread: int):
    window = Window(ada, thread)
    window.type("Kept")
    assert window.type("x" * 5001) == 400
    assert window.type("Kept", price="-3") == 400
    with app.app_context():
        conversation = queries.find_conversation(ada.account_id, thread)
        assert (found := drafts.find_draft(conversation, ada.user_id)) is not None
        assert found.text == "Kept"
    window.type("  ")
    with app.app_context():
        assert db.session.query(SavedDraft).all() == []


def test_nobody_drafts_or_reads_in_anothers_thread(app, ada: Person, eve: Person, thread: int):
    hers = Window(ada, thread)
    token = re.search(r'name="csrf_token" value="([^"]+)"', (browser := eve.browser()).get("/messages/onlyfans").text)
    assert token
    form = hers.fields | {"csrf_token": token[1], "text": "Mine now"}
    for address in (hers.address, f"{hers.address}/draft", f"{hers.address}/read"):
        assert browser.post(address, data=form).status_code == 404
    with app.app_context():
        assert db.session.query(SavedDraft).all() == []
        assert {marker.user_id for marker in db.session.query(ReadMarker)} == {ada.user_id}


# --- Since you last looked ---


def test_what_others_did_since_is_said_once(ada: Person, bob: Person, platform: Platform, thread: int):
    window = Window(ada, thread)
    his = Window(bob, thread)
    his.send("First")
    his.send("Second")
    platform.tell("messages.received", written("Thank you", 2), "evt_2")
    with ada.app.app_context():
        notes.add_note(ada.account_id, thread, bob.user_id, "He likes cats")
        draft, at = Draft(text="Later", author_id=bob.user_id), datetime.now(UTC) + timedelta(hours=1)
        sending_later.send_later(ada.account_id, thread, draft, at, unless_answered=False)
    page = window.reload()
    assert "Bob wrote 1 note." in page
    assert "Bob has an answer that goes" in page
    assert "Since you last looked" in page
    assert "Bob wrote 2 messages." in page
    assert page.index("New since") < page.index("First</p>") < page.index("Thank you</p>")
    assert "Since you last looked" not in window.reload()


def test_what_was_bought_and_what_was_taken_back_since_are_two_things(ada: Person, bob: Person, thread: int):
    window = Window(ada, thread)
    Window(bob, thread).send("First")
    with ada.app.app_context(), write():
        fan = queries.find_conversation(ada.account_id, thread).fan
        for kind, cents in (("tip", 1200), ("refund", -2000)):
            record_transaction(fan, transaction_id=kind, kind=kind, gross_cents=cents, net_cents=None, at=utcnow())
    page = window.reload()
    assert "Fan One spent $12.00." in page
    assert "$20.00 that Fan One had paid was taken back." in page
    assert "-$" not in page.partition("Since you last looked")[2].partition("</details>")[0]


def test_what_was_written_there_bought_and_sent_to_many_is_said_too(app, ada: Person, platform: Platform, thread: int):
    window = Window(ada, thread)
    fan = ada.get("/api/crm/conversations")["conversations"][0]["fanId"]
    platform.tell("messages.sent", written("By hand, there", 5) | {"toUser": FAN, "fromUser": {"id": 1}}, "evt_5")
    page = window.reload()
    assert "1 message was written on the platform." in page
    assert "spent" not in since_of(page)
    assert "campaign" not in since_of(page)

    ada.post("/api/messages/bulk", {"recipientIds": [fan], "content": "To everybody"}, 202)
    platform.tell("messages.sent", written("Once more", 6) | {"toUser": FAN, "fromUser": {"id": 1}}, "evt_6")
    with app.app_context(), write() as session:
        tip = {"platform_transaction_id": "tip", "kind": "tip", "gross_cents": 2550, "at": datetime.now(UTC)}
        session.add(Transaction(account_id=ada.account_id, fan_id=fan, **tip))
    page = since_of(window.reload())
    assert "1 message was written on the platform." in page
    assert "1 campaign message went out." in page
    assert "Fan One spent $25.50." in page


def test_what_those_wrote_who_have_left_since_is_said_too(app, ada: Person, bob: Person, thread: int):
    window = Window(ada, thread)
    Window(bob, thread).send("Goodbye")
    with app.app_context():
        notes.add_note(ada.account_id, thread, bob.user_id, "He was nice")
        draft, at = Draft(text="Later", author_id=bob.user_id), datetime.now(UTC) + timedelta(hours=1)
        sending_later.send_later(ada.account_id, thread, draft, at, unless_answered=False)
        with write() as session:
            session.execute(db.delete(User).where(User.id == bob.user_id))
    page = since_of(window.reload())
    assert "Somebody who has left wrote 1 message." in page
    assert "Somebody who has left wrote 1 note." in page
    assert "Somebody who has left has an answer that goes" in page
    assert "platform" not in page


def since_of(page: str) -> str:
    return page.partition('<details class="since"')[2].partition("</details>")[0]


def test_what_only_the_fan_wrote_is_marked_as_new_and_no_more(ada: Person, platform: Platform, thread: int):
    window = Window(ada, thread)
    assert "New since" not in window.page  # never looked before: all of it is new
    platform.tell("messages.received", written("Hello?", 2), "evt_2")
    page = window.reload()
    assert "New since" in page
    assert "Since you last looked" not in page


def test_the_marker_never_goes_back(app, ada: Person, thread: int):
    window = Window(ada, thread)
    with app.app_context():
        conversation = queries.find_conversation(ada.account_id, thread)
        marker = looking.find_marker(conversation, ada.user_id)
        assert marker is not None
        newest = marker.message_id
    assert window.browser.post(f"{window.address}/read", data=window.fields | {"seen": "1"}).status_code == 204
    assert window.browser.post(f"{window.address}/read", data=window.fields | {"seen": "9" * 30}).status_code == 204
    with app.app_context():
        marker = looking.find_marker(conversation, ada.user_id)
        assert marker is not None
        assert marker.message_id == newest
