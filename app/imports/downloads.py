"""An import's rows as CSV: skipped ones as a file to mend and upload again, the others with what becomes of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

from app.csv_text import as_written, csv_text
from app.formats import money
from app.imports.headers import LABELS, MOMENTS
from app.imports.models import SKIPPED, Import, ImportRow, Outcome
from app.imports.queries import each_row
from app.zones import find_zone

REJECTED_LISTS = frozenset({"skipped", "rejected", "conflicts"})
CENTS = frozenset({"value_cents", "gross_cents", "net_cents", "fee_cents", "tax_cents"})
EXTRA_LABELS = {
    "gross_cents": "Gross amount",
    "net_cents": "Net amount",
    "fee_cents": "Fee",
    "tax_cents": "Tax",
    "kind": "Type",
    "statement_id": "Number in the statement",
    "fan_id": "Payer",
    "payer": "Payer",
}
HIDDEN = frozenset({"name_key", "handle_key", "email_key", "search_text", "id", "day_ends_at"})


def as_csv(found: Import, name: str) -> Iterator[str]:
    """One of queries.LISTS. Raises NotFound."""
    rows = each_row(found, name)
    return csv_text(_mendable(found, rows) if name in REJECTED_LISTS else _told(rows, zone_of(found)))


def zone_of(found: Import) -> str:
    """In which its times without one were read."""
    return found.options["plan"]["zone"]


def _mendable(found: Import, rows: Iterator[ImportRow]) -> Iterator[list[Any]]:
    header = list(found.options["plan"]["header"])
    yield [*header, "row", "error"]
    for row in rows:
        cells = [as_written(cell) for cell in row.cells or []] + [""] * len(header)
        width = max(len(header), len(row.cells or []))
        yield [*_folded(cells[:width], len(header)), row.row, row.error]


def _folded(cells: list[str], width: int) -> list[str]:
    """What stands beyond the header goes into the last cell, so that `row` and `error` keep their place."""
    return cells if len(cells) <= width else [*cells[: width - 1], ",".join(cells[width - 1 :])]


def _told(rows: Iterator[ImportRow], zone: str) -> Iterator[list[Any]]:
    """A line for each field of each row."""
    yield ["row", "about", "field", "before", "after", "note"]
    for row in rows:
        note = row.not_undone or row.not_applied or "; ".join(_warning(each) for each in row.warnings or [])
        changes = changes_of(row, zone)
        for field, before, after in changes or [("", "", "")]:
            yield [row.row, row.label, field, before, after, note]


def _warning(warning: dict[str, Any]) -> str:
    return f"{warning['column']}: {warning['error']} ({warning['value']})"


def changes_of(row: ImportRow, zone: str) -> list[tuple[str, str, str]]:
    """Field, former value, new value, for people to read; a day of the zone where the time is its beginning."""
    if row.outcome in SKIPPED or row.outcome == Outcome.UNCHANGED:
        return []
    before = row.before or {}
    after = {
        name: value for name, value in (row.after or {}).items() if name != "currency" or value != before.get(name)
    }
    names = [name for name in after if name not in HIDDEN and (after[name] not in (None, {}, "") or name in before)]
    return [
        (EXTRA_LABELS.get(name) or LABELS[name], said(name, before.get(name), zone), said(name, after[name], zone))
        for name in names
    ]


def said(name: str, value: Any, zone: str) -> str:
    """A value as people write it."""
    if value is None or value == {}:
        return ""
    if name in CENTS:
        return money(value)
    if name == "tags":
        return ", ".join(value.values())
    if name == "custom":
        return ", ".join(f"{key}: {text}" for key, text in value.items())
    if name == "payer":
        return value.get("handle") or value.get("name") or value.get("email") or value.get("platform_fan_id") or ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _moment(value[:19], zone) if name in MOMENTS else str(value)


def _moment(text: str, zone: str) -> str:
    local = datetime.fromisoformat(text).replace(tzinfo=UTC).astimezone(find_zone(zone) or UTC)
    return str(local.date()) if local.time() == time() else f"{text} UTC"
