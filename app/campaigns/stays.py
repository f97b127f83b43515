"""Who is in the segment of an automatic campaign, and since when: it writes to who comes in, and to who comes in again.

A stay is begun and ended as the segment is looked at. Who leaves and is back between two looks has not left.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, literal, select

from app.campaigns.models import Campaign, Stay
from app.database import UTCDateTime, execute, insert, table_of
from app.fans.models import Fan


def note_stays(campaign: Campaign, is_inside: ColumnElement[bool], now: datetime) -> None:
    """Of the fans who are inside now, and of nobody else. Does not commit."""
    theirs = exists().where(Stay.campaign_id == campaign.id, Stay.fan_id == Fan.id)
    still = exists().where(Fan.id == Stay.fan_id, is_inside).correlate(Stay)
    execute(delete(Stay).where(Stay.campaign_id == campaign.id, ~still))
    row = {
        "campaign_id": literal(campaign.id), "fan_id": Fan.id, "account_id": literal(campaign.account_id),
        "began_at": literal(now, UTCDateTime),
    }  # fmt: skip
    came = select(*row.values()).where(is_inside, ~theirs)
    new = insert(table_of(Stay)).from_select(list(row), came, include_defaults=False)
    execute(new.on_conflict_do_nothing())


def came_in_after(campaign: Campaign, fan_id: Any, moment: Any) -> ColumnElement[bool]:
    """Whether the stay that goes on began after it."""
    return exists().where(Stay.campaign_id == campaign.id, Stay.fan_id == fan_id, Stay.began_at > moment)


def forget_stays(campaign: Campaign) -> None:
    """Of one that has ended for good. Does not commit."""
    execute(delete(Stay).where(Stay.campaign_id == campaign.id))
