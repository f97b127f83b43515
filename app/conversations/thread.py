"""A page of a thread: its messages, and what people keep between them."""

from dataclasses import dataclass
from datetime import datetime

from app.conversations import notes, queries, sending_later
from app.conversations.desk_models import LaterReply, Note
from app.conversations.models import Conversation, Message

MESSAGES_PER_PAGE = 50
Entry = Message | Note | LaterReply


@dataclass(frozen=True)
class ThreadPage:
    entries: list[Entry]  # oldest first
    messages: list[Message]
    more: bool  # older ones
    newer: bool = False  # and newer ones

    @property
    def newest_message_id(self) -> int:
        return max((each.id for each in self.messages), default=0)


def page_of(conversation: Conversation, before: Message | None = None) -> ThreadPage:
    """The newest page, or the one just before a message. Each note is on the page of the messages it stands between;
    what is to be sent later stands below the newest."""
    found = queries.newest_messages(conversation, MESSAGES_PER_PAGE + 1, before=before)
    messages, more = found[-MESSAGES_PER_PAGE:], len(found) > MESSAGES_PER_PAGE
    begins, ends = messages[0].created_at if more else None, before.created_at if before else None
    return _page(conversation, messages, begins, ends, more=more, newer=False, is_last=before is None)


def page_around(conversation: Conversation, at: Message) -> ThreadPage:
    """A message in its surroundings."""
    half = MESSAGES_PER_PAGE // 2
    found = queries.messages_around(conversation, at, half + 1)
    place = found.index(at)
    more, newer = place > half, len(found) - place - 1 > half
    messages = found[max(0, place - half) : place + half + 1]
    begins = messages[0].created_at if more else None
    ends = found[place + half + 1].created_at if newer else None
    return _page(conversation, messages, begins, ends, more=more, newer=newer, is_last=not newer)


def page_after(conversation: Conversation, after: Message) -> ThreadPage:
    """The page just after a message, to stand below it."""
    found = queries.messages_after(conversation, after, MESSAGES_PER_PAGE + 1)
    messages, newer = found[:MESSAGES_PER_PAGE], len(found) > MESSAGES_PER_PAGE
    begins = found[0].created_at if found else after.created_at
    ends = found[MESSAGES_PER_PAGE].created_at if newer else None
    return _page(conversation, messages, begins, ends, more=False, newer=newer, is_last=not newer)


def _page(
    conversation: Conversation,
    messages: list[Message],
    begins: datetime | None,
    ends: datetime | None,
    *,
    more: bool,
    newer: bool,
    is_last: bool,
) -> ThreadPage:
    between = notes.notes_between(conversation, begins, ends)
    laters = sending_later.laters_of(conversation) if is_last else []
    entries: list[Entry] = [*messages, *between, *laters]
    return ThreadPage(sorted(entries, key=_place), messages, more, newer)


def _place(entry: Entry) -> tuple[datetime, int]:
    return (entry.send_at if isinstance(entry, LaterReply) else entry.created_at, entry.id)
