"""Answers for later, and a fan who writes in the same moment: each is refused, given back, or sent."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.conversations import sending_later
from app.conversations.actions import Draft, WrittenMeanwhile
from app.conversations.desk_models import LaterReply, LaterStatus
from app.conversations.models import Conversation
from app.conversations.taking_in import take_in
from app.database import db, utcnow, write
from app.platforms.gateway import PlatformFan, PlatformMessage
from app.platforms.models import Connection
from tests.campaigns.test_at_once import at_once
from tests.events import FAN, Platform, said
from tests.people import Person
from tests.test_looking import texts, written
from tests.test_sending_later import SOON, make_due, plan, state, sweep_once

A_MOMENT_S = 0.5


@pytest.fixture
def thread_id(ada: Person, platform: Platform) -> int:
    platform.tell("messages.received", said())
    return ada.get("/api/crm/conversations")["conversations"][0]["id"]


def begin(app, act: Callable[[], Any]) -> threading.Thread:
    """In another thread, for as long as it can go on before it has to wait."""

    def run() -> None:
        with app.app_context():
            act()

    other = threading.Thread(target=run)
    other.start()
    other.join(A_MOMENT_S)
    return other


def test_one_that_is_kept_while_the_fan_is_writing_is_refused(app, ada: Person, thread_id: int):
    refused = []

    def keep() -> None:
        draft = Draft(text="Later", author_id=ada.user_id, seen_message_id=seen)
        try:
            sending_later.send_later(ada.account_id, thread_id, draft, utcnow() + SOON, unless_answered=True)
        except WrittenMeanwhile as error:
            refused.append(error.messages[0].text)

    with app.app_context():
        seen = db.session.get_one(Conversation, thread_id).last_message_id
        connection = db.session.scalars(db.select(Connection)).one()
        with write():
            arrived = PlatformMessage("2", str(FAN["id"]), "Wait!", sent_by_us=False, created_at=utcnow())
            take_in(connection, arrived, PlatformFan(id=str(FAN["id"]), name=FAN["name"], handle=FAN["username"]))
            other = begin(app, keep)
    other.join()
    assert refused == ["Wait!"]


def test_a_fan_who_writes_while_one_is_being_kept_gives_it_back(
    app,
    ada: Person,
    platform: Platform,
    thread_id: int,
    monkeypatch,
):
    news_of, others = sending_later._news_of, []

    def slowly(later: LaterReply) -> list:
        if not others:
            others.append(begin(app, lambda: platform.tell("messages.received", written("Wait!", 2), "evt_2")))
        return news_of(later)

    monkeypatch.setattr(sending_later, "_news_of", slowly)
    later = plan(ada, thread_id)
    others[0].join()
    assert state(ada, later) == (LaterStatus.CANCELLED, "They wrote first.")


def test_one_that_is_due_as_the_fan_writes_goes_or_is_given_back(
    app,
    ada: Person,
    platform: Platform,
    thread_id: int,
):
    for number in range(2, 8):
        later = plan(ada, thread_id, f"answer {number}")
        make_due(ada, later)
        at_once(
            lambda: sweep_once(ada),
            lambda number=number: platform.tell("messages.received", written(f"fan {number}", number), f"evt_{number}"),
            begins=number,
        )
        was_sent = state(ada, later)[0] == LaterStatus.SENT
        assert was_sent or state(ada, later) == (LaterStatus.CANCELLED, "They wrote first.")
        assert (f"answer {number}" in texts(ada, thread_id)) == was_sent
