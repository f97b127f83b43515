from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, cast, func, or_, select

from app.database import db, utcnow
from app.errors import NotFound
from app.imports.headers import LABELS
from app.imports.models import AT_WORK, SKIPPED, Import, ImportRow, ImportStatus, Outcome, RememberedMapping
from app.imports.options import Options
from app.money.models import Transaction
from app.money.queries import CURRENCY
from app.paging import Order

NEWEST_FIRST = Order("-imports", Import.id, Import.id, descending=True)
BY_ROW = Order("row", ImportRow.row, ImportRow.row)
WAKE_UP_GRACE = timedelta(seconds=10)  # younger ones have their own wake-up under way
ROWS_AT_ONCE = 1000

# The lists of an import's rows, by their name in the address.
LISTS: dict[str, Any] = {
    "new": ImportRow.outcome == Outcome.NEW,
    "changed": ImportRow.outcome == Outcome.CHANGED,
    "unchanged": ImportRow.outcome == Outcome.UNCHANGED,
    "conflicts": ImportRow.outcome == Outcome.CONFLICT,
    "rejected": ImportRow.outcome == Outcome.REJECTED,
    "skipped": ImportRow.outcome.in_(SKIPPED),
    "warnings": ImportRow.warnings.is_not(None),
    "not-applied": ImportRow.not_applied.is_not(None),
    "not-undone": ImportRow.not_undone.is_not(None),
}


def imports_of(account_id: int) -> Select[Any]:
    return select(Import).where(Import.account_id == account_id, Import.status != ImportStatus.DISCARDED)


def find_import(account_id: int, import_id: int) -> Import:
    """Raises NotFound."""
    found = db.session.scalar(select(Import).where(Import.account_id == account_id, Import.id == import_id))
    if found is None:
        raise NotFound
    return found


def rows_of(found: Import, name: str) -> Select[Any]:
    """One of LISTS. Raises NotFound."""
    if name not in LISTS:
        raise NotFound
    return select(ImportRow).where(ImportRow.import_id == found.id, LISTS[name])


def each_row(found: Import, name: str) -> Iterator[ImportRow]:
    """One of LISTS in the order of the file; read in portions, so that memory does not grow with their number."""
    last = 0
    while True:
        rows = rows_of(found, name).where(ImportRow.row > last).order_by(ImportRow.row).limit(ROWS_AT_ONCE)
        portion = db.session.scalars(rows).all()
        yield from portion
        if len(portion) < ROWS_AT_ONCE:
            return
        last = portion[-1].row
        db.session.expunge_all()


def columns_read(found: Import) -> list[tuple[str, str]]:
    """Which header was taken for what, by the words of the form that asks for it."""
    return [(column["header"], LABELS[column["field"]]) for column in found.options["plan"]["columns"]]


def spend_is_in(found: Import) -> str | None:
    """The currency of what fans are said to have spent, where it is not the one in which fans' spend is shown."""
    columns = found.options["plan"]["columns"]
    said = next((column["currency"] for column in columns if column["field"] == "value_cents"), None)
    return said if said != CURRENCY else None


def doubt_of(found: Import) -> str | None:
    """What the rehearsal found that speaks against the zone in which times were read, in words."""
    doubt = Options.from_json(found.options).doubt
    return doubt.words if doubt else None


def doubt_that_stopped(found: Import) -> str | None:
    """Of an import that nobody looks at: why its zone has to be said, in words."""
    return found.failure if found.status == ImportStatus.FAILED and doubt_of(found) else None


TAKEN = ImportRow.outcome.not_in(SKIPPED) & ImportRow.not_applied.is_(None) & ImportRow.after.is_not(None)


def is_payment_of(import_id: int) -> ColumnElement[bool]:
    """Of a transaction: a row of the file tells it, whether it was new or stood here already."""
    numbers = select(ImportRow.after["transaction_id"].as_string()).where(ImportRow.import_id == import_id, TAKEN)
    return or_(Transaction.platform_transaction_id.in_(numbers), Transaction.statement_id.in_(numbers))


def sum_of(found: Import) -> tuple[int, int]:
    """Of the rows about payments in dollars that were taken: how many, and their gross in cents."""
    cents = cast(ImportRow.after["gross_cents"].as_string(), BigInteger)
    in_dollars = ImportRow.after["currency"].as_string() == CURRENCY
    rows = select(func.count(), func.sum(cents)).where(ImportRow.import_id == found.id, TAKEN, in_dollars)
    count, total = db.session.execute(rows).one()
    return count, int(total or 0)


def remembered(account_id: int, header_key: str) -> RememberedMapping | None:
    known = db.session.scalar(
        select(RememberedMapping).where(
            RememberedMapping.account_id == account_id, RememberedMapping.header_key == header_key
        )
    )
    db.session.commit()  # no transaction is held while the file is read
    return known


def summary(found: Import) -> dict[str, Any]:
    """The `summary` of the JSON API, every skipped row included. While it runs: what is settled so far."""
    return {
        "totalRows": found.inserted + found.updated + found.unchanged + found.skipped,
        "successfulInserts": found.inserted,
        "updated": found.updated,
        "unchanged": found.unchanged,
        "skipped": found.skipped,
        "errors": _errors(found),
        "warnings": _warnings(found),
    }


def _errors(found: Import) -> list[dict[str, Any]]:
    left_out = or_(LISTS["skipped"], LISTS["not-applied"])
    rows = (
        select(ImportRow.row, ImportRow.column, ImportRow.value, ImportRow.error, ImportRow.not_applied)
        .where(ImportRow.import_id == found.id, left_out)
        .order_by(ImportRow.row)
    )
    return [
        {"row": each.row, "column": each.column, "value": each.value, "error": each.error or each.not_applied}
        for each in db.session.execute(rows)
    ]


def _warnings(found: Import) -> list[dict[str, Any]]:
    """Of rows; before them what speaks against the zone that the file's times were read in, at the header's row."""
    rows = select(ImportRow.row, ImportRow.warnings).where(ImportRow.import_id == found.id, LISTS["warnings"])
    return _doubts(found) + [
        {"row": row, **warning}
        for row, warnings in db.session.execute(rows.order_by(ImportRow.row))
        for warning in warnings or ()
    ]


def _doubts(found: Import) -> list[dict[str, Any]]:
    options = Options.from_json(found.options)
    if not options.doubt:
        return []
    at = {"row": options.plan.header_row, "column": options.plan.fields["at"].header, "value": options.plan.zone}
    return [at | {"error": found.failure or options.doubt.words}]


def unfinished() -> list[int]:
    """Imports whose wake-up was lost or whose worker died: for the sweep, which rings again."""
    now = utcnow()
    rows = select(Import.id).where(
        Import.status.in_(AT_WORK),
        Import.created_at < now - WAKE_UP_GRACE,
        or_(Import.lease_until.is_(None), Import.lease_until < now),
    )
    return list(db.session.scalars(rows.order_by(Import.id).limit(100)))


def forgotten_drafts(before: datetime) -> list[tuple[int, int]]:
    """Account and id of imports that nobody went on with since then: their files need not be kept for ever."""
    rows = select(Import.account_id, Import.id).where(
        Import.status.in_((ImportStatus.MAPPING, ImportStatus.REHEARSED)), Import.created_at < before
    )
    return [
        (account_id, import_id) for account_id, import_id in db.session.execute(rows.order_by(Import.id).limit(100))
    ]
