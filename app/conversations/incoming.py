"""What the platform told us, worked off by a worker: each stored event becomes what it says, once."""

import structlog
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError

from app.background import later
from app.conversations import actions, live
from app.conversations.models import MessageStatus
from app.conversations.taking_in import NotYet, ensure_fan, find_message, take_in
from app.database import db, execute, utcnow, write
from app.money.actions import record_transaction
from app.platforms import queries as platforms
from app.platforms.actions import expire
from app.platforms.gateway import (
    CredentialsLost,
    MessageDeleted,
    MessageReceived,
    MessageSent,
    MoneyMoved,
    PlatformEvent,
)
from app.platforms.models import Connection, StoredEvent

log = structlog.get_logger()
MOST_TRIES = 5


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
    except NotYet:
        return None  # it stays unhandled: the sweep asks again
    except IntegrityError as error:  # another worker wrote the same fan or message in this moment: once more
        log.info("event_raced", event_id=event_id, error=str(error.orig))
        return _try_later(event_id, f"Failed: {error.orig!r}"[:500])
    except (OperationalError, InterfaceError):  # the database's, and no fault of the event
        raise
    except Exception as error:
        log.exception("event_failed", event_id=event_id)
        return _try_later(event_id, f"Failed: {error!r}"[:500])
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
            return take_in(connection, event.message, event.fan)
        case MessageSent():
            return confirm(connection, event)
        case MessageDeleted(message_id):
            return mark_deleted(connection, message_id)
        case MoneyMoved():
            return record_money(connection, event)
        case CredentialsLost(detail):
            expire(connection.id, detail)
    return []


def confirm(connection: Connection, told: MessageSent) -> list[live.Noted]:
    """A message of the creator's stands in the chat: sent from here, or written there. Does not commit. Raises NotYet."""
    message = find_message(connection, told.message.id)
    if message is None:
        return take_in(connection, told.message, told.fan)
    return actions.change_status(message, MessageStatus.SENT, status=MessageStatus.DELIVERED)


def mark_deleted(connection: Connection, platform_message_id: str) -> list[live.Noted]:
    """It stays, as deleted there: what was sent was sent. Does not commit."""
    message = find_message(connection, platform_message_id)
    if message is None or message.deleted_at:
        return []
    message.deleted_at = utcnow()
    db.session.flush()
    return live.note_message(message)


def record_money(connection: Connection, event: MoneyMoved) -> list[live.Noted]:
    """Does not commit."""
    fan = ensure_fan(connection, event.fan)
    db.session.flush()
    paid = find_message(connection, event.message_id) if event.message_id else None
    is_new = record_transaction(
        fan,
        transaction_id=event.transaction_id,
        kind=event.kind,
        gross_cents=event.gross_cents,
        net_cents=event.net_cents,
        at=event.at,
        message_id=paid.id if paid else None,
        platform_message_id=event.message_id,
    )
    if not is_new or paid is None:
        return []
    paid.purchased = True
    db.session.flush()
    return live.note_message(paid)


def _try_later(event_id: int, fault: str) -> None:
    """fault: what is wrong with it, perhaps for ever."""
    with write() as session:
        stored = session.get_one(StoredEvent, event_id)
        stored.tries += 1
        tries = stored.tries
    if tries < MOST_TRIES:
        later("handle_event", event_id)
    else:
        _give_up(db.session.get_one(StoredEvent, event_id), fault)


def _give_up(stored: StoredEvent, fault: str) -> None:
    """Kept with its fault, for a person to see; it holds up nothing."""
    log.warning("event_not_understood", event_id=stored.id, fault=fault)
    with write():
        stored.handled_at, stored.fault = utcnow(), fault
