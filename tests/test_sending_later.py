"""Answers for later: sent once at their time, or given back to a person with the reason."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import sweep
from app.conversations import queries, sending_later, thread
from app.conversations.actions import Draft, WrittenMeanwhile
from app.conversations.desk_models import LaterReply, LaterStatus, SavedDraft
from app.conversations.models import Conversation
from app.database import db, utcnow, write
from app.errors import Conflict, Invalid, NotFound
from tests.events import Platform, said
from tests.people import Person, add_fan
from tests.sending import drain
from tests.test_looking import Window, texts, written

SOON = timedelta(minutes=5)


@pytest.fixture
def thread_id(ada: Person, platform: Platform) -> int:
    platform.tell("messages.received", said())
    return ada.get("/api/crm/conversations")["conversations"][0]["id"]


def plan(ada: Person, thread_id: int, text: str = "Good morning", *, unless_answered: bool = True, **more: Any) -> int:
    with ada.app.app_context():
        draft = Draft(text=text, author_id=ada.user_id, **more)
        at = utcnow() + SOON
        later = sending_later.send_later(ada.account_id, thread_id, draft, at, unless_answered=unless_answered)
        return later.id


def make_due(ada: Person, later_id: int, ago: timedelta = timedelta(seconds=1)) -> None:
    with ada.app.app_context(), write() as session:
        session.get_one(LaterReply, later_id).send_at = utcnow() - ago


def sweep_once(ada: Person) -> None:
    with ada.app.app_context():
        sweep.ring_again(("incoming",))


def state(ada: Person, later_id: int) -> tuple[str, str]:
    with ada.app.app_context():
        later = sending_later.find_later(ada.account_id, later_id)
        return later.status, later.reason


def test_it_goes_at_its_time_and_not_before(app, ada: Person, thread_id: int, sandbox):
    later = plan(ada, thread_id)
    sweep_once(ada)
    assert texts(ada, thread_id)[1:] == []
    make_due(ada, later)
    sweep_once(ada)
    sweep_once(ada)
    drain(app)
    assert texts(ada, thread_id)[1:] == ["Good morning"]
    assert state(ada, later) == (LaterStatus.SENT, "")
    with app.app_context():
        conversation = queries.find_conversation(ada.account_id, thread_id)
        assert [each.kind for each in thread.page_of(conversation).entries] == ["message", "message"]
        assert conversation.waiting_since is None  # answered


def test_a_fan_who_answers_first_cancels_it(ada: Person, platform: Platform, thread_id: int):
    later, stays = plan(ada, thread_id), plan(ada, thread_id, "Whatever you say", unless_answered=False)
    platform.tell("messages.received", written("Here I am", 2), "evt_2")
    assert state(ada, later) == (LaterStatus.CANCELLED, "They wrote first.")
    make_due(ada, later)
    make_due(ada, stays)
    sweep_once(ada)
    assert texts(ada, thread_id)[1:] == ["Here I am", "Whatever you say"]
    with ada.app.app_context():
        sending_later.send_now(ada.account_id, later)
    assert texts(ada, thread_id)[1:] == ["Here I am", "Whatever you say", "Good morning"]


def test_two_who_send_it_at_once_send_it_once(app, ada: Person, thread_id: int):
    later = plan(ada, thread_id)
    make_due(ada, later)
    refused = []

    def press() -> None:
        try:
            with app.app_context():
                sending_later.send_now(ada.account_id, later)
        except Conflict as error:
            refused.append(error.detail)

    hands = [threading.Thread(target=press) for _ in range(4)] + [
        threading.Thread(target=sweep_once, args=(ada,)) for _ in range(2)
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert texts(ada, thread_id)[1:] == ["Good morning"]
    assert set(refused) <= {"It was sent already."}


def test_one_that_died_half_way_has_done_nothing(app, ada: Person, thread_id: int, monkeypatch):
    later = plan(ada, thread_id)
    make_due(ada, later)

    def die(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(sending_later, "_news_of", die)
    with app.app_context(), pytest.raises(SystemExit):
        sending_later.send_due()
    monkeypatch.undo()
    assert texts(ada, thread_id)[1:] == []
    sweep_once(ada)
    assert texts(ada, thread_id)[1:] == ["Good morning"]


def test_what_comes_hours_too_late_is_given_back(ada: Person, thread_id: int):
    fine, too_late = plan(ada, thread_id, "Still fine"), plan(ada, thread_id, "Too late")
    make_due(ada, fine, timedelta(hours=5))
    make_due(ada, too_late, timedelta(hours=7))
    sweep_once(ada)
    assert texts(ada, thread_id)[1:] == ["Still fine"]
    assert state(ada, too_late) == (LaterStatus.CANCELLED, "It was due while nothing ran.")


def test_a_fan_who_must_not_be_messaged_gets_nothing_and_a_person_hears_why(ada: Person, thread_id: int):
    later = plan(ada, thread_id)
    fan = ada.get("/api/crm/conversations")["conversations"][0]["fanId"]
    ada.put(f"/api/crm/fans/{fan}", {"doNotMessage": True})
    ada.post(f"/api/crm/conversations/{thread_id}/read", status=204)
    make_due(ada, later)
    sweep_once(ada)
    status, reason = state(ada, later)
    assert status == LaterStatus.CANCELLED
    assert "do not message" in reason
    assert ada.get("/api/crm/conversations?unread=true")["total"] == 1
    with ada.app.app_context(), pytest.raises(Conflict):
        sending_later.send_now(ada.account_id, later)


def test_a_price_that_has_become_too_low_is_named_as_people_name_it(ada: Person, thread_id: int):
    later = plan(ada, thread_id, price_cents=1000, attachments=[{"type": "other", "url": "platform:5", "name": ""}])
    connection = ada.get("/api/connections")["connections"][0]["id"]
    ada.put(f"/api/connections/{connection}", {"priceRange": {"minCents": 2000, "maxCents": 20000}})
    make_due(ada, later)
    sweep_once(ada)
    reason = "It can no longer be sent: The price must be 0 or $20.00 to $200.00."
    assert state(ada, later) == (LaterStatus.CANCELLED, reason)


def test_taken_back_it_is_a_draft_and_cancelled_it_is_gone(ada: Person, thread_id: int):
    edited, cancelled = plan(ada, thread_id, "To be edited"), plan(ada, thread_id, "Never mind")
    with ada.app.app_context():
        sending_later.take_back(ada.account_id, edited, ada.user_id)
        sending_later.cancel(ada.account_id, cancelled)
        assert db.session.query(LaterReply).all() == []
        assert [each.text for each in db.session.query(SavedDraft)] == ["To be edited"]
    assert "To be edited</textarea>" in Window(ada, thread_id).page


def test_it_is_taken_back_over_nothing_that_was_begun(ada: Person, thread_id: int):
    later, window = plan(ada, thread_id, "To be edited"), Window(ada, thread_id)
    window.type("Just begun")
    answer = window.browser.post(
        f"/messages/onlyfans/later/{later}", data=window.fields | {"do": "edit"}, headers={"HX-Request": "true"}
    )
    assert (answer.status_code, answer.text) == (409, "You have begun another answer here: send or empty it first.")
    assert state(ada, later) == (LaterStatus.WAITING, "")
    assert "Just begun</textarea>" in Window(ada, thread_id).page
    window.type("")
    with ada.app.app_context():
        sending_later.take_back(ada.account_id, later, ada.user_id)
    window.type("")  # it comes late
    assert "To be edited</textarea>" in Window(ada, thread_id).page


def test_what_would_stop_it_is_said_at_once(app, ada: Person, platform: Platform, thread_id: int):
    with app.app_context():
        for wrong in (utcnow() - SOON, utcnow() + timedelta(days=400)):
            with pytest.raises(Invalid):
                sending_later.send_later(ada.account_id, thread_id, Draft(text="x"), wrong, unless_answered=True)
        at = utcnow() + SOON
        with pytest.raises(Invalid):
            sending_later.send_later(ada.account_id, thread_id, Draft(text=" "), at, unless_answered=True)
        draft = Draft(text="x", author_id=ada.user_id, seen_message_id=0)
        with pytest.raises(WrittenMeanwhile):
            sending_later.send_later(ada.account_id, thread_id, draft, at, unless_answered=True)
        assert db.session.query(LaterReply).all() == []


def test_from_the_form_once_however_often_it_comes(ada: Person, thread_id: int):
    window = Window(ada, thread_id)
    form = window.fields | {"text": "Tomorrow then", "at": "tomorrow"}
    for _ in range(2):
        answer = window.browser.post(window.address, data=form, headers={"HX-Request": "true"})
        assert "unless they write first" in answer.text
    with ada.app.app_context():
        (later,) = db.session.query(LaterReply)
        assert later.unless_answered
    wrong = form | {"at": "own", "at_time": "tomorrow-ish", "client_message_id": "other"}
    answer = window.browser.post(window.address, data=wrong, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "Choose a day and a time." in answer.text
    assert "Tomorrow then" in answer.text


def test_another_text_under_a_used_key_is_asked_about_and_not_passed_over(ada: Person, thread_id: int):
    window = Window(ada, thread_id)
    key = window.fields["client_message_id"]
    ways = [{"text": "Tomorrow then", "at": "tomorrow"}, {"text": "Or today", "at": "hour"}, {"text": "Or now"}]
    for number, way in enumerate(ways):
        form = window.fields | {"client_message_id": key} | way
        answer = window.browser.post(window.address, data=form, headers={"HX-Request": "true"})
        assert answer.status_code == (422 if number else 200)
        assert ("Send this one too?" in answer.text) == bool(number)
        assert (f"{way['text']}</textarea>" in answer.text) == bool(number)
    with ada.app.app_context():
        assert [each.text for each in db.session.query(LaterReply)] == ["Tomorrow then"]
    assert texts(ada, thread_id)[1:] == []


def test_what_went_now_does_not_go_later_too(ada: Person, thread_id: int):
    window = Window(ada, thread_id)
    form = window.fields | {"text": "Only once"}
    window.send("Only once")
    later = form | {"at": "hour"}
    answer = window.browser.post(window.address, data=later, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "It was sent already." in answer.text
    with ada.app.app_context():
        assert db.session.query(LaterReply).all() == []


def test_a_late_draft_of_an_answer_for_later_is_none(ada: Person, thread_id: int):
    window = Window(ada, thread_id)
    form = window.fields | {"text": "Tomorrow then", "at": "tomorrow"}
    window.browser.post(window.address, data=form, headers={"HX-Request": "true"})
    assert window.type("Tomorrow") == 200
    with ada.app.app_context():
        assert db.session.query(SavedDraft).all() == []


@pytest.mark.parametrize(
    ("said_time", "utc"),
    [
        ("2026-03-28T02:30", "2026-03-28T01:30:00+00:00"),
        ("2026-10-25T01:30", "2026-10-24T23:30:00+00:00"),
        ("2026-10-25T02:30", "2026-10-25T00:30:00+00:00"),  # it comes twice: the first
        ("2026-10-25T03:30", "2026-10-25T02:30:00+00:00"),
    ],
)
def test_times_are_the_accounts(said_time: str, utc: str):
    assert sending_later.local_time(said_time, "Europe/Berlin") == datetime.fromisoformat(utc)
    assert sending_later.local_time(said_time, "UTC") == datetime.fromisoformat(said_time).replace(tzinfo=UTC)


@pytest.mark.parametrize("wrong", ["", "now", "2026-13-01T00:00", "2026-03-29T02:30"])
def test_a_time_that_is_none_is_refused(wrong: str):
    with pytest.raises(Invalid):
        sending_later.local_time(wrong, "Europe/Berlin")


def test_answers_of_another_account_do_not_exist(app, ada: Person, eve: Person, thread_id: int):
    later = plan(ada, thread_id)
    with app.app_context():
        for verb in (sending_later.send_now, sending_later.cancel):
            with pytest.raises(NotFound):
                verb(eve.account_id, later)
        with pytest.raises(NotFound):
            sending_later.take_back(eve.account_id, later, eve.user_id)
        with pytest.raises(NotFound):
            sending_later.send_later(eve.account_id, thread_id, Draft(text="x"), utcnow() + SOON, unless_answered=True)


def test_with_the_fan_it_goes(app, ada: Person, platform: Platform):
    fan = add_fan(ada, 7)
    conversation = ada.post("/api/crm/conversations", {"fanId": fan["id"]})["id"]
    plan(ada, conversation)
    assert ada.call("DELETE", f"/api/crm/fans/{fan['id']}").status_code == 204
    with app.app_context():
        assert db.session.query(LaterReply).all() == []
        assert db.session.query(Conversation).all() == []
