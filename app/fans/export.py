"""Fans as CSV: the list on the screen, all its pages. Imported again it gives the same fans."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, func, select

from app.csv_text import csv_text, in_units
from app.database import db, on_postgresql
from app.fans.models import Fan
from app.paging import Order, each_entity

HEADER = (
    "Username", "Display Name", "Email", "Total Spent", "Last Seen", "Tags", "Subscription Status", "Platform ID", "Phone",
    "Notes", "Do Not Message", "Avatar URL", "Time Zone", "Subscribed At", "Subscription Ends",
)  # fmt: skip
CUSTOM = "Custom: {}"  # so that an import knows the column for what it is


def fans_csv(rows: Select[Any], order: Order) -> Iterator[str]:
    """Streamed."""
    return csv_text(_lines(rows, order))


def _lines(rows: Select[Any], order: Order) -> Iterator[list[Any]]:
    own = _own_fields(rows)
    yield [*HEADER, *(CUSTOM.format(name) for name in own)]
    for fan in each_entity(rows, order):
        yield [*_cells(fan), *(fan.custom.get(name) for name in own)]


def _own_fields(rows: Select[Any]) -> list[str]:
    """The names of custom fields that these fans have."""
    each = func.json_each(Fan.custom) if not on_postgresql() else func.json_each_text(Fan.custom)
    pairs = each.table_valued("key", "value", joins_implicitly=True)
    ids = rows.with_only_columns(Fan.id).order_by(None)
    return list(
        db.session.scalars(select(pairs.c.key).select_from(Fan).distinct().where(Fan.id.in_(ids)).order_by(pairs.c.key))
    )


def _cells(fan: Fan) -> list[Any]:
    return [
        fan.handle, fan.name, fan.email, in_units(fan.value_cents), _moment(fan.last_seen_at),
        _tags(fan.tags), fan.subscription_status, fan.platform_fan_id, fan.phone, fan.notes,
        "yes" if fan.do_not_message else "no", fan.avatar_url, fan.timezone,
        _moment(fan.subscribed_at), _moment(fan.subscription_ends_at),
    ]  # fmt: skip


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def _tags(tags: list[str]) -> str:
    """Between upright lines; one at the end too where a lone tag holds what would otherwise part it."""
    out = io.StringIO()
    csv.writer(out, delimiter="|", lineterminator="").writerow(tags)
    text = out.getvalue()
    return f"{text}|" if len(tags) == 1 and set(text) & set(";,") else text
