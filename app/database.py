"""The database: the base of all tables, column types, and the unit of work.

Both SQLite (WAL) and PostgreSQL are first-class: whatever stands here must hold on either.
"""

import base64
import hashlib
import os
import sqlite3
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar, cast, dataclass_transform

import psycopg
from cryptography.fernet import Fernet
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, DateTime, Engine, Executable, Integer, MetaData, Table, Text, event, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, CursorResult, Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import DeclarativeBase, MappedAsDataclass, ORMExecuteState, Session, mapped_column, relationship
from sqlalchemy.pool import ConnectionPoolEntry, Pool
from sqlalchemy.sql import Select
from sqlalchemy.types import TypeDecorator
from werkzeug.local import LocalProxy

Rows = TypeVar("Rows", bound=Executable)
BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows only in a column of type INTEGER
LARGEST_ID = 2**63 - 1
TRUSTED_SECONDS = 5  # a connection that was in use so recently is taken to be alive


class UTCDateTime(TypeDecorator[datetime]):
    """A moment. Always aware and in UTC in Python, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone reached the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Encrypted(TypeDecorator[str]):
    """Text that is unreadable in the database file and in backups: Fernet under a key drawn from SECRET_KEY."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _fernet().encrypt(value.encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else _fernet().decrypt(value.encode()).decode()


def _fernet() -> Fernet:
    digest = hashlib.sha256(b"greenroom tokens at rest\0" + current_app.config["SECRET_KEY"].encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


@dataclass_transform(kw_only_default=True, field_specifiers=(mapped_column, relationship))  # for type checkers
class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime, str: Text}


@event.listens_for(Table, "after_parent_attach")
def _number_once(table: Table, _metadata: MetaData) -> None:
    """SQLite would give a deleted row's id to the next one: an old link must not lead to a stranger."""
    if "id" in table.columns and isinstance(table.columns["id"].type, BigInteger):
        table.dialect_options["sqlite"]["autoincrement"] = True


def utcnow() -> datetime:
    return datetime.now(UTC)


Id = Annotated[int, mapped_column(BigId, primary_key=True)]
Moment = Annotated[datetime, mapped_column(UTCDateTime)]

db = SQLAlchemy(metadata=Base.metadata)


def init_app(app: Flask) -> None:
    # The connection that was used last is taken first: it has the statements prepared, and the pages in its cache.
    if app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        options: dict[str, Any] = {"connect_args": {"isolation_level": None}}
    else:
        options = {"pool_size": 20, "max_overflow": 60}
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options | {"pool_use_lifo": True, "hide_parameters": True}
    db.init_app(app)
    app.extensions["migrate"] = LocalProxy(lambda: _migrations(app))
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":  # Flask's command line, which is to know `flask db`
        _migrations(app)


def _migrations(app: Flask) -> Any:
    """Loaded when somebody migrates: it would be a tenth of a worker's memory."""
    from flask_migrate import Migrate

    Migrate(app, db, directory="migrations")
    return app.extensions["migrate"]


SQLITE = tuple(
    f"PRAGMA {each}" for each in ("journal_mode=wal", "synchronous=normal", "foreign_keys=on", "busy_timeout=15000")
)
# What a page reads is mostly in memory, where each place costs the same: PostgreSQL supposes slow disks, and would read
# whole tables. To compile a plan, or to share it, takes longer than a page may.
POSTGRESQL = ("SET random_page_cost = 1.1", "SET jit = off", "SET max_parallel_workers_per_gather = 0")


