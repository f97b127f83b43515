from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import aliased

from app.accounts.models import User
from app.database import db, utcnow
from app.errors import NotFound
from app.money.models import Attribution, Transaction

RECENT = timedelta(days=30)
LATELY = timedelta(days=92)  # rules about so many days, or fewer, need not sum up everybody's payments
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
BOUGHT = Transaction.kind.in_(PURCHASES) & (Transaction.gross_cents > 0)  # not what was taken back
WITHIN = {"subscription": ("subscription", "renewal")}  # what somebody means who asks for a kind


@dataclass(frozen=True)
class KindOfSpend:
    kind: str
    cents: int
    recent_cents: int  # within RECENT

    @property
    def label(self) -> str:
        return label_of(self.kind)


@dataclass(frozen=True)
class Purchase:
    at: datetime
    kind: str

    @property
    def label(self) -> str:
        return label_of(self.kind)


def label_of(kind: str) -> str:
    return KINDS.get(kind, kind.capitalize())


def label_of_one(kind: str) -> str:
    """Of a single payment: "Tip"."""
    return label_of(kind).removesuffix("s")


@dataclass(frozen=True)
class Spend:
    """What a fan has paid by the transactions that are known and counted. All cents gross."""

    kinds: list[KindOfSpend]  # the most first
    last: Purchase | None  # in whatever currency

    @property
    def recent_cents(self) -> int:
        return sum(each.recent_cents for each in self.kinds)


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
    whose = {"account_id": account_id, "fan_id": fan_id}
    found = db.session.execute(_BY_KIND, whose | {"recently": utcnow() - RECENT}).all()
    kinds = [KindOfSpend(kind, int(cents), int(recent)) for kind, cents, recent, _ in found if cents is not None]
    purchases = [Purchase(at, kind) for kind, _, _, at in found if at]
    return Spend(kinds, max(purchases, key=lambda each: each.at, default=None))


def spent_since(account_id: int, fan_id: int, after: datetime) -> tuple[int, int]:
    """What they paid, and what of their payments was taken back: both in cents, gross, and not below 0."""
    whose = {"account_id": account_id, "fan_id": fan_id}
    paid, taken_back = db.session.execute(_PAID_AND_TAKEN_BACK, whose | {"after": after}).one()
    return int(paid or 0), int(taken_back or 0)


# Asked for each thread: made once.
_OF_FAN = Transaction.account_id == bindparam("account_id"), Transaction.fan_id == bindparam("fan_id")
_CENTS = Transaction.gross_cents
_SPENT = func.sum(_CENTS).filter(COUNTED)
_BY_KIND = (
    select(
        Transaction.kind,
        _SPENT,
        func.coalesce(func.sum(_CENTS).filter(COUNTED, Transaction.at > bindparam("recently")), 0),
        func.max(Transaction.at).filter(BOUGHT),
    )
    .where(*_OF_FAN)
    .group_by(Transaction.kind)
    .order_by(_SPENT.desc())
)
_PAID_AND_TAKEN_BACK = select(
    func.sum(_CENTS).filter(_CENTS > 0),
    func.sum(-_CENTS).filter(_CENTS < 0),
).where(*_OF_FAN, Transaction.at > bindparam("after"), COUNTED)
