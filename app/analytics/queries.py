"""All that a page or a program sees of a period, counted now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.accounts.models import Membership, User
from app.analytics import tables
from app.analytics.kpis import Kpis, kpis_of
from app.analytics.periods import Period
from app.analytics.reports import Asked, Part
from app.analytics.tables import Payer, Step, Work
from app.campaigns.models import Campaign
from app.database import db, utcnow
from app.fans.models import Fan
from app.money.models import Transaction
from app.money.queries import KINDS


@dataclass(frozen=True)
class Overview:
    period: Period
    as_of: datetime
    kpis: Kpis
    previous: Kpis
    trend: list[Step]
    top_fans: list[Payer]
    campaigns: list[tuple[Campaign, Work]]

    @property
    def has_data(self) -> bool:
        return any(value for kpis in (self.kpis, self.previous) for value in vars(kpis).values())


@dataclass(frozen=True)
class Details:
    """What only the page shows."""

    staff: list[tuple[User | None, Work]]
    week: list[list[int]]
    other_currencies: list[tuple[str, int]]


def overview(account_id: int, period: Period) -> Overview:
    return Overview(
        period=period,
        as_of=utcnow(),
        kpis=kpis_of(account_id, period),
        previous=kpis_of(account_id, period.previous),
        trend=tables.trend(account_id, period),
        top_fans=tables.top_fans(account_id, period),
        campaigns=tables.campaigns(account_id, period),
    )


def details(account_id: int, period: Period) -> Details:
    return Details(
        staff=tables.staff(account_id, period),
        week=tables.hours_of_the_week(account_id, period),
        other_currencies=tables.other_currencies(account_id, period),
    )


def sums_of(asked: Asked, part: Part) -> list[int]:
    """Of payments: their gross and net in cents. Of other rows nothing is summed."""
    if part.model is not Transaction:
        return []
    each = asked.rows(part).subquery()
    found = db.session.execute(select(func.sum(each.c.gross_cents), func.sum(each.c.net_cents))).one()
    return [int(cents or 0) for cents in found]


def narrowed_in_words(asked: Asked) -> list[tuple[str, str]]:
    """What the rows are narrowed to, by name where there is one."""
    return [(name.capitalize(), _name_of(asked.account_id, name, value)) for name, value in asked.narrowed]


def _name_of(account_id: int, name: str, value: Any) -> str:
    if name == "kind":
        return KINDS.get(value) or str(value)
    if name == "author" and value == 0:
        return "nobody here, on the platform itself"
    member = select(User.name).join(Membership).where(Membership.account_id == account_id, User.id == value)
    named = {
        "author": member,
        "campaign": select(Campaign.name).where(Campaign.account_id == account_id, Campaign.id == value),
        "fan": select(func.coalesce(Fan.name, Fan.handle)).where(Fan.account_id == account_id, Fan.id == value),
    }
    return db.session.scalar(named[name]) or f"number {value}"
