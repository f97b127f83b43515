"""Private notes between a thread's messages: for colleagues, never for the fan. No message is made of one."""

from datetime import datetime
from functools import cache

from sqlalchemy import Select, bindparam, select

from app.conversations import keys, live, queries
from app.conversations.desk_models import Note, SavedDraft
from app.conversations.models import Conversation
from app.database import db, utcnow, write
from app.errors import Forbidden, Invalid, NotFound

LONGEST_NOTE = 5000


def find_note(account_id: int, note_id: int) -> Note:
    """Raises NotFound."""
    found = db.session.scalar(select(Note).where(Note.account_id == account_id, Note.id == note_id))
    if found is None:
        raise NotFound
    return found


def add_note(account_id: int, conversation_id: int, author_id: int, text: str, key: str = "") -> Note:
    """Whoever wrote it has no draft of it any more. The same key again gives the first note.

    Raises NotFound, Invalid, KeyTaken.
    """
    _check(text)
    with write() as session:
        conversation = queries.find_to_write_in(account_id, conversation_id)  # the lock: one key makes one note
        standing = keys.find_note_under(conversation, author_id, key)
        if standing and standing.text != text:
            raise keys.KeyTaken
        if standing:
            return standing
        note = Note(account_id=account_id, conversation_id=conversation.id, author_id=author_id, text=text)
        session.add(note)
        draft = session.get(SavedDraft, (conversation.id, author_id))
        if draft and draft.is_note:
            session.delete(draft)
        session.flush()
        if key:
            keys.keep_key_of(note, conversation, author_id, key)
        noted = _news_of(note)
    live.tell(noted)
    return note


def change_note(account_id: int, note_id: int, user_id: int, text: str) -> Note:
    """By its author. Raises NotFound, Forbidden, Invalid."""
    _check(text)
    return _change(account_id, note_id, user_id, text=text, edited_at=utcnow())


def remove_note(account_id: int, note_id: int, user_id: int) -> Note:
    """By its author, who may bring it back. Raises NotFound, Forbidden."""
    return _change(account_id, note_id, user_id, deleted_at=utcnow())


def restore_note(account_id: int, note_id: int, user_id: int) -> Note:
    """Raises NotFound, Forbidden."""
    return _change(account_id, note_id, user_id, deleted_at=None)


def _change(account_id: int, note_id: int, user_id: int, **values: str | datetime | None) -> Note:
    with write():
        note = find_note(account_id, note_id)
        if note.author_id != user_id:
            raise Forbidden("A note is changed by who wrote it.")
        for name, value in values.items():
            setattr(note, name, value)
        noted = _news_of(note)
    live.tell(noted)
    return note


def _check(text: str) -> None:
    if not text.strip():
        raise Invalid(("text", "Write something."))
    if len(text) > LONGEST_NOTE:
        raise Invalid(("text", f"A note has at most {LONGEST_NOTE:,} characters, this one has {len(text):,}."))


def _news_of(note: Note) -> list[live.Noted]:
    return live.note_in_thread(note.account_id, note.conversation_id, note.id, Note.kind)


def notes_between(conversation: Conversation, first: datetime | None, before: datetime | None) -> list[Note]:
    """From the one moment on, and before the other; None: without end."""
    values = {"conversation_id": conversation.id, "first": first, "before": before}
    return list(db.session.scalars(_between(has_first=bool(first), has_end=bool(before)), values))


@cache
def _between(*, has_first: bool, has_end: bool) -> Select[Note]:
    rows = select(Note).where(Note.conversation_id == bindparam("conversation_id"), Note.deleted_at.is_(None))
    rows = rows.where(Note.created_at >= bindparam("first")) if has_first else rows
    rows = rows.where(Note.created_at < bindparam("before")) if has_end else rows
    return rows.order_by(Note.created_at, Note.id)
