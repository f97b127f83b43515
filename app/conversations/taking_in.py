"""What stands in a chat on the platform becomes a message here, once, whoever told of it and however often."""

from datetime import datetime, timedelta

from sqlalchemy import select

from app.conversations import actions, live, sending_later
from app.conversations.actions import Speaker
from app.conversations.models import Message, MessageStatus
from app.conversations.purchases import link_purchases
from app.database import db, utcnow
from app.fans import queries as fans
from app.fans.keys import clean_handle
from app.fans.models import Fan
from app.fans.sync import link_fan
from app.platforms.gateway import PlatformFan, PlatformMessage
from app.platforms.models import Connection

CLOCK_DIFFERENCE = timedelta(seconds=60)


class NotYet(Exception):
    """It may be a message of ours that is just being sent: to be asked again once that is known."""


def take_in(connection: Connection, arrived: PlatformMessage, seen: PlatformFan) -> list[live.Noted]:
    """A message of the fan's; or one of ours that was written on the platform itself, and so is nobody's here; or one
    from here of which only a person knew that it arrived.

    One that stands here already changes nothing. Does not commit. Raises NotYet.
    """
    if find_message(connection, arrived.id):
        return []
    fan = ensure_fan(connection, seen)
    if arrived.sent_by_us:
        _check_that_it_is_not_ours(connection, fan, arrived)
        settled = _find_settled(connection, fan, arrived)
        if settled:
            return _adopt(settled, arrived.id)
    conversation, _ = actions.ensure_conversation(fan)
    written_at = _place_in_time(arrived.created_at, conversation.last_message_at)
    message = Message(
        account_id=connection.account_id,
        conversation_id=conversation.id,
        fan_id=fan.id,
        connection_id=connection.id,
        direction="out" if arrived.sent_by_us else "in",
        text=arrived.text[: 4 * actions.LONGEST_TEXT].replace("\0", ""),
        price_cents=arrived.price_cents,
        attachments=list(arrived.attachments),
        status=MessageStatus.DELIVERED if arrived.sent_by_us else MessageStatus.RECEIVED,
        platform_message_id=arrived.id,
        created_at=written_at,
    )
    db.session.add(message)
    if arrived.sent_by_us:
        message.sent_at = written_at
        db.session.flush()
        link_purchases(message)
        return actions.place_message(message, Speaker.PERSON)
    fan.last_seen_at = max(filter(None, (fan.last_seen_at, written_at)))
    db.session.flush()
    placed = actions.place_message(message, Speaker.FAN)  # locks the thread: no answer for later is kept in this moment
    return placed + sending_later.cancel_answered(conversation)


def find_message(connection: Connection, platform_message_id: str) -> Message | None:
    return db.session.scalar(
        select(Message).where(
            Message.connection_id == connection.id, Message.platform_message_id == platform_message_id
        )
    )


def ensure_fan(connection: Connection, seen: PlatformFan) -> Fan:
    """The fan of that platform id, else of that handle, else a new one. Does not commit."""
    fan = fans.find_by_platform_id(connection.account_id, connection.platform, seen.id)
    if fan is None:
        fan = link_fan(connection, seen, None, fans.find_by_handle(connection.account_id, clean_handle(seen.handle)))
        db.session.flush()
    return fan


def _check_that_it_is_not_ours(connection: Connection, fan: Fan, arrived: PlatformMessage) -> None:
    """The platform may tell of a message before its sender has heard that it arrived. Raises NotYet."""
    under_way = select(Message.text).where(
        Message.fan_id == fan.id,
        Message.connection_id == connection.id,
        Message.status.in_((MessageStatus.SENDING, MessageStatus.UNKNOWN)),
    )
    if arrived.text in {text.strip() for text in db.session.scalars(under_way)}:
        raise NotYet


def _find_settled(connection: Connection, fan: Fan, arrived: PlatformMessage) -> Message | None:
    """The oldest of ours that a person said had arrived, and that may be this one: nobody knew what the platform calls it."""
    rows = select(Message).where(
        Message.fan_id == fan.id,
        Message.connection_id == connection.id,
        Message.status == MessageStatus.SENT,
        Message.platform_message_id.is_(None),
        Message.price_cents == arrived.price_cents,
        Message.created_at <= arrived.created_at + CLOCK_DIFFERENCE,
        Message.sent_at >= arrived.created_at - CLOCK_DIFFERENCE,
    )
    oldest_first = db.session.scalars(rows.order_by(Message.created_at, Message.id))
    return next((each for each in oldest_first if each.text.strip() == arrived.text), None)


def _adopt(settled: Message, platform_message_id: str) -> list[live.Noted]:
    """Does not commit. Raises NotYet where another one took the message in this moment."""
    values = {"status": MessageStatus.DELIVERED, "platform_message_id": platform_message_id}
    noted = actions.change_status(settled, MessageStatus.SENT, **values)
    if not noted:
        raise NotYet
    link_purchases(settled)
    return noted


def _place_in_time(told: datetime, last_message_at: datetime | None) -> datetime:
    """When it was written, by the platform's clock: which has whole seconds and differs from ours. Not in our future,
    and an answer does not stand above what it answers."""
    told = min(told, utcnow())
    if last_message_at and told <= last_message_at < told + CLOCK_DIFFERENCE:
        return last_message_at + timedelta(microseconds=1)
    return told
