"""What the platform told us, worked off by a worker: each stored event becomes what it says, once."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.background import later
from app.conversations import actions, live, sending_later
from app.conversations.actions import Speaker
from app.conversations.models import Message, MessageStatus
from app.database import db, execute, utcnow, write
from app.fans import queries as fans
from app.fans.models import Fan
from app.fans.sync import take_over
from app.money.actions import record_transaction
from app.platforms import queries as platforms
from app.platforms.actions import expire
from app.platforms.gateway import (
    CredentialsLost,
    MessageConfirmed,
    MessageReceived,
    MoneyMoved,
    PlatformEvent,
    PlatformFan,
)
from app.platforms.models import Connection, StoredEvent

log = structlog.get_logger()
MOST_TRIES = 5
CLOCK_DIFFERENCE = timedelta(seconds=60)


def handle_event(event_id: int) -> None:
    """Works off one stored event. Safe to run twice: the second run finds it handled, or changes nothing."""
    stored = db.session.get(StoredEvent, event_id)
    if stored is None or stored.handled_at is not None:
        return None
    connection = db.session.get_one(Connection, stored.connection_id)
    try:
        events = platforms.gateway_of(connection).read_events(stored.body)
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        return _give_up(stored, f"Not understood: {error!r}"[:500])
    try:
        noted = _apply(stored, connection, events)
    except IntegrityError as error:  # another worker wrote the same fan or message in this moment: once more
        log.info("event_raced", event_id=event_id, error=str(error.orig))
        return _try_later(event_id)
    live.tell(noted)


def _apply(stored: StoredEvent, connection: Connection, events: list[PlatformEvent]) -> list[live.Noted]:
    """What the event says and that it was handled, in one transaction: so it counts once."""
    unhandled = (StoredEvent.id == stored.id) & StoredEvent.handled_at.is_(None)
    with write():
        claimed = execute(update(StoredEvent).where(unhandled).values(handled_at=utcnow(), fault=""))
        return [news for event in events for news in _apply_one(connection, event)] if claimed else []


def _apply_one(connection: Connection, event: PlatformEvent) -> list[live.Noted]:
    match event:
        case MessageReceived():
            return receive_message(connection, event)
        case MessageConfirmed(message_id):
            return confirm(connection, message_id)
        case MoneyMoved():
            return record_money(connection, event)
        case CredentialsLost(detail):
            expire(connection.id, detail)
    return []


def receive_message(connection: Connection, event: MessageReceived) -> list[live.Noted]:
    """A fan wrote. The same message again, under whatever event, changes nothing. Does not commit."""
    arrived = event.message
    if _find_message(connection, arrived.id):
        return []
    fan = ensure_fan(connection, event.fan)
    conversation, _ = actions.ensure_conversation(fan)
    written_at = _place_in_time(arrived.created_at, conversation.last_message_at)
    fan.last_seen_at = max(filter(None, (fan.last_seen_at, written_at)))
    message = Message(
        account_id=connection.account_id,
        conversation_id=conversation.id,
        fan_id=fan.id,
        connection_id=connection.id,
        direction="in",
        text=arrived.text[: 4 * actions.LONGEST_TEXT].replace("\0", ""),
        price_cents=arrived.price_cents,
        attachments=list(arrived.attachments),
        status=MessageStatus.RECEIVED,
        platform_message_id=arrived.id,
        created_at=written_at,
    )
    db.session.add(message)
    db.session.flush()
    return sending_later.cancel_answered(conversation) + actions.place_message(message, Speaker.FAN)


def _place_in_time(told: datetime, last_message_at: datetime | None) -> datetime:
    """When it was written, by the platform's clock: which has whole seconds and differs from ours. Not in our future,
    and an answer does not stand above what it answers."""
    told = min(told, utcnow())
    if last_message_at and told <= last_message_at < told + CLOCK_DIFFERENCE:
        return last_message_at + timedelta(microseconds=1)
    return told


def confirm(connection: Connection, platform_message_id: str) -> list[live.Noted]:
    """A message of ours stands in the chat. Does not commit."""
    message = _find_message(connection, platform_message_id)
    return actions.change_status(message, MessageStatus.SENT, status=MessageStatus.DELIVERED) if message else []


def record_money(connection: Connection, event: MoneyMoved) -> list[live.Noted]:
    """Does not commit."""
    fan = ensure_fan(connection, event.fan)
    db.session.flush()
    paid = _find_message(connection, event.message_id) if event.message_id else None
    is_new = record_transaction(
        fan,
        transaction_id=event.transaction_id,
        kind=event.kind,
        gross_cents=event.gross_cents,
        net_cents=event.net_cents,
        at=event.at,
        message_id=paid.id if paid else None,
    )
    if not is_new or paid is None:
        return []
    paid.purchased = True
    db.session.flush()
    return live.note_message(paid)


def ensure_fan(connection: Connection, seen: PlatformFan) -> Fan:
    """The fan of that platform id, else of that handle, else a new one. Does not commit."""
    fan = fans.find_by_platform_id(connection.account_id, connection.platform, seen.id)
    if fan is None:
        fan = fans.find_by_handle(connection.account_id, seen.handle)
        if fan is None or fan.platform_fan_id is not None:
            fan = Fan(account_id=connection.account_id, platform=connection.platform)
            db.session.add(fan)
        take_over(fan, seen)
        db.session.flush()
    return fan


def _find_message(connection: Connection, platform_message_id: str) -> Message | None:
    return db.session.scalar(
        select(Message).where(
            Message.connection_id == connection.id, Message.platform_message_id == platform_message_id
        )
    )


def _try_later(event_id: int) -> None:
    with write() as session:
        stored = session.get_one(StoredEvent, event_id)
        stored.tries += 1
        tries = stored.tries
    if tries < MOST_TRIES:
        later("handle_event", event_id)


def _give_up(stored: StoredEvent, fault: str) -> None:
    """Kept with its fault, for a person to see; it holds up nothing."""
    log.warning("event_not_understood", event_id=stored.id, fault=fault)
    with write():
        stored.handled_at, stored.fault = utcnow(), fault
