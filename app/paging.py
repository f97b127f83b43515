"""Keyset pages: the next page starts behind the last row seen, so a page costs the same wherever it is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import Select, func, literal, literal_column, select, tuple_

from app.database import db, on_postgresql, planned_anew
from app.errors import Invalid


@dataclass(frozen=True)
class Order:
    """One column (nulls last), then the id, both in the same direction."""

    name: str
    column: Any
    id: Any
    descending: bool = False

    def clauses(self, column: Any = None, row_id: Any = None) -> list[Any]:
        """Of these columns, if they stand for the order's own."""
        column, row_id = self.directed(
            column if column is not None else self.column, row_id if row_id is not None else self.id
        )
        # Said only where there can be nulls: an index read backwards has them first, and would not be used.
        return [column.nulls_last() if self.may_be_null else column, row_id]

    def directed(self, column: Any, row_id: Any) -> tuple[Any, Any]:
        return (column.desc(), row_id.desc()) if self.descending else (column, row_id)

    @property
    def may_be_null(self) -> bool:
        return self.column.nullable

    def behind(self, value: Any, row_id: int) -> Any:
        """What comes after the row with this value and id, of the rows that have one; after a row without, of those
        without. Compared as a pair: so an index is entered there, and not walked from its end."""
        here = literal(row_id, self.id.type)
        if value is None:
            return self.id < here if self.descending else self.id > here
        row, seen = tuple_(self.column, self.id), tuple_(literal(value, self.column.type), here)
        return row < seen if self.descending else row > seen

    def parts(self, place: tuple[Any, int] | None) -> list[list[Any]]:
        """Conditions that cut what comes after a place into parts, each in the order of an index: rows with a value, then
        those without. An index has the nulls at one end only, which is the wrong one for half of the lists."""
        after = [self.behind(*place)] if place else []
        if not self.may_be_null:
            return [after]
        with_value, without = [self._has_value(), *after], [self.column.is_(None)]
        return [[*without, *after]] if place and place[0] is None else [with_value, without]

    def _has_value(self) -> Any:
        """SQLite enters an index at a value, but not at what is not null; there every text and time is behind this one."""
        return self.column.is_not(None) if on_postgresql() else self.column >= literal_column("''")

    def sort(self, rows: Select[Any]) -> Select[Any]:
        """One of the parts."""
        return rows.order_by(*self.directed(self.column, self.id))


@dataclass(frozen=True)
class Page:
    rows: list[Any]
    total: int
    next_cursor: str | None


def fetch_page(rows: Select[Any], order: Order, *, limit: int, cursor: str | None = None, counted: bool = True) -> Page:
    """One page of entities. Raises Invalid for a cursor that this list did not give.

    To count them all costs the more the longer the list; uncounted, `total` is that of the page.
    """
    total = (
        db.session.scalar(planned_anew(select(func.count()).select_from(rows.order_by(None).subquery())))
        if counted
        else None
    )
    page = cut_page(_portion(rows, order, limit + 1, place_of(cursor, order)), order, limit)
    return replace(page, total=total or 0) if counted else page


def count_up_to(rows: Select[Any], most: int) -> int:
    """How many they are; one more than `most` stands for any number above it."""
    return db.session.scalar(counting_up_to(rows, most)) or 0


def counting_up_to(rows: Select[Any], most: int) -> Select[Any]:
    """What count_up_to asks."""
    return planned_anew(select(func.count()).select_from(rows.limit(most + 1).subquery()))


def _portion(rows: Select[Any], order: Order, limit: int, place: tuple[Any, int] | None) -> list[Any]:
    """The first ones after a place."""
    found: list[Any] = []
    for part in order.parts(place):
        if len(found) < limit:
            picked = order.sort(with_place(rows, order)).where(*part)
            found += db.session.execute(planned_anew(picked.limit(limit - len(found)))).all()
    return found


def in_order(rows: Select[Any], order: Order) -> Select[Any]:
    """With what each stands by in the order."""
    return with_place(rows, order).order_by(*order.clauses())


def places_of(rows: Any, row_id: Any, order: Order) -> Any:
    """Ids and places in the order, instead of whole rows: for lists that are found in two ways."""
    columns = (row_id.label("id"), order.column.label("sort_value"), order.id.label("sort_id"))
    return rows.with_only_columns(*columns, maintain_column_froms=True)


def with_place(rows: Any, order: Order) -> Any:
    return rows.add_columns(order.column.label("sort_value"), order.id.label("sort_id"))


def cut_page(found: Sequence[Any], order: Order, limit: int) -> Page:
    """A page of the rows of `in_order`: one more than the limit shows that there is a next page."""
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        rows=[row[0] for row in found[:limit]],
        total=len(found),
        next_cursor=_write_cursor(order.name, last.sort_value, last.sort_id) if last else None,
    )


def place_of(cursor: str | None, order: Order) -> tuple[Any, int] | None:
    """Where the page ended that gave the cursor. Raises Invalid for one that this list did not give."""
    return _read_cursor(cursor, order.name) if cursor else None


def past(order: Order, cursor: str) -> Any:
    """What comes after the page that gave the cursor, in an order without nulls. Raises Invalid for one that this list
    did not give."""
    return order.behind(*_read_cursor(cursor, order.name))


def cursor_at(order: Order, value: Any, row_id: int) -> str:
    """Of a page that begins behind a place where perhaps no row stands."""
    return _write_cursor(order.name, value, row_id)


def each_entity(rows: Select[Any], order: Order, *, at_once: int = 1000) -> Iterator[Any]:
    """All of a list in its order, read in portions: memory does not grow with it, and no transaction stays open."""
    place = None
    while True:
        portion = _portion(rows, order, at_once, place)
        yield from (row[0] for row in portion)
        if len(portion) < at_once:
            return
        place = (portion[-1].sort_value, portion[-1].sort_id)
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
