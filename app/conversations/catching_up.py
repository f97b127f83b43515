"""What was said while nobody heard it: events that got lost on the way, or came while nothing ran, are read from the chats."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from app.conversations import live
from app.conversations.models import Message
from app.conversations.taking_in import NotYet, take_in
from app.database import db, execute, utcnow, write
from app.platforms import queries as platforms
from app.platforms.gateway import PlatformError, PlatformFan, PlatformGateway, PlatformMessage
from app.platforms.models import Connection, ConnectionStatus

log = structlog.get_logger()
EVERY = timedelta(minutes=5)
CLOCK_DIFFERENCE = timedelta(minutes=5)  # the platform's clock is another
CHATS_PER_CALL = 100
MESSAGES_PER_CALL = 100
MOST_CALLS = 50  # for the list of chats, and for each chat


def connections_due() -> list[int]:
    long_ago = or_(Connection.last_caught_up_at.is_(None), Connection.last_caught_up_at < utcnow() - EVERY)
    rows = select(Connection.id).where(Connection.status == ConnectionStatus.ACTIVE, long_ago)
    return list(db.session.scalars(rows))


def catch_up(connection_id: int) -> None:
    """Takes in what the connection's chats hold since all was known to be here. Safe to run twice, and to die in: where
    it did not come to its end, the next one begins where this one did."""
    connection = db.session.get(Connection, connection_id)
    if connection is None or connection.status != ConnectionStatus.ACTIVE:
        return
    began = utcnow()
    since = (connection.heard_until or connection.created_at) - CLOCK_DIFFERENCE
    _note(connection_id, last_caught_up_at=began)
    try:
        is_whole = _take_in_since(connection, platforms.gateway_of(connection), since)
    except (PlatformError, KeyError, TypeError, ValueError) as error:
        log.info("catching_up_stopped", connection=connection_id, error=repr(error))
        return
    if is_whole:
        _note(connection_id, heard_until=began)


def _note(connection_id: int, **values: datetime) -> None:
    with write():
        execute(update(Connection).where(Connection.id == connection_id).values(**values))


def _take_in_since(connection: Connection, gateway: PlatformGateway, since: datetime) -> bool:
    """Whether nothing is left. Raises PlatformError."""
    is_whole = True
    for number in range(MOST_CALLS):
        db.session.commit()  # no transaction is held while the platform answers
        chats = gateway.recent_chats(CHATS_PER_CALL, number * CHATS_PER_CALL)
        lately = [(fan, last) for fan, last in chats if last.created_at >= since]
        known = _known(connection, [last for _, last in lately])
        for fan, last in lately:
            if last.id not in known:
                is_whole &= _take_in_chat(connection, gateway, fan, since)
        if len(lately) < len(chats) or not chats:
            return is_whole
    return False


def _take_in_chat(connection: Connection, gateway: PlatformGateway, fan: PlatformFan, since: datetime) -> bool:
    """Whether nothing is left of this chat. Raises PlatformError."""
    unheard: list[PlatformMessage] = []
    before = None
    for _ in range(MOST_CALLS):
        db.session.commit()
        page = gateway.read_chat(fan.id, MESSAGES_PER_CALL, before).messages
        lately = [each for each in page if each.created_at >= since]
        unheard += lately
        if len(lately) < len(page) or not page:
            return _take_in_all(connection, fan, unheard[::-1])
        before = page[-1].id
    return False


def _take_in_all(connection: Connection, fan: PlatformFan, messages: list[PlatformMessage]) -> bool:
    """The oldest first, each by itself: what an event tells in the same moment is then only told once."""
    is_whole = True
    known = _known(connection, messages)
    for each in messages:
        if each.id in known:
            continue
        try:
            with write():
                noted = take_in(connection, each, fan)
        except (NotYet, IntegrityError):
            is_whole = False
        else:
            live.tell(noted)
    return is_whole


def _known(connection: Connection, messages: list[PlatformMessage]) -> set[str | None]:
    ids = [each.id for each in messages]
    rows = select(Message.platform_message_id).where(
        Message.connection_id == connection.id, Message.platform_message_id.in_(ids)
    )
    return set(db.session.scalars(rows))
