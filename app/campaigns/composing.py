"""What would become of a campaign as it stands in the composer."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.campaigns import cautions
from app.campaigns.aims import Aim
from app.campaigns.audience import HELD_OUT, Audience, Outlook, Selection, outlook
from app.campaigns.cautions import MOST_LOOKED_AT
from app.campaigns.drafting import Composition
from app.campaigns.models import Campaign, CampaignStatus
from app.campaigns.readers import Reader
from app.conversations import forecast
from app.conversations.forecast import NEW, More
from app.conversations.guards import without_quiet_hours
from app.database import db, utcnow
from app.fans.models import Fan
from app.fans.placeholders import Rendered, Template, parse
from app.formats import plural
from app.platforms.models import Connection, price_range_cents

EXAMPLES = 3
FEW = 3  # of so many held back on the average, one time in twenty it is nobody
WORTH_SAYING = timedelta(minutes=1)  # by which another campaign ends later


@dataclass(frozen=True)
class Later:
    """Another campaign that this one would hold up."""

    name: str
    ends_at: datetime


@dataclass(frozen=True)
class Prospect:
    seen: Outlook
    examples: list[tuple[Fan, Rendered]]
    warnings: list[str]
    empties: dict[str, int]
    looked_at: int  # so many fans are behind `empties` and `at_night`
    is_all: bool
    bought: int
    lots: str = ""  # that they may hold back nobody
    starts_at: datetime | None = None  # of a scheduled one
    ends_at: datetime | None = None
    at_night: int = 0
    held_up: list[Later] = field(default_factory=list)


def prospect_of(account: Any, said: Composition, aim: Aim, connection: Connection | None, campaign_id: int) -> Prospect:
    """campaign_id: the draft's, 0 where there is none yet."""
    selection = Selection(
        account.id, Audience(aim.rule), connection, said.guards, said.attachments, campaign_id, said.holdout_percent,
        said.at_most,
    )  # fmt: skip
    seen, templates, now = outlook(selection), [parse(text) for text in [said.content, *said.wordings]], utcnow()
    fans = cautions.who_would_read(selection, templates)
    common = {
        "seen": seen,
        "examples": _examples(fans, templates, now),
        "warnings": [*([aim.wrong] if aim.wrong else []), *_warnings(said, connection)],
        "empties": cautions.empties(fans, templates, now),
        "looked_at": len(fans),
        "is_all": seen.included <= MOST_LOOKED_AT,
        "bought": 0 if said.guards.had_media else cautions.bought_by(selection),
        "lots": _lots(said.holdout_percent, seen),
        "starts_at": said.scheduled_at,
    }
    if connection is None or not seen.included or said.trigger:
        return Prospect(**common)
    return Prospect(**common, **_times(account, said, seen.included, connection, fans))


def _examples(fans: list[Reader], templates: list[Template], now: datetime) -> list[tuple[Fan, Rendered]]:
    """Each of the first fans with one of the wordings."""
    rows = select(Fan).where(Fan.id.in_([each.id for each in fans[:EXAMPLES]]))
    found = {fan.id: fan for fan in db.session.scalars(rows)}
    shown = [found[each.id] for each in fans[:EXAMPLES] if each.id in found]
    return [(fan, templates[place % len(templates)].render(fan, now)) for place, fan in enumerate(shown)]


def _lots(percent: int, seen: Outlook) -> str:
    """That so few may be nobody, in words."""
    drawn = seen.included + seen.left_out.get(HELD_OUT, 0)
    if not drawn or not percent or drawn * percent >= FEW * 100:
        return ""
    return f"{percent} % of {plural(drawn, 'fan', 'fans')} may be nobody: then there is nothing to compare."


def _warnings(said: Composition, connection: Connection | None) -> list[str]:
    texts = [said.content, *said.wordings]
    words = connection.forbidden_words if connection else ""
    forbidden = dict.fromkeys(each for text in texts for each in cautions.forbidden_in(text, words))
    unknown = cautions.unknown_in(texts)
    price = cautions.price_fault(said.price_cents, price_range_cents(connection), said.attachments)
    return [
        *([f"Forbidden on the platform: {', '.join(forbidden)}."] if forbidden else []),
        *([f"{', '.join(unknown)}: not known. It would go out as it stands."] if unknown else []),
        *([price] if price else []),
    ]


def _times(account: Any, said: Composition, count: int, connection: Connection, fans: list[Reader]) -> dict[str, Any]:
    now = utcnow()  # before the forecasts, which begin a moment later: none ends before the start
    shift = max(said.scheduled_at or now, now) - now
    before = forecast.completion_times(connection)
    after = forecast.completion_times(connection, [More(NEW, said.priority, count)])
    first = forecast.completion_times(connection, [More(NEW, said.priority, 1)])[NEW]
    start, ends_at = now + shift, after[NEW] + shift
    if said.guards.is_quiet_kept:
        at_night, ends_at = 0, without_quiet_hours(said.guards, account.timezone, start, ends_at - start)
    else:
        share = len(fans) / count
        night_ends = first + shift + (ends_at - first - shift) * share
        at_night = cautions.at_night(fans, account.timezone, first + shift, night_ends)
    held_up = {each: end for each, end in after.items() if each in before and end - before[each] > WORTH_SAYING}
    return {"ends_at": ends_at, "at_night": at_night, "held_up": [] if said.scheduled_at else _named(held_up)}


def _named(ends: dict[int, datetime]) -> list[Later]:
    rows = select(Campaign.id, Campaign.name).where(
        Campaign.id.in_(list(ends)), Campaign.status == CampaignStatus.ACTIVE
    )
    return [Later(row.name, ends[row.id]) for row in db.session.execute(rows.order_by(Campaign.id))]
