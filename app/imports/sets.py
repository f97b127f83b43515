"""Decided rows in sets: each is written in one unit of work together with the place where the next one begins."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, update

from app.database import db, execute
from app.imports.models import Import, ImportRow, Outcome

ROWS = 10_000
BEFORE_ALL = 2**31 - 1  # sets go from the file's last row to its first


@dataclass(frozen=True)
class RowSet:
    """Rows of one outcome, from one row of the file to another."""

    account_id: int
    import_id: int
    outcome: Outcome
    first: int
    last: int
    count: int

    def holds(self) -> Any:
        """Of an import row: it belongs to the set."""
        return (
            (ImportRow.import_id == self.import_id)
            & (ImportRow.outcome == self.outcome)
            & ImportRow.row.between(self.first, self.last)
        )

    def rows(self) -> list[Any]:
        what = (ImportRow.row, ImportRow.fan_id, ImportRow.before, ImportRow.after)
        return list(db.session.execute(select(*what).where(self.holds()).order_by(ImportRow.row.desc())))


def next_set(account_id: int, import_id: int, outcome: Outcome, below: int, rows: int = ROWS) -> RowSet | None:
    """The next rows of an outcome; None where all are done."""
    some = (
        select(ImportRow.row)
        .where(ImportRow.import_id == import_id, ImportRow.outcome == outcome, ImportRow.row < below)
        .order_by(ImportRow.row.desc())
        .limit(rows)
        .subquery()
    )
    first, last, count = db.session.execute(select(func.min(some.c.row), func.max(some.c.row), func.count())).one()
    return RowSet(account_id, import_id, outcome, first, last, count) if count else None


def say(column: Any, words: str, which: Any) -> int:
    """Notes why some rows were not applied, or not undone. Returns how many. Does not commit."""
    return execute(update(ImportRow).where(which, column.is_(None)).values({column.key: words}))


def count(import_id: int, **more: int) -> None:
    """Adds to the import's counters. Does not commit."""
    added = {name: getattr(Import, name) + number for name, number in more.items()}
    execute(update(Import).where(Import.id == import_id).values(**added))


def left_in(done: RowSet, column: Any) -> int:
    """How many rows of the set say why they were left."""
    return db.session.scalar(select(func.count()).select_from(ImportRow).where(done.holds(), column.is_not(None))) or 0
