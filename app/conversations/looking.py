"""How far a person has seen a thread, and what the others did in it since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.accounts.models import User
from app.conversations import live, queries
from app.conversations.desk_models import LaterReply, LaterStatus, Note, ReadMarker
from app.conversations.models import Conversation, Message
from app.database import db, execute, insert, plain, utcnow, write
from app.money import queries as money

_WHO = func.coalesce(User.name, plain("Somebody who has left")).label("who")


@dataclass(frozen=True)
class Since:
    """What others did after a person last looked."""

    looked_at: datetime
    message_id: int  # the newest that they had seen
    written: list[tuple[str, int]]  # who, and how many messages
    written_elsewhere: int  # messages, on the platform itself
    noted: list[tuple[str, int]]  # who, and how many notes
    promised: list[tuple[str, datetime]]  # who will have sent an answer, and when
    campaign_messages: int
    bought_cents: int
    taken_back_cents: int

    @property
    def is_work(self) -> bool:
        """Whether a colleague was here, or the creator there."""
        return bool(self.written or self.written_elsewhere or self.noted or self.promised)


def look(conversation: Conversation, user_id: int, newest_message_id: int) -> None:
    """The person has seen the thread up to that message; nothing in it is unread any more."""
    marker = find_marker(conversation, user_id)
    if marker and marker.message_id >= newest_message_id and not conversation.unread_count:
        return
    newest_message_id = max(newest_message_id, marker.message_id if marker else 0)
    with write():
        was_unread = queries.find_conversation(conversation.account_id, conversation.id).unread_count > 0
        _move_marker(conversation, user_id, newest_message_id)
        conversation.unread_count = 0
        noted = live.note_conversation(conversation.account_id, conversation.id) if was_unread else []
    live.tell(noted)


def _move_marker(conversation: Conversation, user_id: int, message_id: int) -> None:
    values = {"message_id": message_id, "looked_at": utcnow()}
    whose = {"conversation_id": conversation.id, "user_id": user_id, "account_id": conversation.account_id}
    row = insert(ReadMarker).values(**whose, **values)
    execute(row.on_conflict_do_update(index_elements=["conversation_id", "user_id"], set_=values))


def find_marker(conversation: Conversation, user_id: int) -> ReadMarker | None:
    return db.session.get(ReadMarker, (conversation.id, user_id), populate_existing=True)


def since_last_look(conversation: Conversation, user_id: int) -> Since | None:
    """None where the person never looked."""
    marker = find_marker(conversation, user_id)
    if marker is None:
        return None
    bought, taken_back = money.spent_since(conversation.account_id, conversation.fan_id, marker.looked_at)
    written = _written_by_others(conversation, user_id, marker.looked_at)
    return Since(
        looked_at=marker.looked_at,
        message_id=marker.message_id,
        written=[(each.who, each.number) for each in written if not each.of_campaign and not each.elsewhere],
        written_elsewhere=sum(each.number for each in written if each.elsewhere and not each.of_campaign),
        noted=_notes_by_others(conversation, user_id, marker.looked_at),
        promised=_promised_by_others(conversation, user_id, marker.looked_at),
        campaign_messages=sum(each.number for each in written if each.of_campaign),
        bought_cents=bought,
        taken_back_cents=taken_back,
    )


def _written_by_others(conversation: Conversation, user_id: int, after: datetime) -> Sequence[Any]:
    """Of each who wrote: `who`, `number`, whether `of_campaign`, whether on the platform itself (`elsewhere`)."""
    of_campaign = Message.campaign_id.is_not(None).label("of_campaign")
    is_told = Message.platform_message_id.is_not(None) & (Message.tries == plain(0))  # and was not sent from here
    elsewhere = (is_told & Message.author_id.is_(None)).label("elsewhere")
    rows = (
        select(_WHO, func.count().label("number"), of_campaign, elsewhere)
        .outerjoin(User, User.id == Message.author_id)
        .where(Message.conversation_id == conversation.id, Message.created_at > after, Message.direction == "out")
        .where(Message.author_id.is_distinct_from(user_id) | of_campaign)
        .group_by(User.name, of_campaign, elsewhere)
        .order_by(User.name.nulls_last())
    )
    return db.session.execute(rows).all()


def _notes_by_others(conversation: Conversation, user_id: int, after: datetime) -> list[tuple[str, int]]:
    rows = (
        select(_WHO, func.count())
        .select_from(Note)
        .outerjoin(Note.author)
        .where(Note.conversation_id == conversation.id, Note.created_at > after, Note.deleted_at.is_(None))
        .where(Note.author_id.is_distinct_from(user_id))
        .group_by(User.name)
        .order_by(User.name.nulls_last())
    )
    return [(name, number) for name, number in db.session.execute(rows)]


def _promised_by_others(conversation: Conversation, user_id: int, after: datetime) -> list[tuple[str, datetime]]:
    rows = (
        select(_WHO, LaterReply.send_at)
        .select_from(LaterReply)
        .outerjoin(LaterReply.author)
        .where(LaterReply.conversation_id == conversation.id, LaterReply.status == LaterStatus.WAITING)
        .where(LaterReply.created_at > after, LaterReply.author_id.is_distinct_from(user_id))
        .order_by(LaterReply.send_at)
    )
    return [(name, send_at) for name, send_at in db.session.execute(rows)]
