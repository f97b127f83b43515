"""How far a person has seen a thread, and what the others did in it since."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, exists, func, select

from app.accounts.models import User
from app.conversations import live, queries
from app.conversations.desk_models import LaterReply, LaterStatus, Note, ReadMarker
from app.conversations.models import Conversation, Message
from app.database import db, execute, insert, plain, utcnow, write
from app.money import queries as money


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
    whose = {"conversation_id": conversation.id, "user_id": user_id}
    found = db.session.execute(_MARKER, whose, execution_options={"populate_existing": True}).one_or_none()
    if found is None:
        return None
    looked_at = found.ReadMarker.looked_at
    is_written = conversation.last_message_at is not None and conversation.last_message_at > looked_at
    written = db.session.execute(_WRITTEN_BY, whose).all() if is_written else []
    bought, taken_back = money.spent_since(conversation.account_id, conversation.fan_id, looked_at)
    return Since(
        looked_at=looked_at,
        message_id=found.ReadMarker.message_id,
        written=[(each.who, each.number) for each in written if not each.of_campaign and not each.elsewhere],
        written_elsewhere=sum(each.number for each in written if each.elsewhere and not each.of_campaign),
        noted=[(who, number) for who, number in db.session.execute(_NOTED_BY, whose)] if found.is_noted else [],
        promised=[(who, at) for who, at in db.session.execute(_PROMISED_BY, whose)] if found.is_promised else [],
        campaign_messages=sum(each.number for each in written if each.of_campaign),
        bought_cents=bought,
        taken_back_cents=taken_back,
    )


_MINE = and_(ReadMarker.conversation_id == bindparam("conversation_id"), ReadMarker.user_id == bindparam("user_id"))
_NOTED = and_(
    Note.conversation_id == ReadMarker.conversation_id,
    Note.created_at > ReadMarker.looked_at,
    Note.author_id.is_distinct_from(ReadMarker.user_id),
    Note.deleted_at.is_(None),
)
_PROMISED = and_(
    LaterReply.conversation_id == ReadMarker.conversation_id,
    LaterReply.created_at > ReadMarker.looked_at,
    LaterReply.author_id.is_distinct_from(ReadMarker.user_id),
    LaterReply.status == LaterStatus.WAITING,
)
_OF_CAMPAIGN = Message.campaign_id.is_not(None).label("of_campaign")
_IS_TOLD = Message.platform_message_id.is_not(None) & (Message.tries == plain(0))  # and was not sent from here
_ELSEWHERE = (_IS_TOLD & Message.author_id.is_(None)).label("elsewhere")
_WRITTEN = and_(
    Message.conversation_id == ReadMarker.conversation_id,
    Message.created_at > ReadMarker.looked_at,
    Message.author_id.is_distinct_from(ReadMarker.user_id) | _OF_CAMPAIGN,
    Message.direction == "out",
)
_WHO = func.coalesce(User.name, plain("Somebody who has left")).label("who")

# Mostly nobody was here since: then that is all that is asked.
_MARKER = select(
    ReadMarker, exists().where(_NOTED).label("is_noted"), exists().where(_PROMISED).label("is_promised")
).where(_MINE)
_NOTED_BY = (
    select(_WHO, func.count())
    .select_from(ReadMarker)
    .join(Note, _NOTED)
    .outerjoin(Note.author)
    .where(_MINE)
    .group_by(User.name)
    .order_by(User.name.nulls_last())
)
_PROMISED_BY = (
    select(_WHO, LaterReply.send_at)
    .select_from(ReadMarker)
    .join(LaterReply, _PROMISED)
    .outerjoin(LaterReply.author)
    .where(_MINE)
    .order_by(LaterReply.send_at)
)
_WRITTEN_BY = (
    select(_WHO, func.count().label("number"), _OF_CAMPAIGN, _ELSEWHERE)
    .select_from(ReadMarker)
    .join(Message, _WRITTEN)
    .outerjoin(User, User.id == Message.author_id)
    .where(_MINE)
    .group_by(User.name, _OF_CAMPAIGN, _ELSEWHERE)
    .order_by(User.name.nulls_last())
)
