"""Who reads a text, as far as it asks: without the rest of the fan, thousands at a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from app.database import db
from app.fans.models import Fan, FanTag
from app.fans.placeholders import CUSTOM, Template

READ_OF_ALL = (
    Fan.id, Fan.name, Fan.handle, Fan.value_cents, Fan.last_seen_at, Fan.subscribed_at, Fan.last_purchase_at, Fan.timezone,
)  # fmt: skip
TIER = "tier"  # the placeholder that asks for tags


@dataclass(slots=True)
class Reader:
    id: int
    name: str | None
    handle: str | None
    tags: list[str]
    value_cents: int
    last_seen_at: datetime | None
    subscribed_at: datetime | None
    last_purchase_at: datetime | None
    custom: dict[str, str] | None
    timezone: str | None


def readers(fans: Select[Any], templates: Iterable[Template]) -> list[Reader]:
    """`fans`: a SELECT of Fan, in the order wanted."""
    names = [part.written.casefold() for each in templates for part in each.parts if not isinstance(part, str)]
    columns: tuple[Any, ...] = READ_OF_ALL
    if asks_own := any(CUSTOM in name for name in names):
        columns = (*columns, Fan.custom)
    found = db.session.execute(fans.with_only_columns(*columns, maintain_column_froms=True)).all()
    tags = _tags([row.id for row in found]) if any(TIER in name for name in names) else {}
    return [
        Reader(
            row.id, row.name, row.handle, tags.get(row.id, []), row.value_cents, row.last_seen_at, row.subscribed_at,
            row.last_purchase_at, row.custom if asks_own else None, row.timezone,
        )
        for row in found
    ]  # fmt: skip


def _tags(fan_ids: list[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for fan_id, tag in db.session.execute(select(FanTag.fan_id, FanTag.tag).where(FanTag.fan_id.in_(fan_ids))):
        found.setdefault(fan_id, []).append(tag)
    return found
