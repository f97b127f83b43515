"""What stands beneath the figures: over time, by fan, by campaign, by person, by hour of the week."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from app.accounts.models import User
from app.analytics import counted
from app.analytics.periods import Period, step_of
from app.campaigns.models import Campaign
from app.conversations.models import Message
from app.database import db
from app.fans.models import Fan
from app.money.models import Transaction

FANS_SHOWN, CAMPAIGNS_SHOWN = 10, 50


@dataclass
class Step:
    period: Period
    by_kind: dict[str, int] = field(default_factory=lambda: defaultdict(int))  # cents

    @property
    def revenue_cents(self) -> int:
        return sum(self.by_kind.values())


@dataclass(frozen=True)
class Payer:
    fan: Fan
    revenue_cents: int


@dataclass
class Work:
    """What went out, and what it brought in the period: also what was sent before it."""

    sent: int = 0
    offered: int = 0
    purchased: int = 0  # of what went out in the period
    revenue_cents: int = 0


def trend(account_id: int, period: Period) -> list[Step]:
    """Each step of the period, also where nothing moved."""
    steps = [Step(each) for each in period.steps()]
    slot, cents = counted.slot_of(Transaction.at, period).label("slot"), func.sum(Transaction.gross_cents)
    rows = select(slot, Transaction.kind, cents).where(counted.moved(account_id, period))
    for at, kind, moved in db.session.execute(rows.group_by(slot, Transaction.kind)):
        day = counted.slot_start(at, period).date()
        steps[step_of([each.period for each in steps], day)].by_kind[kind] += int(moved)
    return steps


def hours_of_the_week(account_id: int, period: Period) -> list[list[int]]:
    """Messages of fans by weekday (from Monday) and hour of the zone's clock."""
    week = [[0] * 24 for _ in range(7)]
    slot = counted.slot_of(Message.created_at, period).label("slot")
    rows = select(slot, func.count()).where(counted.came_in(account_id, period)).group_by(slot)
    for at, messages in db.session.execute(rows):
        local = counted.slot_start(at, period)
        week[local.weekday()][local.hour] += messages
    return week


def top_fans(account_id: int, period: Period) -> list[Payer]:
    """Those who brought the most in the period."""
    cents = func.sum(Transaction.gross_cents).label("cents")
    most = (
        select(Transaction.fan_id, cents)
        .where(counted.moved(account_id, period), Transaction.fan_id.is_not(None))
        .group_by(Transaction.fan_id)
        .having(cents > 0)
        .order_by(cents.desc(), Transaction.fan_id)
        .limit(FANS_SHOWN)
        .subquery()
    )
    rows = select(Fan, most.c.cents).join(most, most.c.fan_id == Fan.id).order_by(most.c.cents.desc(), Fan.id)
    return [Payer(fan, int(earned)) for fan, earned in db.session.execute(rows)]


def work_of(account_id: int, period: Period, by: Any) -> dict[int | None, Work]:
    """By a column of Message."""
    found: dict[int | None, Work] = defaultdict(Work)
    counts = (func.count(), func.count().filter(counted.OFFERED), func.count().filter(counted.SOLD))
    went_out = select(by, *counts).where(counted.went_out(account_id, period), _of(by)).group_by(by)
    for key, sent, offered, sold in db.session.execute(went_out):
        found[key] = Work(sent, offered, sold)
    earned = (
        select(by, func.sum(Transaction.gross_cents))
        .join(Message, Transaction.message_id == Message.id)
        .where(counted.moved(account_id, period), Transaction.message_id.is_not(None), _of(by))
        .group_by(by)
    )
    for key, cents in db.session.execute(earned):
        found[key].revenue_cents = int(cents)
    return found


def _of(by: Any) -> Any:
    """What a campaign sent is the campaign's, whoever launched it."""
    return Message.campaign_id.is_not(None) if by is Message.campaign_id else counted.BY_HAND


def campaigns(account_id: int, period: Period) -> list[tuple[Campaign, Work]]:
    """Those that sent or brought something in the period, by what they brought."""
    found = work_of(account_id, period, Message.campaign_id)
    best = sorted(found, key=lambda key: (-found[key].revenue_cents, -found[key].sent, key or 0))[:CAMPAIGNS_SHOWN]
    by_id = {each.id: each for each in db.session.scalars(select(Campaign).where(Campaign.id.in_(best)))}
    return [(by_id[key], found[key]) for key in best if key in by_id]


def staff(account_id: int, period: Period) -> list[tuple[User | None, Work]]:
    """Who wrote what went out, campaigns left out, by what it brought. Without a person: written on the platform itself."""
    found = work_of(account_id, period, Message.author_id)
    rows = select(User).where(User.id.in_([key for key in found if key is not None]))
    by_id = {each.id: each for each in db.session.scalars(rows)}
    best = sorted(found, key=lambda key: (-found[key].revenue_cents, -found[key].sent, key or 0))
    return [(by_id.get(key or 0), found[key]) for key in best]


def other_currencies(account_id: int, period: Period) -> list[tuple[str, int]]:
    """How many transactions are in currencies that the figures leave out."""
    rows = select(Transaction.currency, func.count()).where(counted.moved_otherwise(account_id, period))
    return [(code, count) for code, count in db.session.execute(rows.group_by(Transaction.currency))]
