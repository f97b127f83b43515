"""What /metrics and the system page count in the database. Each statement is one walk over an index of just what waits, or over
a table with a row for each connection or import: none reads the messages or the attempts as a whole.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Integer, cast, func, literal, or_, select, text

from app import clock
from app.accounts.models import Account
from app.conversations.models import Message, MessageStatus, SendAttempt
from app.database import db, on_postgresql, plain
from app.imports.models import Import
from app.platforms.models import Connection, StoredEvent

SETTLED_BY_PEOPLE = (MessageStatus.FAILED, MessageStatus.UNKNOWN)
ROWS = {
    "inserted": Import.inserted, "updated": Import.updated, "unchanged": Import.unchanged,
    "conflict": Import.conflict_rows, "rejected": Import.rejected_rows, "not_applied": Import.not_applied,
}  # fmt: skip


@dataclass(frozen=True)
class Waiting:
    connection_id: int
    is_reply: bool
    count: int
    oldest: datetime


def waiting(account_id: int | None = None) -> list[Waiting]:
    """What is queued, by connection, replies and campaigns apart, of one account or of all. The oldest is the one made first."""
    own = select(Connection.id).where(Connection.account_id == account_id)
    theirs = () if account_id is None else (Message.connection_id.in_(own),)
    is_reply = cast(Message.campaign_id.is_(None), Integer)
    queue = (
        select(
            Message.connection_id,
            is_reply.label("is_reply"),
            func.count().label("number"),
            func.min(Message.id).label("first"),
        )
        .where(Message.status == plain(MessageStatus.QUEUED), *theirs)
        .group_by(Message.connection_id, is_reply)
        .subquery()
    )
    rows = select(queue.c.connection_id, queue.c.is_reply, queue.c.number, Message.created_at)
    return [
        Waiting(row[0], bool(row[1]), row[2], row[3])
        for row in db.session.execute(rows.join(Message, Message.id == queue.c.first))
    ]


def in_flight() -> int:
    theirs = select(func.count()).where(
        Message.connection_id == Connection.id, Message.status == plain(MessageStatus.SENDING)
    )
    total = select(func.coalesce(func.sum(theirs.scalar_subquery()), 0)).select_from(Connection)
    return int(db.session.scalar(total) or 0)


def for_people() -> dict[str, int]:
    """Failed and unknown ones, of all accounts: the index begins with the account."""
    found = {}
    for status in SETTLED_BY_PEOPLE:
        theirs = select(func.count()).where(Message.account_id == Account.id, Message.status == plain(status))
        total = select(func.coalesce(func.sum(theirs.scalar_subquery()), 0)).select_from(Account)
        found[status.value] = int(db.session.scalar(total) or 0)
    return found


@dataclass(frozen=True)
class Stand:
    """How a connection stands; `used` of its pace's messages in the window behind, as it holds without slowing down."""

    connection: Any
    used: int


def connections() -> list[Stand]:
    now = literal(clock.now(), BigInteger)
    in_window = SendAttempt.answered_tick > now - cast(Connection.pace_window_seconds, BigInteger) * clock.SECOND
    used = select(func.count()).where(
        SendAttempt.connection_id == Connection.id, or_(in_window, SendAttempt.answered_tick.is_(None))
    )
    columns = (
        Connection.id, Connection.status, Connection.pace_limit, Connection.faults_in_a_row, Connection.held_tick,
    )  # fmt: skip
    rows = db.session.execute(select(*columns, used.scalar_subquery().label("used")).order_by(Connection.id))
    return [Stand(row, row.used) for row in rows]


def import_rows() -> dict[str, int]:
    sums = db.session.execute(select(*(func.coalesce(func.sum(column), 0) for column in ROWS.values()))).one()
    return {name: int(number) for name, number in zip(ROWS, sums, strict=True)}


def events_unhandled() -> int:
    return db.session.scalar(select(func.count()).where(StoredEvent.handled_at.is_(None))) or 0


def database_bytes() -> int:
    if on_postgresql():
        return int(db.session.scalar(text("SELECT pg_database_size(current_database())")) or 0)
    pages = db.session.scalar(text("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"))
    return int(pages or 0)


def database_connections() -> int | None:
    """None on SQLite, which has none that could run out."""
    if not on_postgresql():
        return None
    mine = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
    return int(db.session.scalar(mine) or 0)
