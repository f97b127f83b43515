from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.database import db, utcnow
from app.errors import NotFound
from app.money.models import Attribution, Transaction

RECENT = timedelta(days=30)
CURRENCY = "USD"  # amounts in others are shown, and never added up with these
COUNTED = Transaction.currency == CURRENCY  # what any sum of money is a sum of
KINDS = {
    "subscription": "Subscriptions",
    "renewal": "Renewals",
    "message": "Paid messages",
    "tip": "Tips",
    "other": "Other",
    "refund": "Refunds",
    "chargeback": "Chargebacks",
}
PURCHASES = ("message", "tip", "other")  # what is bought beside the subscription
WITHIN = {"subscription": ("subscription", "renewal")}  # what somebody means who asks for a kind


@dataclass(frozen=True)
class KindOfSpend:
    kind: str
    cents: int
    recent_cents: int  # within RECENT
    last_at: datetime

    @property
    def label(self) -> str:
        return KINDS.get(self.kind, self.kind.capitalize())


@dataclass(frozen=True)
class Spend:
    """What a fan has paid by the transactions that are known and counted. All cents gross."""

    kinds: list[KindOfSpend]  # the most first

    @property
    def recent_cents(self) -> int:
        return sum(each.recent_cents for each in self.kinds)

    @property
    def last(self) -> KindOfSpend | None:
        return max(self.kinds, key=lambda each: each.last_at, default=None)


def find_transaction(account_id: int, transaction_id: int) -> Transaction:
    rows = select(Transaction).where(Transaction.account_id == account_id, Transaction.id == transaction_id)
    found = db.session.scalar(rows)
    if found is None:
        raise NotFound
    return found


def attributions_of(transaction: Transaction) -> list[tuple[Attribution, User | None, User | None]]:
    """What people said of who sold it, the last first; each with who said it, and whom they named."""
    by, seller = aliased(User), aliased(User)
    rows = select(Attribution, by, seller).outerjoin(by, by.id == Attribution.by_id)
    rows = rows.outerjoin(seller, seller.id == Attribution.seller_id)
    rows = rows.where(Attribution.account_id == transaction.account_id, Attribution.transaction_id == transaction.id)
    return [(row[0], row[1], row[2]) for row in db.session.execute(rows.order_by(Attribution.id.desc()))]


def spend_of(account_id: int, fan_id: int) -> Spend:
    cents = func.sum(Transaction.gross_cents)
    rows = (
        select(
            Transaction.kind,
            cents,
            func.coalesce(cents.filter(Transaction.at > utcnow() - RECENT), 0),
            func.max(Transaction.at),
        )
        .where(Transaction.account_id == account_id, Transaction.fan_id == fan_id, COUNTED)
        .group_by(Transaction.kind)
        .order_by(cents.desc())
    )
    return Spend([KindOfSpend(kind, int(a), int(b), at) for kind, a, b, at in db.session.execute(rows)])


def spent_since(account_id: int, fan_id: int, after: datetime) -> int:
    """Cents, gross."""
    rows = select(func.coalesce(func.sum(Transaction.gross_cents), 0)).where(
        Transaction.account_id == account_id, Transaction.fan_id == fan_id, Transaction.at > after, COUNTED
    )
    return int(db.session.scalar(rows) or 0)
