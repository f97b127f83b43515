"""Pages of a list of which there may be few rows or many, at a cost that does not grow with the list it is a part of.

What many rows of the longer list have is met soon among its first: those are looked through. What few have is looked up
by an index of just that, and sorted. So neither what is common nor what is rare reads the whole list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from app.database import db, planned_anew
from app.paging import Order, Page, count_up_to, cut_page, place_of, places_of, with_place

MANY = 20  # among the nearest: then there are a great many among all


@dataclass(frozen=True)
class Rare:
    """How such rows are found."""

    near_id: Any  # what the first of the longer list are known by
    near: Select[Any]  # ids of the longer list, which has an index in the order of the page
    id: Any  # the rows' own
    # With these conditions, by what makes them rare, of all: id, sort_value, sort_id.
    all: Callable[[list[Any]], Any]
    nearest: int = 2000  # of the longer list are looked through


def fetch_rare_page(rows: Select[Any], order: Order, rare: Rare, *, limit: int, cursor: str | None = None) -> Page:
    """As fetch_page, uncounted."""
    parts = order.parts(place_of(cursor, order))
    found = _among_nearest(rows, order, limit + 1, parts[0], rare) if rare.nearest else []
    if len(found) <= limit:
        found = _looked_up(rows, order, limit + 1, parts, rare)
    return cut_page(found, order, limit)


def count_rare(rows: Select[Any], order: Order, most: int, rare: Rare) -> tuple[int, bool]:
    """How many there are at least, and whether these are all. What the nearest have many of is not counted further."""
    near = _nearest(rare, order, [])
    size = select(func.count()).select_from(near).scalar_subquery()
    matching = rows.join(near, rare.near_id == near.c.id)
    counts = matching.with_only_columns(func.count(), size, maintain_column_froms=True).order_by(None)
    number, looked_through = db.session.execute(planned_anew(counts)).one()
    if looked_through < rare.nearest or number > MANY:
        return number, looked_through < rare.nearest
    number = count_up_to(rare.all([]), most)
    return min(number, most), number <= most


def _among_nearest(rows: Select[Any], order: Order, limit: int, part: list[Any], rare: Rare) -> list[Any]:
    """In the order of those: so the database need not look at all of them."""
    near = _nearest(rare, order, part)
    picked = with_place(rows.join(near, rare.near_id == near.c.id), order).where(*part)
    sort = order.directed(near.c.sort_value, near.c.sort_id)
    return list(db.session.execute(planned_anew(picked.order_by(*sort).limit(limit))).all())


def _nearest(rare: Rare, order: Order, part: list[Any]) -> Any:
    (row_id,) = rare.near.selected_columns
    return order.sort(places_of(rare.near.where(*part), row_id, order)).limit(rare.nearest).subquery("near")


def _looked_up(rows: Select[Any], order: Order, limit: int, parts: list[list[Any]], rare: Rare) -> list[Any]:
    """All that there are, and then the first of those: a database that may choose would rather walk down the list."""
    behind = [or_(*(and_(*part) for part in parts))] if all(parts) else []
    every = rare.all(behind).cte("every").prefix_with("MATERIALIZED")
    sort = order.clauses(every.c.sort_value, every.c.sort_id)
    first = select(every.c.id).order_by(*sort).limit(limit).subquery("few")
    those = with_place(rows.where(rare.id.in_(select(first.c.id))), order)
    return list(db.session.execute(planned_anew(those.order_by(*order.clauses()))).all())
