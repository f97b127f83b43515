"""Keyset pages: the next page starts behind the last row seen, so a page costs the same wherever it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import Select, and_, func, or_, select

from app.database import db
from app.errors import Invalid


@dataclass(frozen=True)
class Order:
    """One column (nulls last), then the id, both in the same direction."""

    name: str
    column: Any
    id: Any
    descending: bool = False

    def clauses(self) -> list[Any]:
        column, row_id = (self.column.desc(), self.id.desc()) if self.descending else (self.column, self.id)
        # Said only where there can be nulls: an index read backwards has them first, and would not be used.
        return [column.nulls_last() if self._may_be_null() else column, row_id]

    def behind(self, value: Any, row_id: int) -> Any:
        """What comes after the row with this value and id."""
        past_id = self.id < row_id if self.descending else self.id > row_id
        if value is None:
            return and_(self.column.is_(None), past_id)
        past = self.column < value if self.descending else self.column > value
        nulls = [self.column.is_(None)] if self._may_be_null() else []
        return or_(past, and_(self.column == value, past_id), *nulls)

    def _may_be_null(self) -> bool:
        return self.column.nullable


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    total: int
    next_cursor: str | None


def fetch_page(rows: Select[Any], order: Order, *, limit: int, cursor: str | None = None, counted: bool = True) -> Page:
    """One page of entities. Raises Invalid for a cursor that this list did not give.

    To count them all costs the more the longer the list; uncounted, `total` is that of the page.
    """
    total = db.session.scalar(select(func.count()).select_from(rows.order_by(None).subquery())) if counted else None
    picked = in_order(rows, order)
    if cursor:
        picked = picked.where(past(order, cursor))
    page = cut_page(db.session.execute(picked.limit(limit + 1)).all(), order, limit)
    return replace(page, total=total or 0) if counted else page


def in_order(rows: Select[Any], order: Order) -> Select[Any]:
    """With what each stands by in the order."""
    return rows.add_columns(order.column.label("sort_value"), order.id.label("sort_id")).order_by(*order.clauses())


def cut_page(found: Sequence[Any], order: Order, limit: int) -> Page:
    """A page of the rows of `in_order`: one more than the limit shows that there is a next page."""
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        rows=[row[0] for row in found[:limit]],
        total=len(found),
        next_cursor=_write_cursor(order.name, last.sort_value, last.sort_id) if last else None,
    )


def past(order: Order, cursor: str) -> Any:
    """What comes after the page that gave the cursor. Raises Invalid for one that this list did not give."""
    return order.behind(*_read_cursor(cursor, order.name))


def each_entity(rows: Select[Any], order: Order, *, at_once: int = 1000) -> Iterator[Any]:
    """All of a list in its order, read in portions: memory does not grow with it, and no transaction stays open."""
    picked = in_order(rows, order)
    behind: list[Any] = []
    while True:
        portion = db.session.execute(picked.where(*behind).limit(at_once)).all()
        yield from (row[0] for row in portion)
        if len(portion) < at_once:
            return
        behind = [order.behind(portion[-1].sort_value, portion[-1].sort_id)]
        db.session.rollback()
        db.session.expunge_all()


def _write_cursor(name: str, value: Any, row_id: int) -> str:
    if isinstance(value, datetime):
        value = {"at": value.isoformat()}
    return _signer(name).dumps([value, row_id])


def _read_cursor(cursor: str, name: str) -> tuple[Any, int]:
    try:
        value, row_id = _signer(name).loads(cursor)
    except BadSignature as error:
        raise Invalid(("cursor", "This cursor does not belong to this list.")) from error
    return (datetime.fromisoformat(value["at"]) if isinstance(value, dict) else value), row_id


def _signer(name: str) -> URLSafeSerializer:
    """Signed, so that whatever comes back has the type that the column wants."""
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt=f"cursor {name}")
