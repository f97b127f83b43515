"""Reading chats back: platforms send no event when a fan opens a message, so we look."""

from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Select, func, or_, select, update

from app.conversations import actions, live
from app.conversations.models import Message, MessageStatus
from app.database import db, utcnow, write
from app.fans.models import Fan
from app.platforms import queries as platforms
from app.platforms.gateway import PlatformError, PlatformMessage
from app.platforms.models import Connection, ConnectionStatus

log = structlog.get_logger()
LOOKS_BACK = timedelta(days=3)
CHATS_AT_A_GLANCE = 100  # whose last message one call tells
CHATS_PER_RUN = 10  # which are read on their own: ours may stand further up
MESSAGES_PER_CHAT = 30
EVERY = timedelta(seconds=15)


def connections_due() -> list[int]:
    """Connections whose chats were not read back lately."""
    rows = select(Connection.id).where(
        Connection.status == ConnectionStatus.ACTIVE,
        or_(Connection.last_read_back_at.is_(None), Connection.last_read_back_at < utcnow() - EVERY),
    )
    return list(db.session.scalars(rows))


def read_back(connection_id: int) -> None:
    """Brings what the platform knows of our newest messages into the database: delivered, read."""
    connection = db.session.get(Connection, connection_id)
    if connection is None or connection.status != ConnectionStatus.ACTIVE:
        return
    with write() as session:
        session.execute(update(Connection).where(Connection.id == connection_id).values(last_read_back_at=utcnow()))
    gateway = platforms.gateway_of(connection)
    if not db.session.scalar(select(_unread_of(connection).exists())):
        return
    db.session.commit()  # no transaction is held while the platform answers
    try:
        _take_in(connection_id, [last for _, last in gateway.recent_chats(CHATS_AT_A_GLANCE)])
        for chat_id in _chats_to_read(connection):
            db.session.commit()
            _take_in(connection_id, gateway.read_chat(chat_id, MESSAGES_PER_CHAT).messages)
    except (PlatformError, KeyError, TypeError, ValueError) as error:
        log.info("read_back_stopped", connection=connection_id, error=repr(error))


def _chats_to_read(connection: Connection) -> list[str]:
    """The chats with our latest unread messages, a different few each time, so that all have their turn."""
    rows = _unread_of(connection).group_by(Fan.platform_fan_id).order_by(func.random()).limit(CHATS_PER_RUN)
    return [chat_id for chat_id in db.session.scalars(rows) if chat_id]


def _unread_of(connection: Connection) -> Select[Any]:
    """The chat of each of our latest messages that its fan has not opened yet."""
    return (
        select(Fan.platform_fan_id)
        .join(Message, Message.fan_id == Fan.id)
        .where(
            Message.account_id == connection.account_id,
            Message.connection_id == connection.id,
            Message.status.in_((MessageStatus.SENT, MessageStatus.DELIVERED)),
            Message.sent_at > utcnow() - LOOKS_BACK,
            Fan.platform_fan_id.is_not(None),
        )
    )


def _take_in(connection_id: int, seen: list[PlatformMessage]) -> None:
    ours = {each.id: each for each in seen if each.sent_by_us}
    with write() as session:
        rows = select(Message).where(
            Message.connection_id == connection_id,
            Message.platform_message_id.in_(ours),
            Message.status.in_((MessageStatus.SENT, MessageStatus.DELIVERED)),
        )
        noted: list[live.Noted] = []
        for message in session.scalars(rows).all():
            opened = ours[message.platform_message_id or ""].opened
            new = MessageStatus.READ if opened else MessageStatus.DELIVERED
            if new != message.status:
                noted += actions.change_status(message, message.status, status=new)
    live.tell(noted)
