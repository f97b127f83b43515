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

    @property
    def newest_message_id(self) -> int:
        return max((each.id for each in self.messages), default=0)


def page_of(conversation: Conversation, before: Message | None = None) -> ThreadPage:
    """The newest page, or the one just before a message. Each note is on the page of the messages it stands between;
    what is to be sent later stands below the newest."""
    found = queries.newest_messages(conversation, MESSAGES_PER_PAGE + 1, before=before)
    messages, more = found[-MESSAGES_PER_PAGE:], len(found) > MESSAGES_PER_PAGE
    begins = messages[0].created_at if more else None
    between = notes.notes_between(conversation, begins, before.created_at if before else None)
    laters = [] if before else sending_later.laters_of(conversation)
    entries: list[Entry] = [*messages, *between, *laters]
    return ThreadPage(sorted(entries, key=_place), messages, more)


def _place(entry: Entry) -> tuple[datetime, int]:
    return (entry.send_at if isinstance(entry, LaterReply) else entry.created_at, entry.id)