@event.listens_for(Engine, "connect")
def _tune(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        for statement in SQLITE:
            connection.execute(statement)
        connection.create_function("lot", 2, _lot, deterministic=True)
        return
    connection.execute("; ".join(POSTGRESQL))
    connection.commit()


def _lot(number: int, seed: int) -> int:
    """What PostgreSQL has as hashint8extended: 0 to 2^62."""
    return int.from_bytes(hashlib.blake2b(b"%d %d" % (number, seed), digest_size=8).digest()) >> 2


@event.listens_for(Pool, "checkin")
def _note_when_idle(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["idle_since"] = time.monotonic()


@event.listens_for(Pool, "checkout")
def _replace_dead(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
    """A server that was restarted has left dead connections. One that was just in use is not asked: that would be one
    more round trip for each transaction."""
    idle = time.monotonic() - record.info.get("idle_since", time.monotonic())
    if idle < TRUSTED_SECONDS or isinstance(connection, sqlite3.Connection):
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.OperationalError as error:
        raise DisconnectionError from error


def planned_anew(statement: Rows) -> Rows:
    """Its best plan depends on the values: prepared, PostgreSQL would plan it once for all, ten times slower for some."""
    return statement.execution_options(planned_anew=True)


def in_binary(statement: Rows) -> Rows:
    """Many bytes: PostgreSQL would write them out as text, two letters for each."""
    return statement.execution_options(in_binary=True)


@event.listens_for(Engine, "do_execute")
def _execute_as_wished(cursor: Any, statement: str, values: Any, context: Any) -> bool:
    wished = context.execution_options if context else {}
    if not (wished.keys() & {"planned_anew", "in_binary"} and isinstance(cursor, psycopg.Cursor)):
        return False
    how = {"prepare": False} if "planned_anew" in wished else {"binary": True}
    cursor.execute(cast("Any", statement), values, **how)
    return True


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@event.listens_for(Session, "after_begin")
def _read_without_transaction(session: Session, _transaction: Any, connection: Connection) -> None:
    """PostgreSQL shows each statement what is committed by then, inside a transaction or not (READ COMMITTED): for what
    only reads, BEGIN and COMMIT would be two more round trips."""
    if connection.dialect.name == "postgresql" and not session.info.get("writing"):
        cast("psycopg.Connection", connection.connection.dbapi_connection).autocommit = True


@event.listens_for(Pool, "reset")
def _back_to_transactions(connection: Any, _record: ConnectionPoolEntry, _state: Any) -> None:
    if isinstance(connection, psycopg.Connection) and connection.autocommit:
        connection.autocommit = False


@contextmanager
def write() -> Iterator[Session]:
    """One unit of work that writes: taken whole and committed on leaving, or not at all.

    On SQLite the write lock is taken before the first read: a read that turns into a write half-way would be refused,
    or lose what another process wrote in between. Whatever was read before is read anew inside.
    """
    session = db.session()
    if session.info.get("writing"):
        raise RuntimeError(
            "a unit of work was opened inside another: the inner verb must leave the commit to the outer"
        )
    session.commit()
    session.info["writing"] = True
    try:
        session.connection(execution_options={"writes": True})
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["writing"] = False


@event.listens_for(Session, "before_flush")
def _only_units_of_work_flush(session: Session, *_: Any) -> None:
    if not session.info.get("writing") and (session.new or session.dirty or session.deleted):
        raise RuntimeError("a write outside `with write():`")


@event.listens_for(Session, "do_orm_execute")
def _only_units_of_work_change(state: ORMExecuteState) -> None:
    changes = state.is_insert or state.is_update or state.is_delete
    if changes and not state.session.info.get("writing"):
        raise RuntimeError("a write outside `with write():`")


def held(rows: Select[Any]) -> Select[Any]:
    """As they stand by now, and nobody else's to change until the commit; whoever waits for a row that is deleted finds none.
    What points at them may be written meanwhile."""
    return rows.with_for_update(key_share=True).execution_options(populate_existing=True)


def execute(change: Any) -> int:
    """Runs an INSERT, UPDATE or DELETE and says how many rows it changed. Objects in memory are not brought along."""
    options = {"synchronize_session": False, "preserve_rowcount": True}
    return cast("CursorResult[Any]", db.session.execute(change, execution_options=options)).rowcount


def run(statement: Any, *values: Any) -> CursorResult[Any]:
    """Executes on the session's connection, past the ORM: for statements that are built once and asked very often.

    One that changes something belongs inside `with write():`; objects in memory are neither written first nor brought along.
    """
    return db.session.connection().execute(statement, *values)


def plain(value: str | int) -> Any:
    """A constant written into the statement itself. Partial indexes are only found by statements that say what they say."""
    return literal_column(f"'{value}'" if isinstance(value, str) else str(value))


def table_of(model: type[Base]) -> Table:
    return cast("Table", model.__table__)


def insert(table: Any) -> Any:
    """INSERT with ON CONFLICT, in the dialect in use."""
    return postgresql.insert(table) if on_postgresql() else sqlite.insert(table)


def on_postgresql() -> bool:
    return db.engine.dialect.name == "postgresql"


def fold(words: str) -> str:
    """Text as search and uniqueness see it: without case, and accents taken off."""
    if words.isascii():
        return words.lower()
    plain = unicodedata.normalize("NFKD", words.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def contains(column: Any, part: str) -> Any:
    """`column` holds `part`, taken literally."""
    return column.contains(part, autoescape=True)
