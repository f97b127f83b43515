"""Fans by the fields of the account's own: looked up in `fan_fields`, a row for each field of each fan, which the database
keeps by itself (see migration 0036). A fan's row is wide, and to read a million of them takes longer than a page may."""

from typing import Any

from sqlalchemy import Double, Select, Text, case, column, func, select, table

from app.database import db
from app.fans.models import Fan

LONGEST_KEPT = 150  # letters of a value; of one that is longer there is a row without it
_fields = table(
    "fan_fields", column("account_id"), column("name"), column("fan_id", Fan.id.type), column("value", Text),
    column("number", Double),
).c  # fmt: skip
# Of those that are longer the fan's row is read: they are few.
_own_value = select(func.lower(Fan.custom.op("->>")(_fields.name))).where(Fan.id == _fields.fan_id)
VALUE: Any = case((_fields.value.is_(None), _own_value.scalar_subquery()), else_=_fields.value)  # in small letters
NUMBER: Any = _fields.number  # null where it is none


def with_field(account_id: int, name: str) -> Select[Any]:
    """Ids of the account's fans who have something in this field: each once; to be narrowed by its VALUE or NUMBER."""
    return select(_fields.fan_id).where(_fields.account_id == account_id, _fields.name == name)


def names_in(account_id: int, limit: int = 200) -> list[str]:
    """Of the fields that the account's fans have something in, by name."""
    own = select(func.min(_fields.name).label("name")).where(_fields.account_id == account_id)
    names = own.cte("names", recursive=True)
    # From each name to the next by the index: the fans who have it are passed over.
    following = own.where(_fields.name > names.c.name).correlate(names).scalar_subquery()
    names = names.union_all(select(following).where(names.c.name.is_not(None)))
    return list(db.session.scalars(select(names.c.name).where(names.c.name.is_not(None)).limit(limit)))
