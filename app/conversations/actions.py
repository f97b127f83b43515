"""The verbs of a conversation. Each writes, commits once, then tells watchers and wakes the sender."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from sqlalchemy import Select, and_, bindparam, case, delete, func, update
from sqlalchemy.exc import IntegrityError

from app.accounts import auditing
from app.accounts.auditing import Act
from app.conversations import drafts, live, queries
from app.conversations.carried import note_media
from app.conversations.claims import wake
from app.conversations.desk_models import LaterReply
from app.conversations.keys import KeyTaken, find_under
from app.conversations.models import (
    DEFAULT_PRIORITY,
    REPLY_RANK,
    Conversation,
    Message,
    MessageStatus,
)
from app.database import db, execute, run, table_of, utcnow, write
from app.errors import Conflict, Invalid
from app.fans import queries as fans
from app.fans.models import Fan
from app.formats import money
from app.media.actions import Attachment, check_attachments, is_locked
from app.platforms import queries as platforms
from app.platforms.models import Connection, price_range_cents

LONGEST_TEXT = 5000
FILELESS = "A paid message needs at least one attachment."
NOTHING_TO_BUY = "Nothing is left to buy: at least one attachment must not be a free preview."
NOTHING_TO_SEND = "Write something, or attach a file."
_conversations, _messages = map(table_of, (Conversation, Message))


class Speaker(Enum):
    """Who says a message."""

    FAN = auto()
    PERSON = auto()
    CAMPAIGN = auto()


NO_CONTENT: dict[str, Any] = {"text": "", "search_text": "", "attachments": []}  # of a message that only counts


@dataclass(frozen=True)
class Draft:
    """What a person or program wants said."""

    text: str
    price_cents: int = 0
    attachments: list[Attachment] = field(default_factory=list)
    client_message_id: str | None = None
    priority: int = DEFAULT_PRIORITY  # 1..10, 10 goes first
    author_id: int | None = None
    seen_message_id: int | None = None  # the newest that the author had seen; None: they need not have seen any


class WrittenMeanwhile(Conflict):
    """Others wrote what the author of a reply has not seen: they are to see it first."""

    def __init__(self, messages: list[Message]) -> None:
        super().__init__("There is something new in this conversation.")
        self.messages = messages


def start_conversation(account_id: int, fan_id: int) -> tuple[Conversation, bool]:
    """The fan's thread, and whether it is new. Raises NotFound."""
    with write():
        fan = fans.find_fan(account_id, fan_id)
        return ensure_conversation(fan)


def ensure_conversation(fan: Fan) -> tuple[Conversation, bool]:
    """Does not commit."""
    standing = queries.find_conversation_with(fan.account_id, fan.id)
    if standing:
        return standing, False
    made = Conversation(account_id=fan.account_id, fan_id=fan.id, platform=fan.platform)
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:  # another process made it in this moment
        standing = queries.find_conversation_with(fan.account_id, fan.id)
        assert standing is not None
        return standing, False
    return made, True


def send_message(account_id: int, conversation_id: int, draft: Draft) -> Message:
    """Queues a reply; the outbox sends it. The same client_message_id again gives the first message.

    Raises NotFound, Invalid, KeyTaken, Conflict (the fan must not be or cannot be messaged), WrittenMeanwhile.
    """
    with write():
        message, noted = queue_reply(account_id, conversation_id, draft)
    live.tell(noted)
    wake(account_id)
    return message


def send_to_fan(account_id: int, fan_id: int, draft: Draft) -> Message:
    """As send_message, to a fan; the thread is made if missing."""
    with write():
        conversation, _ = ensure_conversation(fans.find_fan(account_id, fan_id))
        message, noted = queue_reply(account_id, conversation.id, draft)
    live.tell(noted)
    wake(account_id)
    return message


def queue_reply(account_id: int, conversation_id: int, draft: Draft) -> tuple[Message, list[live.Noted]]:
    """As send_message. Does not commit."""
    conversation = queries.find_to_write_in(account_id, conversation_id)  # the lock: one key makes one message
    repeated, _ = said_before(conversation, draft)
    if repeated:
        return repeated, []
    connection = check_reply(conversation, draft)
    message = new_message(conversation.account_id, conversation.id, conversation.fan_id, connection.id, draft)
    db.session.add(message)
    if draft.client_message_id:
        drafts.forget(conversation.id, draft.client_message_id)
    db.session.flush()
    note_media(draft.attachments, Message.id == message.id)
    return message, place_message(message, Speaker.PERSON)


