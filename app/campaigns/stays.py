"""Who is in the segment of an automatic campaign, and since when: it writes to who comes in, and to who comes in again.

A stay is begun and ended as the segment is looked at. Who leaves and is back between two looks has not left.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, except_, exists, insert, literal, select

from app.campaigns.models import Campaign, Stay
from app.database import UTCDateTime, execute, table_of
from app.fans.models import Fan


def note_stays(campaign: Campaign, is_inside: ColumnElement[bool], now: datetime) -> None:
    """Of the fans who are inside now, and of nobody else. The campaign is held by the caller. Does not commit."""
    still = exists().where(Fan.id == Stay.fan_id, is_inside).correlate(Stay)
    execute(delete(Stay).where(Stay.campaign_id == campaign.id, ~still))
    # One set taken from the other: sought one by one, PostgreSQL may look through all stays for each fan, as long as it does
    # not know how many a table holds that has just been filled.
    staying = select(Stay.fan_id).where(Stay.campaign_id == campaign.id)
    came = except_(select(Fan.id).where(is_inside), staying).subquery()
    row = {
        "campaign_id": literal(campaign.id), "fan_id": came.c.id, "account_id": literal(campaign.account_id),
        "began_at": literal(now, UTCDateTime),
    }  # fmt: skip
    execute(insert(table_of(Stay)).from_select(list(row), select(*row.values()), include_defaults=False))


def came_in_after(campaign: Campaign, fan_id: Any, moment: Any) -> ColumnElement[bool]:
    """Whether the stay that goes on began after it."""
    return exists().where(Stay.campaign_id == campaign.id, Stay.fan_id == fan_id, Stay.began_at > moment)


def forget_stays(campaign: Campaign) -> None:
    """Of one that has ended for good. Does not commit."""
    execute(delete(Stay).where(Stay.campaign_id == campaign.id))
