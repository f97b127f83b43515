"""What stands beneath the figures: over time, by campaign, by person, by hour of the week. Ids and numbers only."""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select

from app.analytics import counted
from app.analytics.periods import Period, step_of
from app.conversations.models import Message
from app.database import db
from app.money.models import Transaction

CAMPAIGNS_SHOWN = 50


@dataclass
class Work:
    """What went out in the period, and what it brought in the period: also what was sent before it."""

    sent: int = 0
    offered: int = 0
    purchased: int = 0  # of what went out in the period
    revenue_cents: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.sent + other.sent, self.offered + other.offered, self.purchased + other.purchased,
            self.revenue_cents + other.revenue_cents,
        )  # fmt: skip


def trend(account_id: int, period: Period) -> tuple[list[dict[str, int]], dict[str, int]]:
    """Cents by kind for each step of the period, also where nothing moved; and how many transactions were left out, by
    their currencies."""
    days = [step.first for step in period.steps()]
    steps: list[dict[str, int]] = [{} for _ in days]
    others: dict[str, int] = defaultdict(int)
    slot = counted.slot_of(Transaction.at, period).label("slot")
    by = (slot, Transaction.kind, Transaction.currency)
    rows = select(*by, counted.total(Transaction.gross_cents), func.count())
    for at, kind, currency, cents, count in db.session.execute(
        rows.where(counted.within(account_id, period)).group_by(*by)
    ):
        if currency == counted.CURRENCY:
            step = steps[step_of(days, counted.slot_start(at, period).date())]
            step[kind] = step.get(kind, 0) + int(cents)
        else:
            others[currency] += count
    return steps, dict(others)


def hours_of_the_week(account_id: int, period: Period) -> list[list[int]]:
    """Messages of fans by weekday (from Monday) and hour of the zone's clock."""
    week = [[0] * 24 for _ in range(7)]
    slot = counted.slot_of(Message.created_at, period).label("slot")
    rows = select(slot, func.count()).where(counted.came_in(account_id, period)).group_by(slot)
    for at, messages in db.session.execute(rows):
        local = counted.slot_start(at, period)
        week[local.weekday()][local.hour] += messages
    return week


def work_of(account_id: int, period: Period) -> tuple[dict[int, Work], dict[int | None, Work]]:
    """By campaign; and by author, of what was written by hand: what a campaign sent is the campaign's, whoever launched it."""
    found: dict[tuple[int | None, int | None], Work] = defaultdict(Work)
    by = (Message.campaign_id, Message.author_id)
    counts = (func.count(), func.count().filter(counted.OFFERED), func.count().filter(counted.SOLD))
    for campaign, author, *work in db.session.execute(
        select(*by, *counts).where(counted.went_out(account_id, period)).group_by(*by)
    ):
        found[campaign, author] = Work(*work)
    earned = (
        select(*by, func.sum(Transaction.gross_cents))
        .join(Message, Transaction.message_id == Message.id)
        .where(counted.moved(account_id, period), Transaction.message_id.is_not(None))
        .group_by(*by)
    )
    for campaign, author, cents in db.session.execute(earned):
        found[campaign, author].revenue_cents = int(cents)
    return _by_campaign_and_author(found)


def _by_campaign_and_author(
    found: dict[tuple[int | None, int | None], Work],
) -> tuple[dict[int, Work], dict[int | None, Work]]:
    campaigns: dict[int, Work] = defaultdict(Work)
    authors: dict[int | None, Work] = {}
    for (campaign, author), work in found.items():
        if campaign is None:
            authors[author] = work
        else:
            campaigns[campaign] += work
    return dict(campaigns), authors


def best(found: dict) -> list[tuple]:
    """Those that brought the most first, then those that sent the most."""
    return sorted(found.items(), key=lambda each: (-each[1].revenue_cents, -each[1].sent, each[0] or 0))
