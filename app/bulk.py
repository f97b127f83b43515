"""Many rows at once, at the database's own speed: on either of the two."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, cast

import psycopg
from sqlalchemy import JSON, BigInteger, Boolean, Table, Text, bindparam, column, func, literal, select, text
from sqlalchemy import cast as cast_to
from sqlalchemy.dialects import postgresql

from app.database import db, on_postgresql, run

CACHE_KIB = 4_000
PAGES_BETWEEN_CHECKPOINTS = 8_000


def insert_many(table: Table, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Many rows at the driver's own speed: values as the database keeps them, JSON as text. Inside `with write():`."""
    connection = db.session.connection()
    columns = ", ".join(f'"{name}"' for name in names)
    if not on_postgresql():
        marks = ", ".join("?" * len(names))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", list(rows))  # noqa: S608
        return
    driver = cast("psycopg.Connection", connection.connection.driver_connection)
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN".encode()) as copy:
        for row in rows:
            copy.write_row(row)


def is_any_of(column: Any, values: str) -> Any:
    """`column IN (…)` for thousands of values in one parameter, named here and given as `many(values)`.

    As rows to be joined: PostgreSQL would rather test `= ANY` against every row of the account.
    """
    return column.in_(_rows(bindparam(values), column.type))


def listed(ids: Iterable[int]) -> Any:
    """Thousands of ids in one parameter, to be asked by `column.in_(…)`: see is_any_of."""
    return _rows(literal(many(ids), None if on_postgresql() else Text()), BigInteger())


def looked_up(column: Any, ids: Sequence[int]) -> Any:
    """Each id by the column's own index, whatever else is asked. Of `listed` PostgreSQL does not know how many they are,
    and might read the whole table instead."""
    if not on_postgresql():
        return column.in_(listed(ids))
    return column == func.any(cast_to(list(ids), postgresql.ARRAY(BigInteger)))


def _rows(values: Any, type_: Any) -> Any:
    if on_postgresql():
        return select(func.unnest(cast_to(values, postgresql.ARRAY(type_))))
    return select(func.json_each(values).table_valued("value").c.value)


def many(values: Iterable[Any]) -> Any:
    """For the parameter of is_any_of."""
    return list(values) if on_postgresql() else json.dumps(list(values))


def members_of(document: Any, *path: str, **types: Any) -> dict[str, Any]:
    """A JSON document's members as columns of these types; `path` leads to where they stand in it. The
    statement names the document's table first, by `select_from`.

    PostgreSQL would read the document anew for each member that is asked for by itself; this way it reads it once.
    """
    if on_postgresql():
        where = document[path] if path else document
        columns = (column(name, type_) for name, type_ in types.items())
        record = func.json_to_record(where).table_valued(*columns, joins_implicitly=True)
        return dict(record.render_derived(name="members", with_types=True).c)
    return {name: _member(document[(*path, name)], type_) for name, type_ in types.items()}


def _member(found: Any, type_: Any) -> Any:
    if type_ is Boolean:
        return found.as_boolean()
    if type_ is JSON:
        return found
    return found.as_string() if type_ is Text else cast_to(found.as_string(), type_)


def rows_of(document: str, types: dict[str, Any]) -> Any:
    """A JSON list of objects as rows to select from, in their order, with columns of these types: thousands of rows in one
    parameter. The document is the caller's own, of whole numbers and texts."""
    given = literal(document, Text)
    if on_postgresql():
        columns = [column(name, type_) for name, type_ in types.items()]
        return func.json_to_recordset(cast_to(given, JSON)).table_valued(*columns).render_derived(with_types=True)
    each = func.json_each(given).table_valued("value")
    members = (func.json_extract(each.c.value, f"$.{name}", type_=type_).label(name) for name, type_ in types.items())
    return select(*members).select_from(each).subquery("given")


def new_keys() -> Any:
    """A fresh one for each row that a statement writes, as `uuid4().hex`."""
    if on_postgresql():
        return func.replace(cast_to(func.gen_random_uuid(), Text), "-", "")
    return func.lower(func.hex(func.randomblob(16)))


def prepare_for_many() -> None:
    """For the rest of this unit of work.

    PostgreSQL's statistics lag behind what a bulk write brings: a table that was small when it last counted would be
    read from end to end for each set of rows. SQLite's indexes are kept in memory, and copied from the log into the
    file less often.
    """
    if on_postgresql():
        settings = [f"SET LOCAL {each} = off" for each in ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")]
    else:
        settings = [f"PRAGMA cache_size = -{CACHE_KIB}", f"PRAGMA wal_autocheckpoint = {PAGES_BETWEEN_CHECKPOINTS}"]
    for setting in settings:
        run(text(setting))


def count_anew(*tables: Table) -> None:
    """Lets PostgreSQL plan for the tables as they are now, also what it has planned already. Inside `with write():`."""
    if on_postgresql():
        for table in tables:
            run(text(f"ANALYZE {table.name}"))


def reserve_ids(table: Table, count: int) -> list[int]:
    """Ids that no other row of this table will ever get. Inside `with write():`."""
    if not count:
        return []
    if on_postgresql():
        numbers = text(
            "WITH ids AS MATERIALIZED (SELECT pg_get_serial_sequence(:name, 'id') AS sequence) "
            "SELECT nextval(sequence) FROM ids, generate_series(1, :count)"
        )
        return list(db.session.scalars(numbers, {"name": table.name, "count": count}))
    taken = {"name": table.name, "count": count}
    raised = text("UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :name RETURNING seq")
    last = run(raised, taken).scalar()
    if last is None:
        last = run(
            text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :count) RETURNING seq"), taken
        ).scalar_one()
    return list(range(last - count + 1, last + 1))
