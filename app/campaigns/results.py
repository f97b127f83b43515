"""What a campaign earned: wordings against each other, and fans messaged against fans held back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from statistics import NormalDist

from sqlalchemy import case, func, select

from app.campaigns.audience import HELD_OUT
from app.campaigns.models import Campaign, Recipient
from app.conversations.models import WENT_OUT, Message, MessageStatus
from app.database import db, utcnow
from app.money.models import Transaction
from app.money.queries import COUNTED

CERTAINTY = 0.95
LEAST_PAYING = 100  # in either group; with fewer the interval does not keep its promise (tests/stories/test_holdout.py)
AFTERWARDS = timedelta(days=7)  # so long after the last message what fans pay still counts


@dataclass(frozen=True)
class Wording:
    text: str
    sent: int
    opened: int
    purchased: int
    revenue_cents: int

    @property
    def cents_per_recipient(self) -> float | None:
        return self.revenue_cents / self.sent if self.sent else None


def wordings_of(campaign: Campaign) -> list[Wording]:
    """In the order they were written; nothing where there is only one."""
    if not campaign.wordings:
        return []
    cents = func.coalesce(func.sum(Transaction.gross_cents), 0)
    paid = select(cents).where(Transaction.message_id == Message.id, COUNTED)
    went_out = Message.status.in_(WENT_OUT)
    rows = (
        select(
            Recipient.wording,
            func.count().filter(went_out),
            func.count().filter(Message.status == MessageStatus.READ),
            func.count().filter(Message.purchased.is_(True), went_out),
            func.coalesce(func.sum(paid.correlate(Message).scalar_subquery()), 0),
        )
        .join(Message, Message.id == Recipient.message_id)
        .where(Recipient.account_id == campaign.account_id, Recipient.campaign_id == campaign.id)
        .group_by(Recipient.wording)
    )
    found = {
        wording: (sent, opened, bought, int(cents)) for wording, sent, opened, bought, cents in db.session.execute(rows)
    }
    return [Wording(text, *found.get(number, (0, 0, 0, 0))) for number, text in enumerate(campaign.texts)]


@dataclass(frozen=True)
class Group:
    """What the fans of a group spent, each in cents: how many there are, how many paid, sum and sum of squares."""

    fans: int
    paying: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.fans if self.fans else 0.0

    @property
    def variance_of_mean(self) -> float:
        if self.fans < 2:
            return 0.0
        return max(self.squares - self.total * self.mean, 0.0) / (self.fans - 1) / self.fans


@dataclass(frozen=True)
class Comparison:
    """Spend per fan, in cents, of those messaged against those held back."""

    messaged: Group
    held_back: Group

    @property
    def is_ready(self) -> bool:
        """Else it is too early to say."""
        return min(self.messaged.paying, self.held_back.paying) >= LEAST_PAYING

    @property
    def difference(self) -> float:
        return self.messaged.mean - self.held_back.mean

    @property
    def interval(self) -> tuple[float, float]:
        """In which the true difference lies in 95 of 100 campaigns: Welch's, by the normal distribution."""
        spread = sqrt(self.messaged.variance_of_mean + self.held_back.variance_of_mean)
        reach = NormalDist().inv_cdf((1 + CERTAINTY) / 2) * spread
        return self.difference - reach, self.difference + reach

    @property
    def has_effect(self) -> bool:
        lowest, highest = self.interval
        return self.is_ready and not lowest <= 0 <= highest


def held_back_of(campaign: Campaign) -> int:
    """How many fans were."""
    rows = select(func.count()).where(
        Recipient.account_id == campaign.account_id,
        Recipient.campaign_id == campaign.id,
        Recipient.skip_reason == HELD_OUT,
    )
    return db.session.scalar(rows) or 0 if campaign.holdout_percent else 0


def comparison_of(campaign: Campaign, last_outcome_at: datetime | None) -> Comparison | None:
    """From its start until some days after its last message; None where nobody was held back.

    Recipients stand in the order in which they are written to, the most valuable first. So of a campaign that is not
    through, or was stopped, only those count, in both groups, who stand before the last to whom a message went out.
    """
    if not campaign.holdout_percent:
        return None
    until = min((last_outcome_at or campaign.started_at) + AFTERWARDS, utcnow())
    last = (
        select(func.max(Recipient.id))
        .join(Message, Message.id == Recipient.message_id)
        .where(Recipient.campaign_id == campaign.id, Message.status.in_(WENT_OUT))
    )
    spent = (
        select(Transaction.fan_id, func.sum(Transaction.gross_cents).label("cents"))
        .where(
            Transaction.account_id == campaign.account_id,
            Transaction.at > campaign.started_at,
            Transaction.at <= until,
            COUNTED,
        )
        .group_by(Transaction.fan_id)
        .subquery()
    )
    cents = func.coalesce(spent.c.cents, 0) * 1.0
    is_held_back = case((Recipient.skip_reason == HELD_OUT, True), else_=False)
    rows = (
        select(
            is_held_back,
            func.count(),
            func.count().filter(spent.c.cents > 0),
            func.sum(cents),
            func.sum(cents * cents),
        )
        .outerjoin(spent, spent.c.fan_id == Recipient.fan_id)
        .where(
            Recipient.account_id == campaign.account_id,
            Recipient.campaign_id == campaign.id,
            Recipient.message_id.is_not(None) | (Recipient.skip_reason == HELD_OUT),
            Recipient.id <= last.scalar_subquery(),
        )
        .group_by(is_held_back)
    )
    found = {bool(row[0]): Group(row[1], row[2], float(row[3]), float(row[4])) for row in db.session.execute(rows)}
    nobody = Group(0, 0, 0.0, 0.0)
    return Comparison(found.get(False, nobody), found.get(True, nobody))
