"""Private notes: for colleagues, between the messages, and never for the fan."""

import pytest

from app.conversations import live, notes, queries, thread
from app.conversations.desk_models import Note
from app.conversations.models import Message
from app.database import db
from app.errors import Forbidden, Invalid, NotFound
from tests.people import Person, add_fan, connect, make_person
from tests.sending import drain
from tests.test_looking import Window


@pytest.fixture
def bob(app) -> Person:
    return make_person(app, "bob@example.com", "Ada's account", role="chatter")


@pytest.fixture
def conversation_id(ada: Person, sandbox) -> int:
    connect(ada, sandbox.url)
    return ada.post("/api/crm/conversations", {"fanId": add_fan(ada)["id"]})["id"]


def test_a_note_stands_between_the_messages_and_never_leaves(app, ada: Person, bob: Person, conversation_id: int):
    window = Window(ada, conversation_id)
    window.send("Before")
    window.fields["mode"] = "note"
    assert "Between us" in window.send("Between us, see https://example.com/x")
    window.fields["mode"] = "reply"
    window.send("After")
    drain(app)
    page = Window(bob, conversation_id).page
    assert page.index("Before</p>") < page.index("Between us") < page.index("After</p>")
    assert 'href="https://example.com/x" rel="noopener' in page
    told = [each["text"] for each in ada.get(f"/api/crm/conversations/{conversation_id}/messages")["messages"]]
    assert told == ["Before", "After"]
    with app.app_context():
        assert all("Between us" not in message.text for message in db.session.query(Message))
        assert queries.find_conversation(ada.account_id, conversation_id).last_message_id is not None


def test_each_note_is_on_one_page_however_one_pages(app, ada: Person, conversation_id: int, monkeypatch):
    monkeypatch.setattr(thread, "MESSAGES_PER_PAGE", 3)
    with app.app_context():
        notes.add_note(ada.account_id, conversation_id, ada.user_id, "note 0")
    for number in range(1, 9):
        ada.post(f"/api/crm/conversations/{conversation_id}/messages", {"text": f"text {number}"}, 202)
        with app.app_context():
            notes.add_note(ada.account_id, conversation_id, ada.user_id, f"note {number}")
    with app.app_context():
        conversation = queries.find_conversation(ada.account_id, conversation_id)
        page = thread.page_of(conversation)
        seen = [each.text for each in page.entries]
        while page.more:
            page = thread.page_of(conversation, page.messages[0])
            seen = [each.text for each in page.entries] + seen
    assert seen == ["note 0", *(f"{kind} {number}" for number in range(1, 9) for kind in ("text", "note"))]


def test_its_author_changes_it_and_brings_it_back(app, ada: Person, bob: Person, conversation_id: int):
    with app.app_context():
        note = notes.add_note(ada.account_id, conversation_id, ada.user_id, "He likes dogs")
        whose = (ada.account_id, note.id, ada.user_id)
        assert notes.change_note(*whose, "He likes cats").edited_at is not None
        for verb in (notes.remove_note, notes.restore_note):
            with pytest.raises(Forbidden):
                verb(ada.account_id, note.id, bob.user_id)
        with pytest.raises(Forbidden):
            notes.change_note(ada.account_id, note.id, bob.user_id, "No")
        notes.remove_note(*whose)
        conversation = queries.find_conversation(ada.account_id, conversation_id)
        assert thread.page_of(conversation).entries == []
        assert live.replay(ada.account_id, f"thread:{conversation_id}", conversation.seq, 0)["items"] == [
            {"kind": "note", "id": note.id, "html": None}
        ]
        notes.restore_note(*whose)
        assert [each.text for each in thread.page_of(conversation).entries] == ["He likes cats"]


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 5001])
def test_nothing_is_written_of_a_wrong_note(app, ada: Person, conversation_id: int, text: str):
    with app.app_context():
        with pytest.raises(Invalid):
            notes.add_note(ada.account_id, conversation_id, ada.user_id, text)
        assert db.session.query(Note).all() == []


def test_a_notes_form_makes_one_however_often_it_comes(app, ada: Person, bob: Person, conversation_id: int):
    window = Window(ada, conversation_id)
    form = window.fields | {"mode": "note"}

    def post(person: Window, text: str, **fields: str) -> str:
        said = form | {"csrf_token": person.fields["csrf_token"], "text": text} | fields
        return person.browser.post(person.address, data=said, headers={"HX-Request": "true"}).text

    assert "He likes dogs</p>" in post(window, "He likes dogs")
    assert "He likes dogs</p>" in post(window, "He likes dogs")
    window.page = post(window, "And cats")
    assert "Send this one too?" in window.page
    assert "And cats</textarea>" in window.page
    assert window.type("He likes", mode="note") == 200  # late: it is no draft any more
    assert "He likes<" not in Window(ada, conversation_id).page
    assert "And cats</p>" in post(window, "And cats", client_message_id=window._value("client_message_id"))
    assert "From Bob</p>" in post(Window(bob, conversation_id), "From Bob")
    with app.app_context():
        assert [each.text for each in db.session.query(Note)] == ["He likes dogs", "And cats", "From Bob"]


def test_a_note_has_no_price(ada: Person, conversation_id: int):
    window = Window(ada, conversation_id)
    window.fields |= {"mode": "note", "price": "5"}
    assert "A note has neither price nor files" in window.send("Between us")


def test_notes_of_another_account_do_not_exist(app, ada: Person, eve: Person, conversation_id: int):
    with app.app_context():
        note = notes.add_note(ada.account_id, conversation_id, ada.user_id, "Ours")
        for verb in (notes.remove_note, notes.restore_note):
            with pytest.raises(NotFound):
                verb(eve.account_id, note.id, eve.user_id)
        with pytest.raises(NotFound):
            notes.add_note(eve.account_id, conversation_id, eve.user_id, "Mine")


def test_a_fans_notes_go_with_the_fan(app, ada: Person, conversation_id: int):
    with app.app_context():
        notes.add_note(ada.account_id, conversation_id, ada.user_id, "Gone soon")
        fan = queries.find_conversation(ada.account_id, conversation_id).fan_id
    assert ada.call("DELETE", f"/api/crm/fans/{fan}").status_code == 204
    with app.app_context():
        assert db.session.query(Note).all() == []


def test_a_draft_of_a_note_comes_back_as_a_note(ada: Person, conversation_id: int):
    window = Window(ada, conversation_id)
    window.type("Only for us", mode="note")
    page = window.reload()
    assert "Only for us" in page
    assert 'name="mode" value="note" checked' in page
    window.fields["mode"] = "note"
    window.send("Only for us")
    assert ">Only for us<" not in window.reload().partition("<textarea")[2].partition("</textarea>")[0]
