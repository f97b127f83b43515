"""A row of the inbox: all that it shows, and the HTML of that, which is kept. As it is made of nothing but these values, it is
never old."""

from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from flask import current_app
from markupsafe import Markup
from sqlalchemy import Select
from sqlalchemy.orm import Bundle

from app.accounts.models import User
from app.conversations.models import Conversation, Message
from app.database import utcnow
from app.fans.models import Fan, shown_name
from app.formats import day

LONGEST_TEXT = 120
MOST_KEPT = 5000  # of about two kilobytes


class Row(NamedTuple):
    id: int
    unread_count: int
    pinned: bool
    archived: bool
    snoozed_until: datetime | None
    waiting_since: datetime | None
    last_message_at: datetime | None
    assignee_id: int | None
    assignee: str | None
    name: str
    avatar_url: str | None
    last_by: str  # "in", "out", or nothing where nobody has written yet
    last_text: str
    last_files: int


_OWN = (
    Conversation.id, Conversation.unread_count, Conversation.pinned, Conversation.archived, Conversation.snoozed_until,
    Conversation.waiting_since, Conversation.last_message_at, Conversation.assignee_id,
)  # fmt: skip
_FAN = (Fan.name, Fan.handle, Fan.email, Fan.platform_fan_id, Fan.id)
_LAST = (Message.direction, Message.text, Message.attachments)


class _Rows(Bundle[Any]):
    def create_row_processor(self, query: Any, procs: Any, labels: Any) -> Any:
        return lambda found: _row(*(proc(found) for proc in procs))


_ROWS = _Rows("row", *_OWN, User.name, Fan.avatar_url, *_LAST, *_FAN)


def as_rows(conversations: Select[Any]) -> Select[Any]:
    """A Row of each, instead of the conversation; their fans are joined already."""
    rows = conversations.with_only_columns(_ROWS, maintain_column_froms=True)
    return rows.outerjoin(Conversation.last_message).outerjoin(Conversation.assignee)


def row_of(conversation: Conversation) -> Row:
    fan, last, assignee = conversation.fan, conversation.last_message, conversation.assignee
    own, called = ([getattr(of, each.key) for each in columns] for of, columns in ((conversation, _OWN), (fan, _FAN)))
    said = [getattr(last, each.key) if last else None for each in _LAST]
    return _row(*own, assignee.name if assignee else None, fan.avatar_url, *said, *called)


def _row(*values: Any) -> Row:
    own, called = values[: len(_OWN)], values[-len(_FAN) :]
    assignee, avatar_url, last_by, text, files = values[len(_OWN) : -len(_FAN)]
    said = last_by or "", (text or "")[:LONGEST_TEXT], len(files or ())
    return Row._make([*own, assignee, shown_name(*called), avatar_url, *said])


def html_of_row(row: Row, timezone: str, *, listed: bool = False, current: bool = False) -> Markup:
    """listed: it stands in a list that was asked for, of whatever is put away too. current: its thread is open beside it."""
    return _html(row, timezone, day(utcnow(), timezone), listed, current)


@lru_cache(MOST_KEPT)
def _html(row: Row, timezone: str, _today: str, listed: bool, current: bool) -> Markup:
    """_today: times of today are written without it."""
    return macros().conversation_row(row, timezone, listed, current)


def macros() -> Any:
    """Of rows, by name."""
    return current_app.jinja_env.get_template("conversations/_rows.html").module
