"""One key stands for one answer: a message, or one for later, or both, where this became that."""

from sqlalchemy import select

from app.conversations.desk_models import LaterReply
from app.conversations.models import Conversation, Message
from app.database import db
from app.errors import Invalid


class KeyTaken(Invalid):
    """Another answer stands under it."""

    def __init__(self) -> None:
        super().__init__(("clientMessageId", "This id stands for another message in this conversation."), status=422)


def find_under(conversation: Conversation, key: str) -> tuple[Message | None, LaterReply | None]:
    message = select(Message).where(Message.conversation_id == conversation.id, Message.client_message_id == key)
    later = select(LaterReply).where(LaterReply.conversation_id == conversation.id, LaterReply.client_message_id == key)
    return db.session.scalar(message), db.session.scalar(later)