def said_before(conversation: Conversation, draft: Draft) -> tuple[Message | None, LaterReply | None]:
    """What stands under its key already. Raises KeyTaken where that says something else."""
    if draft.client_message_id is None:
        return None, None
    found = find_under(conversation, draft.client_message_id)
    wanted = (draft.text, draft.price_cents, draft.attachments)
    if any((each.text, each.price_cents, each.attachments) != wanted for each in found if each):
        raise KeyTaken
    return found


def check_reply(conversation: Conversation, draft: Draft) -> Connection:
    """The connection that it goes by. Raises WrittenMeanwhile, Conflict, Invalid."""
    _check_seen(conversation, draft)
    connection = connection_for(conversation.fan)
    check_draft(conversation.account_id, connection, draft)
    return connection


def _check_seen(conversation: Conversation, draft: Draft) -> None:
    if draft.seen_message_id is None:
        return
    missed = queries.written_by_others(conversation, draft.seen_message_id, draft.author_id)
    if missed:
        raise WrittenMeanwhile(missed)


def connection_for(fan: Fan) -> Connection:
    """The connection that reaches the fan. Raises Conflict with the reason where none may or can."""
    if fan.do_not_message:
        raise Conflict(f"{fan.display_name} must not be messaged (do not message).")
    if not fan.platform_fan_id:
        raise Conflict(f"{fan.display_name} is not linked to the platform.")
    connection = platforms.first_connection(fan.account_id, fan.platform)
    if connection is None:
        raise Conflict(f"{fan.display_name} is not linked to the platform: the account has no connection to it.")
    return connection


def check_draft(account_id: int, connection: Connection | None, draft: Draft) -> None:
    """Raises Invalid, naming each field as the API does."""
    errors = list(check_attachments(account_id, draft.attachments))
    if len(draft.text) > LONGEST_TEXT:
        errors.append(("text", f"A text has at most {LONGEST_TEXT} characters, this one has {len(draft.text)}."))
    if not draft.text.strip() and not draft.attachments:
        errors.append(("text", NOTHING_TO_SEND))
    lowest, highest = price_range_cents(connection)
    if draft.price_cents and not draft.attachments:
        errors.append(("priceCents", FILELESS))
    elif draft.price_cents and not is_locked(draft.attachments):
        errors.append(("attachments", NOTHING_TO_BUY))
    if draft.price_cents and not lowest <= draft.price_cents <= highest:
        spelled = f"{money(lowest)} to {money(highest)}"
        errors.append(("priceCents", f"The price must be 0 or {spelled} ({lowest} to {highest} cents)."))
    if errors:
        raise Invalid(*errors)


def new_message(
    account_id: int, conversation_id: int, fan_id: int, connection_id: int, draft: Draft, campaign_id: int | None = None
) -> Message:
    return Message(
        account_id=account_id,
        conversation_id=conversation_id,
        fan_id=fan_id,
        connection_id=connection_id,
        campaign_id=campaign_id,
        author_id=draft.author_id,
        direction="out",
        text=draft.text,
        price_cents=draft.price_cents,
        attachments=draft.attachments,
        client_message_id=draft.client_message_id,
        status=MessageStatus.QUEUED,
        rank=draft.priority if campaign_id else draft.priority + REPLY_RANK,
    )


def place_message(message: Message, speaker: Speaker) -> list[live.Noted]:
    """A new message for its thread and the inbox. Does not commit."""
    assert message.conversation_id is not None
    of = {"conversation_id": message.conversation_id, "message_id": message.id, "at": message.created_at}
    seq = run(_PLACE_BY[speaker], of).scalar_one()
    return live.note_placed(message.account_id, message.conversation_id, message.id, seq)


def note_sending(messages: Iterable[tuple[int, int | None, int]]) -> list[live.Noted]:
    """News of messages that were being sent, for their threads: account, thread and message of each. Those of campaigns that
    went out take their place there. In one statement, which holds all threads in order. Does not commit."""
    return live.note_in_threads(messages, _AFTER_SENDING)


