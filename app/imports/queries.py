from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from app.database import db, utcnow
from app.errors import NotFound
from app.imports.models import UNFINISHED, Import, ImportRow, Severity
from app.paging import Order

NEWEST_FIRST = Order("-imports", Import.id, Import.id, descending=True)
BY_ROW = Order("row", ImportRow.row, ImportRow.id)
WAKE_UP_GRACE = timedelta(seconds=10)  # younger ones have their own wake-up under way


def imports_of(account_id: int) -> Select[Any]:
    return select(Import).where(Import.account_id == account_id)


def find_import(account_id: int, import_id: int) -> Import:
    """Raises NotFound."""
    found = db.session.scalar(imports_of(account_id).where(Import.id == import_id))
    if found is None:
        raise NotFound
    return found


def rows_of(found: Import, severity: Severity) -> Select[Any]:
    """Skipped rows, or warnings."""
    return select(ImportRow).where(ImportRow.import_id == found.id, ImportRow.severity == severity)


def count_warnings(found: Import) -> int:
    return db.session.scalar(select(func.count()).select_from(rows_of(found, Severity.WARNING).subquery())) or 0


def columns_read(found: Import) -> list[tuple[str, str]]:
    """Which header was taken for what."""
    return [(column["header"], column["field"]) for column in found.options["plan"]["columns"]]


def rejected_rows(import_id: int) -> Iterator[Any]:
    """In the order of the file; read in portions, so that memory does not grow with their number."""
    rows = select(ImportRow.id, ImportRow.row, ImportRow.error, ImportRow.cells).where(
        ImportRow.import_id == import_id, ImportRow.severity == Severity.ERROR
    )
    last = (0, 0)
    while True:
        behind = or_(ImportRow.row > last[0], and_(ImportRow.row == last[0], ImportRow.id > last[1]))
        portion = db.session.execute(rows.where(behind).order_by(ImportRow.row, ImportRow.id).limit(1000)).all()
        yield from portion
        if len(portion) < 1000:
            return
        last = (portion[-1].row, portion[-1].id)


def summary(found: Import) -> dict[str, Any]:
    """The `summary` of the JSON API, every skipped row included. While it runs: what is settled so far."""
    return {
        "totalRows": found.inserted + found.updated + found.unchanged + found.skipped,
        "successfulInserts": found.inserted,
        "updated": found.updated,
        "unchanged": found.unchanged,
        "skipped": found.skipped,
        "errors": _notes(found, Severity.ERROR),
        "warnings": _notes(found, Severity.WARNING),
    }


def _notes(found: Import, severity: Severity) -> list[dict[str, Any]]:
    rows = (
        select(ImportRow.row, ImportRow.column, ImportRow.value, ImportRow.error)
        .where(ImportRow.import_id == found.id, ImportRow.severity == severity)
        .order_by(ImportRow.row, ImportRow.id)
    )
    return [row._asdict() for row in db.session.execute(rows)]


def unfinished() -> list[int]:
    """Imports whose wake-up was lost or whose worker died: for the sweep, which rings again."""
    now = utcnow()
    rows = select(Import.id).where(
        Import.status.in_(UNFINISHED),
        Import.created_at < now - WAKE_UP_GRACE,
        or_(Import.lease_until.is_(None), Import.lease_until < now),
    )
    return list(db.session.scalars(rows.order_by(Import.id).limit(100)))
