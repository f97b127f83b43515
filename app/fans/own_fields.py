"""Fans by the fields of the account's own: looked up in `fan_fields`, a row for each field of each fan, which the database
keeps by itself (see migration 0036). A fan's row is wide, and to read a million of them takes longer than a page may."""

from typing import Any

from sqlalchemy import Double, Select, Text, case, column, func, select, table

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
