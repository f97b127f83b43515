"""A purchase and the message that was bought find each other, whichever of the two is known first."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from app.conversations import live
from app.conversations.models import Message
from app.database import db, execute, utcnow, write
from app.money.models import Transaction
from app.platforms.models import Connection

LATELY = timedelta(days=7)  # what was bought before is of a message from before the connection, or comes in by take_in

_UNLINKED = Transaction.message_id.is_(None) & Transaction.platform_message_id.is_not(None)
# Looked up for each of those few: as a join, SQLite would go through all messages for them.
_MESSAGE = (
    select(Message.id)
    .join(Connection, Connection.id == Message.connection_id)
    .where(
        Connection.account_id == Transaction.account_id,
        Connection.platform == Transaction.platform,
        Message.platform_message_id == Transaction.platform_message_id,
        Message.fan_id == Transaction.fan_id,
    )
    .limit(1)
    .correlate(Transaction)
    .scalar_subquery()
)


def link_lately_told() -> None:
    """For the sweep: a message of ours may be bought before its sender has written down what the platform calls it."""
    lately = Transaction.created_at > utcnow() - LATELY
    if not _found(lately):
        return
    with write():
        noted = [news for message in _link(lately) for news in live.note_message(message)]
    live.tell(noted)


def link_purchases(message: Message) -> None:
    """Those that were told before the message came in. Does not commit."""
    _link(
        Transaction.account_id == message.account_id,
        Transaction.platform_message_id == message.platform_message_id,
    )


def _link(*which: Any) -> list[Message]:
    messages = []
    for transaction_id, message_id in _found(*which):
        execute(update(Transaction).where(Transaction.id == transaction_id).values(message_id=message_id))
        messages.append(db.session.get_one(Message, message_id))
        messages[-1].purchased = True
    db.session.flush()
    return messages


def _found(*which: Any) -> list[tuple[int, int]]:
    """Of those payments, each with the message that was bought, where it is known."""
    rows = select(Transaction.id, _MESSAGE.label("message_id")).where(_UNLINKED, *which).subquery()
    return [(row[0], row[1]) for row in db.session.execute(select(rows).where(rows.c.message_id.is_not(None)))]
