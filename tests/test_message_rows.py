"""A message's row is kept as it was rendered: whatever it shows, what is new of it is shown."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from markupsafe import escape

from app.accounts.models import User
from app.conversations import message_rows
from app.conversations.message_rows import html_of_message
from app.conversations.models import Message
from app.database import utcnow

AN_HOUR_AGO = utcnow() - timedelta(hours=1)
PHOTO = {"type": "photo", "url": "/media/1", "name": "Beach"}
CHANGES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"text": "<b>"}, "&lt;b&gt;"),
    ({"status": "failed", "status_reason": "No money <left>"}, "No money &lt;left&gt;"),
    ({"status": "sent", "status_reason": None, "platform_message_id": "9"}, "On the platform"),
    ({"attachments": [PHOTO]}, 'alt="Beach"'),
    ({"attachments": [PHOTO | {"preview": True}], "price_cents": 500}, "Free preview"),
    ({"purchased": True}, "bought"),
    ({"client_message_id": "k-1"}, 'data-key="k-1"'),
    ({"deleted_at": AN_HOUR_AGO}, "Deleted there"),
    ({"created_at": AN_HOUR_AGO}, f'data-at="{AN_HOUR_AGO.isoformat()}"'),
    ({"direction": "in"}, "message-in"),
)


@pytest.fixture
def message(app) -> Iterator[Message]:
    of = {"account_id": 1, "conversation_id": 2, "fan_id": 3, "connection_id": None}
    made = Message(**of, direction="out", status="queued", text="Hello", created_at=AN_HOUR_AGO - timedelta(days=1))
    made.id = 4
    with app.app_context():
        yield made


def test_what_is_new_of_a_message_is_shown(message: Message):
    for change, shown in CHANGES:
        before = html_of_message(message, "UTC")
        for name, value in change.items():
            setattr(message, name, value)
        assert shown not in before
        assert shown in html_of_message(message, "UTC")
        assert html_of_message(message, "UTC") is html_of_message(message, "UTC")
    assert "is-found" in html_of_message(message, "UTC", found=True)
    assert html_of_message(message, "Asia/Tokyo") != html_of_message(message, "UTC")


def test_an_author_who_is_renamed_is_so_on_what_they_wrote(message: Message):
    message.author_id, message.author = 5, User(email="ada@example.com", name="Ada", password_hash="")
    for name in ("Ada", "Ada & sons"):
        message.author.name = name
        assert f"<span>{escape(name)}</span>" in html_of_message(message, "UTC")


def test_its_day_is_named_anew_when_the_year_is_over(message: Message, monkeypatch):
    kept = html_of_message(message, "UTC")
    assert html_of_message(message, "UTC") is kept
    monkeypatch.setattr(message_rows, "utcnow", lambda: utcnow() + timedelta(days=366))
    assert html_of_message(message, "UTC") is not kept
