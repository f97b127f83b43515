"""One key stands for one answer: a message, or one for later, or both, where this became that. Or for one note."""

from sqlalchemy import select

from app.accounts import idempotency
from app.conversations.desk_models import LaterReply, Note
from app.conversations.models import Conversation, Message
from app.database import db
from app.errors import Invalid


class KeyTaken(Invalid):
    """Something else stands under it."""

    def __init__(self) -> None:
        super().__init__(("clientMessageId", "This id stands for another message in this conversation."), status=422)


def find_under(conversation: Conversation, key: str) -> tuple[Message | None, LaterReply | None]:
    message = select(Message).where(Message.conversation_id == conversation.id, Message.client_message_id == key)
    later = select(LaterReply).where(LaterReply.conversation_id == conversation.id, LaterReply.client_message_id == key)
    return db.session.scalar(message), db.session.scalar(later)


def find_note_under(conversation: Conversation, author_id: int, key: str) -> Note | None:
    found = idempotency.find_key(*_of_note(conversation, author_id, key)) if key else None
    return db.session.get(Note, int(found.body or 0)) if found else None


def keep_key_of(note: Note, conversation: Conversation, author_id: int, key: str) -> None:
    """The conversation is locked. Does not commit."""
    idempotency.note_key(note.account_id, *_of_note(conversation, author_id, key), body=str(note.id))


def _of_note(conversation: Conversation, author_id: int, key: str) -> tuple[int, str, str, str]:
    """A note has no column for it: it lies with the keys of programs' calls, for as long as those."""
    return author_id, "NOTE", str(conversation.id), key
