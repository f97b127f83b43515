"""Fans who are called so, by any part of a name: looked up in `fan_names`, an index of every three letters that the
database keeps by itself (FTS5 on SQLite, GIN on PostgreSQL; see the migration that makes it)."""

from typing import Any

from sqlalchemy import Select, cast, column, func, literal, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY

from app.database import contains, on_postgresql
from app.fans.models import Fan

GRAM = 3  # letters


def called(account_id: int, part: str, *, email: bool = False) -> Select[Any]:
    """Ids of fans with this, folded, in name or handle; or in the e-mail too. On SQLite the e-mail always counts, and the
    fans may be another account's: whoever asks says once more what must be true."""
    return _on_postgresql(account_id, part, email) if on_postgresql() else _on_sqlite(account_id, part)


def _on_postgresql(account_id: int, part: str, email: bool) -> Select[Any]:
    id_type = Fan.id.type
    names = table("fan_names", column("fan_id", id_type), *map(column, ("account_id", "names", "email"))).c
    wanted = f"'account{account_id}' & ({_all_of(part)}{f' | {_all_of(part, chr(62))}' if email else ''})"
    grams = func.name_grams(names.account_id, names.names, names.email)
    holds = contains(names.names, part) | contains(names.email, part) if email else contains(names.names, part)
    found = select(names.fan_id).where(grams.op("@@")(cast(literal(wanted), TSQUERY())), holds)
    # Of its own: the database takes a name for so rare that it would rather read all fans for it.
    return select(found.cte("called").prefix_with("MATERIALIZED").c.fan_id)


def _all_of(part: str, mark: str = "") -> str:
    begins = ":*" if len(part) < GRAM else ""
    return "(" + " & ".join(_quoted(f"{mark}{gram}") + begins for gram in _grams(part)) + ")"


def _quoted(gram: str) -> str:
    """Nothing in it is an operator."""
    return "'" + gram.replace("\\", "\\\\").replace("'", "''") + "'"


def _on_sqlite(account_id: int, part: str) -> Select[Any]:
    if len(part) < GRAM:  # its index knows nothing shorter
        return select(Fan.id).where(Fan.account_id == account_id, contains(Fan.search_text, part))
    wanted = " AND ".join('"' + gram.replace('"', '""') + '"' for gram in _grams(part))
    index = table("fan_names", column("rowid", Fan.id.type))
    return select(index.c.rowid).where(text("fan_names MATCH :grams").bindparams(grams=wanted))


def _grams(part: str) -> list[str]:
    return list(dict.fromkeys(part[place : place + GRAM] for place in range(max(len(part) - GRAM + 1, 1))))
