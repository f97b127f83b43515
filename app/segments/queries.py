from typing import Any

from sqlalchemy import Select, TableClause, column, select, table

from app.database import db, held, planned_anew
from app.errors import NotFound
from app.fans.models import Fan
from app.segments.conditions import matching_and_number
from app.segments.models import Segment
from app.segments.rules import Group

MOST_NAMED = 200
# Campaigns and imports stand above segments: all that is asked of them here is what they are called.
_campaigns = table("campaigns", column("id"), column("account_id"), column("name"))
_imports = table("imports", column("id"), column("account_id"), column("file_name"))


def segments_of(account_id: int) -> list[Segment]:
    """By name."""
    return list(db.session.scalars(_segments(account_id).order_by(Segment.name_key, Segment.id)))


def find_segment(account_id: int, segment_id: int, *, to_change: bool = False) -> Segment:
    """to_change: as it stands by now, and held until the commit. Raises NotFound."""
    row = _segments(account_id).where(Segment.id == segment_id)
    found = db.session.scalar(held(row) if to_change else row)
    if found is None:
        raise NotFound
    return found


def names_of(account_id: int) -> dict[str, dict[int, str]]:
    """What ids in rules stand for, by the sort of their field: of the newest campaigns and files."""
    return {"campaign": _newest(account_id, _campaigns, "name"), "file": _newest(account_id, _imports, "file_name")}


def _newest(account_id: int, of: TableClause, name: str) -> dict[int, str]:
    rows = select(of.c.id, of.c[name]).where(of.c.account_id == account_id).order_by(of.c.id.desc())
    return {row[0]: row[1] for row in db.session.execute(rows.limit(MOST_NAMED))}


def _segments(account_id: int) -> Select[Any]:
    return select(Segment).where(Segment.account_id == account_id)


def count_fans(account_id: int, rule: Group) -> int:
    return db.session.scalar(planned_anew(select(matching_and_number(account_id, rule)[1]))) or 0


def look(account_id: int, rule: Group, limit: int) -> tuple[int, list[Fan]]:
    """How many there are, and the most valuable ones: in one statement, so that what it sums up is summed up once."""
    order = Fan.value_cents.desc(), Fan.id.desc()
    holds, number = matching_and_number(account_id, rule)
    first = select(Fan.id).where(holds).order_by(*order).limit(limit).correlate(None).subquery()
    found = db.session.execute(
        planned_anew(select(Fan, number).join(first, Fan.id == first.c.id).order_by(*order))
    ).all()
    return (found[0][1] if found else 0), [row[0] for row in found]
