from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Select, bindparam, func, literal, select, tuple_
from sqlalchemy.orm import contains_eager, joinedload

from app.conversations.models import Conversation, Message, MessageStatus
from app.database import BigId, UTCDateTime, contains, db, fold, plain
from app.errors import NotFound
from app.fans.models import Fan
from app.fans.names import called
from app.paging import Order, counting_up_to

NEWEST_FIRST = Order("-lastMessageAt", Conversation.last_message_at, Conversation.id, descending=True)
LONGEST_WAITING_FIRST = Order("waitingSince", Conversation.waiting_since, Conversation.id)
HIGHEST_SPEND_FIRST = Order("-valueCents", Fan.value_cents, Fan.id, descending=True)  # a fan has one conversation
NEWEST_MESSAGES_FIRST = Order("-createdAt", Message.created_at, Message.id, descending=True)
OLDEST_FIRST = (Message.created_at, Message.id)
IN_SIGHT = ~Conversation.archived & Conversation.snoozed_until.is_(None)
MOST_MISSED = 50
MOST_COUNTED = 999  # on a badge: what is more is called 999+


def search_conversations(account_id: int, *, search: str = "", unread: bool | None = None) -> Select[Any]:
    """Conversations with their fan; `search` is over the fan's name and handle."""
    rows = (
        select(Conversation)
        .join(Conversation.fan)
        .where(Conversation.account_id == account_id)
        .options(
            contains_eager(Conversation.fan).lazyload(Fan.tag_rows),
            joinedload(Conversation.last_message),
            joinedload(Conversation.assignee),
        )
    )
    if search.strip():
        rows = rows.where(is_called(search))
    if unread is not None:
        rows = rows.where(Conversation.unread_count > plain(0) if unread else Conversation.unread_count == 0)
    return rows


def _parts(search: str) -> tuple[str, str]:
    """What is looked for in a name, and in a handle."""
    part = fold(search.strip())
    return part, search.strip().lstrip("@").casefold() or part


def is_called(search: str) -> Any:
    part, handle = _parts(search)
    return contains(Fan.name_key, part) | contains(Fan.handle_key, handle)


def fans_called(account_id: int, search: str) -> Select[Any]:
    """Ids: all those of whom search_conversations says so, and perhaps more."""
    return called(account_id, fold(_parts(search)[1]))


_BY_ID = select(Conversation).where(
    Conversation.account_id == bindparam("account_id"), Conversation.id == bindparam("conversation_id")
)
_WITH_FAN = _BY_ID.join(Conversation.fan)
_TO_SHOW = _WITH_FAN.options(contains_eager(Conversation.fan))
_TO_WRITE_IN = (
    _WITH_FAN.options(contains_eager(Conversation.fan).lazyload(Fan.tag_rows))
    .with_for_update(of=Conversation, key_share=True)
    .execution_options(populate_existing=True)
)


def find_conversation(account_id: int, conversation_id: int) -> Conversation:
    """Who may see and watch a thread is decided here, for pages, programs and sockets. Raises NotFound."""
    return _found(_BY_ID, account_id, conversation_id)


def find_thread(account_id: int, conversation_id: int) -> Conversation:
    """As find_conversation, with its fan."""
    return _found(_TO_SHOW, account_id, conversation_id)


def find_to_write_in(account_id: int, conversation_id: int) -> Conversation:
    """As find_conversation, with its fan; locked until the commit, so that two who write into one thread wait for each
    other."""
    return _found(_TO_WRITE_IN, account_id, conversation_id)


def _found(rows: Select[Conversation], account_id: int, conversation_id: int) -> Conversation:
    found = db.session.scalar(rows, {"account_id": account_id, "conversation_id": conversation_id})
    if found is None:
        raise NotFound
    return found


def find_conversation_with(account_id: int, fan_id: int) -> Conversation | None:
    return db.session.scalar(
        select(Conversation).where(Conversation.account_id == account_id, Conversation.fan_id == fan_id)
    )


def threads_with(account_id: int, fan_ids: Sequence[int]) -> dict[int, int]:
    """The conversations' ids by those of their fans."""
    rows = select(Conversation.fan_id, Conversation.id)
    rows = rows.where(Conversation.account_id == account_id, Conversation.fan_id.in_(fan_ids))
    return {row.fan_id: row.id for row in db.session.execute(rows)}


def messages_in(conversation: Conversation) -> Select[Message]:
    return select(Message).where(Message.conversation_id == conversation.id)


def count_messages(conversation: Conversation) -> int:
    return db.session.scalar(select(func.count()).select_from(messages_in(conversation).subquery())) or 0


