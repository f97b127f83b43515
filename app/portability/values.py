"""A line of a file as the values of a row: each column of the kind that its table has, or the line is refused."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Column, Integer, Table, Text

from app.database import UTCDateTime
from app.portability.archive import BadArchive

LARGEST_NUMBER = 2**63 - 1


def read_row(table: Table, columns: list[str], said: dict[str, Any], file: str, line: int) -> dict[str, Any]:
    """Raises BadArchive."""
    if set(said) != set(columns):
        odd = sorted(set(said) ^ set(columns))[0]
        raise BadArchive(file, f"{odd!r} {'is not known here' if odd in said else 'is missing'}.", line)
    try:
        return {name: _read(table.c[name], said[name]) for name in columns}
    except ValueError as error:
        raise BadArchive(file, f"{error}.", line) from error


def _read(column: Column[Any], value: Any) -> Any:
    if value is None:
        if not column.nullable and not isinstance(column.type, JSON):
            raise ValueError(f"{column.name} is empty")
        return None
    if isinstance(column.type, UTCDateTime):
        return _moment(column.name, value)
    wanted = _kind_of(column)
    if wanted is not None and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
        raise ValueError(f"{column.name} is not {_WORDS[wanted]}")
    if wanted is int and abs(value) > LARGEST_NUMBER:
        raise ValueError(f"{column.name} is too large a number")
    if "\0" in str(value):
        raise ValueError(f"{column.name} holds a NUL character")
    return value


_WORDS = {int: "a whole number", bool: "true or false", str: "a text"}


def _kind_of(column: Column[Any]) -> type | None:
    for kind, python in ((Boolean, bool), (Integer, int), (Text, str)):
        if isinstance(column.type, kind):
            return python
    return None


def _moment(name: str, value: Any) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{name} is not a time with its zone")
    return moment
