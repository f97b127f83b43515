"""A message's row in its thread: as rows.py has those of the inbox, all that it shows, and the HTML of that, which is kept."""

from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

from markupsafe import Markup

from app.conversations.models import Message
from app.conversations.rows import macros
from app.database import utcnow
from app.formats import day

MOST_KEPT = 5000  # of about a kilobyte


class File(NamedTuple):
    type: str
    url: str
    name: str | None
    preview: bool


class MessageRow(NamedTuple):
    id: int
    created_at: datetime
    direction: str
    author_id: int | None
    campaign_id: int | None
    client_message_id: str | None
    status: str
    status_reason: str | None
    text: str
    price_cents: int
    purchased: bool
    deleted_at: datetime | None
    # And what is drawn from it:
    files: tuple[File, ...]
    author: str | None
    is_from_elsewhere: bool  # written by the creator on the platform itself


_AS_IT_IS = attrgetter(*MessageRow._fields[:-3])


def html_of_message(message: Message, timezone: str, *, found: bool = False) -> Markup:
    """found: it is what somebody came for."""
    return _html_of_message(_message_row(message), timezone, day(utcnow(), timezone)[:4], found)


def _message_row(of: Message) -> MessageRow:
    files = tuple(
        File(each["type"], each["url"], each.get("name"), bool(each.get("preview"))) for each in of.attachments
    )
    author = of.author.name if of.author else None
    is_told = bool(of.platform_message_id) and not of.tries and not of.campaign_id
    return MessageRow._make([*_AS_IT_IS(of), files, author, of.direction == "out" and not author and is_told])


@lru_cache(MOST_KEPT)
def _html_of_message(row: MessageRow, timezone: str, _year: str, found: bool) -> Markup:
    """_year: days of this year are written without it."""
    return macros().message_row(row, timezone, found)