def messages_from(conversation: Conversation, offset: int, limit: int) -> list[Message]:
    return list(db.session.scalars(messages_in(conversation).order_by(*OLDEST_FIRST).offset(offset).limit(limit)))


def newest_messages(conversation: Conversation, limit: int, before: Message | None = None) -> list[Message]:
    """The newest ones, or those just before a message; oldest first."""
    values = {"conversation_id": conversation.id, "limit": limit}
    if before is None:
        return list(db.session.scalars(_NEWEST, values))[::-1]
    values |= {"created_at": before.created_at, "message_id": before.id}
    return list(db.session.scalars(_NEWEST_BEFORE, values))[::-1]


_NEWEST = (
    select(Message)
    .where(Message.conversation_id == bindparam("conversation_id"))
    .options(joinedload(Message.author))
    .order_by(Message.created_at.desc(), Message.id.desc())
    .limit(bindparam("limit", type_=Integer))
)
_PLACE = tuple_(Message.created_at, Message.id)
_NEWEST_BEFORE = _NEWEST.where(
    tuple_(bindparam("created_at", type_=UTCDateTime), bindparam("message_id", type_=BigId)) > _PLACE
)


def messages_after(conversation: Conversation, after: Message, limit: int) -> list[Message]:
    place = tuple_(literal(after.created_at, UTCDateTime), literal(after.id))
    rows = messages_in(conversation).where(place < _PLACE).order_by(*OLDEST_FIRST).limit(limit)
    return list(db.session.scalars(rows))


def written_by_others(conversation: Conversation, after_message_id: int, user_id: int | None) -> list[Message]:
    """Of the newest messages those that came into the thread after one, oldest first: from the fan, from campaigns, from
    other people."""
    theirs = [each for each in newest_messages(conversation, MOST_MISSED) if each.id > after_message_id]
    return [each for each in theirs if each.author_id != user_id or each.campaign_id or each.direction == "in"]


def messages_around(conversation: Conversation, message: Message, limit: int) -> list[Message]:
    """The message, and up to `limit` on each side of it; oldest first."""
    before = newest_messages(conversation, limit, before=message)
    return [*before, message, *messages_after(conversation, message, limit)]


def find_message_in(conversation: Conversation, message_id: int) -> Message | None:
    return db.session.scalar(messages_in(conversation).where(Message.id == message_id))


def find_message(account_id: int, message_id: int) -> Message:
    """Raises NotFound."""
    found = db.session.scalar(select(Message).where(Message.account_id == account_id, Message.id == message_id))
    if found is None:
        raise NotFound
    return found


def find_outgoing(account_id: int, message_id: int) -> Message:
    """Raises NotFound."""
    found = find_message(account_id, message_id)
    if found.direction == "in":
        raise NotFound
    return found


def messages_needing_a_person(account_id: int) -> Select[Any]:
    """Failed and unknown ones; of a fan who was deleted nothing is left to decide."""
    return select(Message).where(
        Message.account_id == account_id,
        Message.fan_id.is_not(None),
        Message.direction == "out",
        Message.status.in_((MessageStatus.FAILED, MessageStatus.UNKNOWN)),
    )


def with_fan(messages: Select[Any]) -> Select[Any]:
    """Each with its fan, for a list that names them."""
    return messages.options(joinedload(Message.fan).lazyload(Fan.tag_rows))


def unread_total(account_id: int) -> int:
    """How many conversations wait to be read, as count_up_to MOST_COUNTED says it."""
    return db.session.scalar(_UNREAD, {"account_id": account_id}) or 0


def find_by_platform_ids(connection_id: int, platform_message_ids: Sequence[str]) -> list[Message]:
    rows = select(Message).where(
        Message.connection_id == connection_id, Message.platform_message_id.in_(platform_message_ids)
    )
    return list(db.session.scalars(rows))


def count_needing_a_person(account_id: int) -> int:
    """As count_up_to MOST_COUNTED says it."""
    return db.session.scalar(_NEEDING_A_PERSON, {"account_id": account_id}) or 0


# Asked for each page: made once.
_ACCOUNT: Any = bindparam("account_id")
_UNREAD = counting_up_to(
    select(Conversation.id).where(Conversation.account_id == _ACCOUNT, Conversation.unread_count > plain(0), IN_SIGHT),
    MOST_COUNTED,
)
_NEEDING_A_PERSON = counting_up_to(messages_needing_a_person(_ACCOUNT).with_only_columns(Message.id), MOST_COUNTED)
