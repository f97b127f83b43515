"""Fills a fresh database with a business, by the database's fastest way: COPY on PostgreSQL, executemany on SQLite."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import text

from app.accounts import actions as accounts
from app.accounts.models import Account
from app.bulk import insert_many
from app.campaigns.models import Campaign
from app.conversations.models import Conversation, Message
from app.database import db, on_postgresql, run, table_of, utcnow, write
from app.fans.models import Fan, FanTag
from app.money.models import Transaction
from app.platforms.models import Connection
from bench import inbox_rows as rows
from tests.people import PASSWORD

AT_ONCE = 50_000
BIG, ADA = "Big", "p0.0@example.com"
KEPT_BY_TRIGGERS = (("messages", "message_words"), ("fans", "fan_names"), ("fans", "fan_fields"))
TABLES = (Fan, FanTag, Message, Conversation, Transaction)


def is_filled() -> bool:
    return db.session.scalar(db.select(Account.id).where(Account.name == BIG)) is not None


def fill(fans: int, conversations: int, messages: int) -> float:
    """Returns seconds."""
    began = time.monotonic()
    houses = [_add_house(number) for number in range(1 + rows.SMALL_ACCOUNTS)]
    of = rows.Business(houses, fans, conversations, messages, utcnow(), write_time)
    with _nothing_but_rows():
        load(Fan, rows.FAN, rows.fan_rows(of))
        load(FanTag, rows.TAG, rows.tag_rows(of))
        load(Message, rows.MESSAGE, rows.message_rows(of))
        load(Conversation, rows.CONVERSATION, rows.conversation_rows(of))
        load(Transaction, rows.TRANSACTION, of.bought)
    return time.monotonic() - began


def _add_house(number: int) -> rows.House:
    name = BIG if number == 0 else f"Small {number}"
    people = [
        accounts.add_user(email=f"p{place}.{number}@example.com", password=PASSWORD, account_name=name)
        for place in range(6 if number == 0 else 1)
    ]
    with write() as session:
        account_id = people[0].memberships[0].account_id
        connection = Connection(
            account_id=account_id, base_url="https://example.com", external_account="bench", api_key="unused",
            webhook_secret="unused", pace_limit=10, pace_window_seconds=60,
        )  # fmt: skip
        session.add(connection)
        session.flush()
        campaign = Campaign(
            account_id=account_id, connection_id=connection.id, name="Bench", content="hello", priority=5
        )
        session.add(campaign)
        session.flush()
        return rows.House(account_id, connection.id, campaign.id, [person.id for person in people])


def write_time(moment: datetime | None = None) -> str:
    """As the database keeps it; now, if no other moment is named."""
    return (moment or utcnow()).replace(tzinfo=None).isoformat(" ", "microseconds") + ("+00" if on_postgresql() else "")


def load(model: Any, names: Sequence[str], found: Iterable[tuple[Any, ...]]) -> None:
    began, left, count = time.monotonic(), iter(found), 0
    while portion := list(islice(left, AT_ONCE)):
        with write():
            insert_many(table_of(model), names, portion)
        count += len(portion)
    print(f"  {model.__tablename__}: {count:,} in {time.monotonic() - began:.0f} s", flush=True)


@contextmanager
def _nothing_but_rows() -> Iterator[None]:
    """Without indexes and foreign keys; they are made afterwards, as they were. The triggers that keep the index of words
    stay: a statement's rows are added at once."""
    kept = _made_afterwards()
    for kind, name, _ in kept:
        _do(f"DROP {kind} {name}")
    began = time.monotonic()
    if on_postgresql():
        for table, index in KEPT_BY_TRIGGERS:
            _do(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {index}_inserted")
        _do(f"ALTER DATABASE {db.engine.url.database} SET session_replication_role = replica")
        _do(f"ALTER DATABASE {db.engine.url.database} SET maintenance_work_mem = '1GB'")
        db.engine.dispose()
    else:
        _do("PRAGMA foreign_keys = off")  # of the pool's one connection, until it is thrown away below
    yield
    if on_postgresql():
        for table, index in KEPT_BY_TRIGGERS:
            _do(f"ALTER TABLE {table} ENABLE TRIGGER {index}_inserted")
        _do(f"ALTER DATABASE {db.engine.url.database} RESET session_replication_role")
        for model in TABLES:
            table = model.__tablename__
            if "id" in table_of(model).columns:
                _do(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")
    for *_, statement in kept:
        _do(statement)
    tidy()
    if on_postgresql():
        _do(f"ALTER DATABASE {db.engine.url.database} RESET maintenance_work_mem")
    db.engine.dispose()
    print(f"  indexes: {len(kept)}, {time.monotonic() - began:.0f} s with the rows", flush=True)


def _made_afterwards() -> list[tuple[str, str, str]]:
    """Of the tables that are filled, and of the words: the indexes that no constraint stands on, and on SQLite the triggers
    that would look through tables without them; with how each is made."""
    filled = [*(model.__tablename__ for model in TABLES), *(kept for _, kept in KEPT_BY_TRIGGERS)]
    tables = ", ".join(f"'{name}'" for name in filled)
    if on_postgresql():
        found = run(
            text(
                f"SELECT 'index', indexname, indexdef FROM pg_indexes WHERE tablename IN ({tables})"
                " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
            )
        )
    else:
        found = run(
            text(
                f"SELECT type, name, sql FROM sqlite_master WHERE tbl_name IN ({tables}) AND sql IS NOT NULL"
                " AND (type = 'index' OR type = 'trigger' AND name LIKE '%stretch%')"
            )
        )
    made = [(row[0], row[1], row[2]) for row in found]
    db.session.rollback()
    return made


def tidy() -> None:
    """What a database does by itself some time after so many rows came or changed."""
    _do("VACUUM ANALYZE") if on_postgresql() else _do("ANALYZE")


def _do(statement: str) -> None:
    """By itself, in no transaction."""
    driver = db.engine.raw_connection()
    try:
        if on_postgresql():
            driver.driver_connection.autocommit = True  # type: ignore[union-attr]
        driver.cursor().execute(statement)
    finally:
        if on_postgresql():
            driver.driver_connection.autocommit = False  # type: ignore[union-attr]
        driver.close()
