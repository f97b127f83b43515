"""What must be true of a message and of its thread, for a search to find it."""

from typing import Any

from sqlalchemy import Select, cast, literal, select

from app.conversations.models import Conversation, Message
from app.conversations.operators import Wanted
from app.conversations.words import Phrase
from app.database import contains, plain

_STATES: dict[str, Any] = {
    "unread": Conversation.unread_count > plain(0),
    "unanswered": Conversation.waiting_since.is_not(None),
    "archived": Conversation.archived,
    "snoozed": Conversation.snoozed_until.is_not(None),
}


def in_time(wanted: Wanted) -> list[Any]:
    since = [Message.created_at >= wanted.since] if wanted.since else []
    return since + ([Message.created_at < wanted.until] if wanted.until else [])


def said_of(message: Any, viewer_id: int, wanted: Wanted) -> list[Any]:
    """By whom, what with, and in which words."""
    said = [holds(message, phrase) for phrase in wanted.phrases]
    if wanted.sender:
        said.append(message.direction == ("in" if wanted.sender == "fan" else "out"))
    if wanted.sender == "me":
        said.append(message.author_id == viewer_id)
    if wanted.ppv:
        said.append(message.price_cents > 0)
    if wanted.media:
        said.append(cast(message.attachments, Message.text.type) != "[]")
    if wanted.bought is not None:
        said.append(message.purchased if wanted.bought else ~message.purchased)
    return said


def holds(message: Any, phrase: Phrase) -> Any:
    end = "" if phrase.is_beginning else " "
    return contains(literal(" ") + message.search_text + literal(" "), f" {' '.join(phrase.words)}{end}")


def such_threads(account_id: int, wanted: Wanted) -> list[Select[Any]]:
    if not wanted.states:
        return []
    ours = select(Conversation.id).where(Conversation.account_id == account_id)
    return [ours.where(*(_STATES[state] for state in sorted(wanted.states)))]
