"""What a person has begun to write: it waits on the server for their next look, in whatever window; and colleagues see
that somebody is writing."""

from sqlalchemy import bindparam, delete, select

from app.conversations import live, queries
from app.conversations.desk_models import SavedDraft
from app.conversations.keys import find_note_under, find_under
from app.conversations.models import Conversation
from app.database import db, execute, insert, utcnow, write
from app.media.actions import Attachment


def find_draft(conversation: Conversation, user_id: int) -> SavedDraft | None:
    return db.session.scalar(_DRAFT, {"conversation_id": conversation.id, "user_id": user_id})


_DRAFT = select(SavedDraft).where(
    SavedDraft.conversation_id == bindparam("conversation_id"), SavedDraft.user_id == bindparam("user_id")
)


def save_draft(
    account_id: int,
    conversation_id: int,
    user_id: int,
    *,
    text: str,
    price_cents: int,
    client_message_id: str,
    attachments: list[Attachment],
    is_note: bool = False,
) -> bool:
    """Keeps it, or forgets it where nothing is left of it. One that was sent meanwhile is none any more: False.

    Raises NotFound.
    """
    with write():
        conversation = queries.find_conversation(account_id, conversation_id)
        db.session.refresh(conversation, with_for_update={"key_share": True})  # while it is being sent, this waits
        note = find_note_under(conversation, user_id, client_message_id) if is_note else None
        was_sent = any((note, *find_under(conversation, client_message_id)))
        if (text.strip() or attachments) and not was_sent:
            begun = {"text": text, "price_cents": price_cents, "attachments": attachments, "is_note": is_note}
            keep(conversation, user_id, client_message_id=client_message_id, **begun)
        else:
            forget(conversation.id, client_message_id)
    live.tell_writing(conversation_id, user_id, is_writing=bool(text.strip()))
    return not was_sent


def keep(conversation: Conversation, user_id: int, **values: object) -> None:
    """Does not commit."""
    values |= {"updated_at": utcnow()}
    whose = {"conversation_id": conversation.id, "user_id": user_id, "account_id": conversation.account_id}
    row = insert(SavedDraft).values(**whose, **values)
    execute(row.on_conflict_do_update(index_elements=["conversation_id", "user_id"], set_=values))


def forget(conversation_id: int, client_message_id: str) -> None:
    """What was begun under that key, and nothing that was begun after it. Does not commit."""
    of_it = (SavedDraft.conversation_id == conversation_id) & (SavedDraft.client_message_id == client_message_id)
    execute(delete(SavedDraft).where(of_it))
