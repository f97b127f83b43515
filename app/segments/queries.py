from typing import Any

from sqlalchemy import Select, column, func, select, table

from app.database import db, planned_anew
from app.errors import NotFound
from app.fans.models import Fan
from app.segments.conditions import matching
from app.segments.models import Segment
from app.segments.rules import Group

MOST_CAMPAIGNS = 200
# Campaigns stand above segments: all that is asked of them here is what they are called.
_campaigns = table("campaigns", column("id"), column("account_id"), column("name"))


def segments_of(account_id: int) -> list[Segment]:
    """By name."""
    return list(db.session.scalars(_segments(account_id).order_by(Segment.name_key, Segment.id)))


def find_segment(account_id: int, segment_id: int) -> Segment:
    """Raises NotFound."""
    found = db.session.scalar(_segments(account_id).where(Segment.id == segment_id))
    if found is None:
        raise NotFound
    return found


def campaign_names(account_id: int) -> dict[int, str]:
    """Of the newest campaigns, by id."""
    rows = select(_campaigns.c.id, _campaigns.c.name).where(_campaigns.c.account_id == account_id)
    found = db.session.execute(rows.order_by(_campaigns.c.id.desc()).limit(MOST_CAMPAIGNS))
    return {row.id: row.name for row in found}


def _segments(account_id: int) -> Select[Any]:
    return select(Segment).where(Segment.account_id == account_id)


def fans_in(account_id: int, rule: Group) -> Select[Any]:
    return select(Fan).where(matching(account_id, rule))


def count_fans(account_id: int, rule: Group) -> int:
    return db.session.scalar(planned_anew(select(func.count()).select_from(Fan).where(matching(account_id, rule)))) or 0


def first_fans(account_id: int, rule: Group, limit: int) -> list[Fan]:
    """The most valuable ones."""
    rows = fans_in(account_id, rule).order_by(Fan.value_cents.desc(), Fan.id.desc()).limit(limit)
    return list(db.session.scalars(planned_anew(rows)))
