"""Pages of a list of which there may be few rows or many, at a cost that does not grow with the list it is a part of.

What many rows of the longer list have is met soon among its first: those are looked through. What few have is looked up
by an index of just that, and sorted. So neither what is common nor what is rare reads the whole list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, or_, select

from app.database import db, planned_anew
from app.paging import Order, Page, count_up_to, cut_page, in_order, place_of, places_of

MANY = 20  # among the nearest: then there are a great many among all


@dataclass(frozen=True)
class Rare:
    """How such rows are found."""

    near_id: Any  # what the first of the longer list are known by
    near: Select[Any]  # ids of the longer list, which has an index in the order of the page
    id: Any  # the rows' own
    # With these conditions, by what makes them rare, of all: id, sort_value, sort_id.
    all: Callable[[list[Any]], Any]
    nearest: tuple[int, ...] = (
        2000,
    )  # of the longer list are looked through, and then so many, if the first promise it
    # What the longer list is joined by to what conditions are about: so these may be asked before the row is read.
    also: tuple[Any, ...] = ()


def fetch_rare_page(rows: Select[Any], order: Order, rare: Rare, *, limit: int, cursor: str | None = None) -> Page:
    """As fetch_page, uncounted."""
    parts = order.parts(place_of(cursor, order))
    share = 1.0
    for nearest in rare.nearest:
        if 2 * share * nearest <= limit:
            break
        found = _among_nearest(rows, order, limit + 1, parts[0], rare, nearest)
        if len(found) > limit:
            return cut_page(found, order, limit)
        share = len(found) / nearest
    return cut_page(_looked_up(rows, order, limit + 1, parts, rare), order, limit)


def fetch_rare_counted(
    rows: Select[Any], order: Order, rare: Rare, *, limit: int, most: int, cursor: str | None = None
) -> tuple[Page, int, bool]:
    """As fetch_rare_page; and how many there are at least, and whether these are all. What the nearest have many of is not
    counted further, and nothing beyond `most`."""
    nearest = rare.nearest[-1]
    if cursor or order.may_be_null:
        page = fetch_rare_page(rows, order, rare, limit=limit, cursor=cursor)
        return page, *_count(rows, order, most, rare)
    found = _among_nearest_counted(rows, order, limit + 1, rare)
    number, are_all = (found[0].number, found[0].looked_through < nearest) if found else (0, False)
    if not are_all and len(found) <= limit:
        found = _looked_up(rows, order, limit + 1, [[]], rare)
        number, are_all = _up_to(most, found[0].number if found else 0)
    elif not are_all and number <= MANY:
        number, are_all = _up_to(most, count_up_to(rare.all([]), most))
    return cut_page(found, order, limit), number, are_all


def _up_to(most: int, number: int) -> tuple[int, bool]:
    return min(number, most), number <= most


def _count(rows: Select[Any], order: Order, most: int, rare: Rare) -> tuple[int, bool]:
    near = _nearest(rare, order, [], rare.nearest[-1])
    matching = rows.join(near, rare.near_id == near.c.id)
    counts = matching.with_only_columns(func.count(), _size(near), maintain_column_froms=True).order_by(None)
    number, looked_through = db.session.execute(planned_anew(counts)).one()
    if looked_through < rare.nearest[-1] or number > MANY:
        return number, looked_through < rare.nearest[-1]
    return _up_to(most, count_up_to(rare.all([]), most))


def _among_nearest_counted(rows: Select[Any], order: Order, limit: int, rare: Rare) -> list[Any]:
    """The first of them, and with each how many of how many they are."""
    near = select(_nearest(rare, order, [], rare.nearest[-1])).cte("nearest").prefix_with("MATERIALIZED")
    columns = rare.id.label("id"), near.c.sort_value, near.c.sort_id
    matching = rows.join(near, rare.near_id == near.c.id).with_only_columns(*columns, maintain_column_froms=True)
    matching = matching.cte("matching").prefix_with("MATERIALIZED")
    first = select(matching.c.id).order_by(*order.clauses(matching.c.sort_value, matching.c.sort_id)).limit(limit)
    those = _whole(rows, order, rare, first)
    those = those.add_columns(_size(matching).label("number"), _size(near).label("looked_through"))
    return list(db.session.execute(planned_anew(those)).all())


def _size(of: Any) -> Any:
    return select(func.count()).select_from(of).scalar_subquery()


def _among_nearest(rows: Select[Any], order: Order, limit: int, part: list[Any], rare: Rare, nearest: int) -> list[Any]:
    """First which they are, then what is shown of these few."""
    near = _nearest(rare, order, part, nearest)
    is_same = and_(rare.near_id == near.c.id, *(column == near.c[column.key] for column in rare.also))
    matching = rows.join(near, is_same).where(*part).with_only_columns(rare.id, maintain_column_froms=True)
    first = matching.order_by(*order.directed(near.c.sort_value, near.c.sort_id)).limit(limit)
    return list(db.session.execute(planned_anew(_whole(rows, order, rare, first))).all())


def _nearest(rare: Rare, order: Order, part: list[Any], nearest: int) -> Any:
    (row_id,) = rare.near.selected_columns
    places = places_of(rare.near.where(*part), row_id, order).add_columns(*rare.also)
    return order.sort(places).limit(nearest).subquery("near")


def _looked_up(rows: Select[Any], order: Order, limit: int, parts: list[list[Any]], rare: Rare) -> list[Any]:
    """All that there are, and then the first of those, with each how many they are: a database that may choose would
    rather walk down the list."""
    behind = [or_(*(and_(*part) for part in parts))] if all(parts) else []
    every = rare.all(behind).cte("every").prefix_with("MATERIALIZED")
    first = select(every.c.id).order_by(*order.clauses(every.c.sort_value, every.c.sort_id)).limit(limit)
    those = _whole(rows, order, rare, first).add_columns(_size(every).label("number"))
    return list(db.session.execute(planned_anew(those)).all())


def _whole(rows: Select[Any], order: Order, rare: Rare, ids: Select[Any]) -> Select[Any]:
    return in_order(rows.where(rare.id.in_(select(ids.subquery("few").c.id))), order)