def _on_top(speaker: Speaker, message_id: Any, at: Any, *if_so: Any) -> dict[str, Any]:
    """What changes of the thread of such a message: it is the last one, unless a newer one stands. A campaign's message
    answers nobody, and brings no thread back that was put away."""
    thread = _conversations.c
    is_newer = and_(thread.last_message_at.is_(None) | (thread.last_message_at <= at), *if_so)

    def unless_older(name: str, value: Any) -> dict[str, Any]:
        return {name: case((is_newer, value), else_=thread[name])}

    values = unless_older("last_message_id", message_id) | unless_older("last_message_at", at)
    if speaker is not Speaker.FAN:
        answered = {"waiting_since": None, "archived": False} if speaker is Speaker.PERSON else {}
        return values | unless_older("we_wrote_at", at) | answered
    waits = unless_older("waiting_since", func.coalesce(thread.waiting_since, at)) | unless_older("fan_wrote_at", at)
    return values | waits | {"unread_count": thread.unread_count + 1, "archived": False, "snoozed_until": None}


_ITS_THREAD = update(_conversations).where(_conversations.c.id == bindparam("conversation_id"))
_PLACE_BY = {
    speaker: live.numbered(_ITS_THREAD.values(_on_top(speaker, bindparam("message_id"), bindparam("at"))))
    for speaker in Speaker
}
_is_sent_by_campaign = _messages.c.campaign_id.is_not(None) & (_messages.c.status == MessageStatus.SENT)
_AFTER_SENDING = live.numbered_each(update(_conversations).values(
    _on_top(Speaker.CAMPAIGN, _messages.c.id, _messages.c.created_at, _is_sent_by_campaign)
))  # fmt: skip


def change_status(message: Message, was: str, **values: Any) -> list[live.Noted]:
    """Compare and set: changes the message only while its status is `was`. Does not commit.

    Returns the news, at least one entry long if it changed (also where there is no thread left to tell).
    """
    values |= {"changed_at": utcnow()}
    if not execute(update(Message).where(Message.id == message.id, Message.status == was).values(**values)):
        return []
    db.session.refresh(message)
    return live.note_message(message) or [live.NOBODY]


def change_status_of_all(those: Select[int], was: str, **values: Any) -> Sequence[Any]:
    """As `change_status`, in one statement: `those` are ids. The account, thread and id of each that changed, by id; to note
    them is left to the caller."""
    change = update(_messages).where(_messages.c.id.in_(those.scalar_subquery()), _messages.c.status == was)
    told = _messages.c.account_id, _messages.c.conversation_id, _messages.c.id
    changed = run(change.values(**values, changed_at=utcnow()).returning(*told)).all()
    return sorted(changed, key=lambda each: each.id)


def remove_fan(account_id: int, fan_id: int) -> None:
    """The fan, their thread and messages go; what was queued is cancelled. Campaign messages stay as nameless rows,
    so that the books keep their count; so does one that is being sent right now. Raises NotFound."""
    with write() as session:
        fan = fans.find_fan(account_id, fan_id, to_change=True)
        theirs = (Message.account_id == account_id) & (Message.fan_id == fan.id)
        stays = Message.campaign_id.is_not(None) | (Message.status == MessageStatus.SENDING)
        cancelled = {
            "status": MessageStatus.CANCELLED,
            "status_reason": "The fan was deleted.",
            "changed_at": utcnow(),
        }
        execute(update(Message).where(theirs, Message.status == MessageStatus.QUEUED).values(**cancelled))
        execute(delete(Message).where(theirs, ~stays))
        execute(update(Message).where(theirs, Message.status != MessageStatus.SENDING).values(**NO_CONTENT))
        execute(update(Message).where(theirs).values(conversation_id=None, fan_id=None))
        session.expire_all()
        of_fan = (Conversation.fan_id == fan_id) & (Conversation.account_id == account_id)
        threads = session.scalars(delete(Conversation).where(of_fan).returning(Conversation.id)).all()
        session.delete(fan)
        session.flush()
        auditing.record(account_id, Act.FAN_DELETED, "fan", fan_id)
        noted = [news for each in threads for news in live.note_gone(account_id, each)]
    live.tell(noted)
