"""The rows that figures stand on. Each has one Select: the page shows it, the CSV holds it, and a figure counts the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select

from app.analytics import counted, waiting
from app.analytics.narrowing import NARROWED, read_narrowed
from app.analytics.periods import Period
from app.campaigns.models import Campaign
from app.conversations.models import Message
from app.errors import Invalid
from app.fans.models import Fan
from app.imports.queries import find_import
from app.money import twins
from app.money.models import Transaction
from app.paging import Order

NEWEST_TRANSACTIONS = Order("-at", Transaction.at, Transaction.id, descending=True)
NEWEST_FANS = Order("-createdAt", Fan.created_at, Fan.id, descending=True)
NEWEST_IN = Order("-createdAt", Message.created_at, Message.id, descending=True)
NEWEST_OUT = Order("-sentAt", Message.sent_at, Message.id, descending=True)
NEWEST_CAMPAIGNS = Order("-createdAt", Campaign.created_at, Campaign.id, descending=True)

Find = Callable[[int, Period], ColumnElement[bool]]


@dataclass(frozen=True)
class Part:
    title: str
    model: Any
    order: Order
    find: Find


def _net_known(account_id: int, period: Period) -> ColumnElement[bool]:
    return and_(counted.moved(account_id, period), Transaction.net_cents.is_not(None))


def _net_unknown(account_id: int, period: Period) -> ColumnElement[bool]:
    return and_(counted.moved(account_id, period), Transaction.net_cents.is_(None))


def _told(where: ColumnElement[bool]) -> Find:
    return lambda account_id, period: and_(counted.moved(account_id, period), where)


def _fans_of(ids: Callable[[int, Period], Any]) -> Find:
    return lambda account_id, period: and_(Fan.account_id == account_id, Fan.id.in_(ids(account_id, period)))


def _moving_fans(account_id: int, period: Period) -> ColumnElement[bool]:
    """All that a figure is about: who came, wrote, or whose money moved."""
    moved = select(Transaction.fan_id).where(counted.moved(account_id, period), Transaction.fan_id.is_not(None))
    active = counted.active_fans(account_id, period)
    return and_(Fan.account_id == account_id, or_(
        counted.joined(account_id, period), Fan.id.in_(moved), Fan.id.in_(active),
    ))  # fmt: skip


def _waiting(account_id: int, period: Period) -> ColumnElement[bool]:
    each = waiting.waits(account_id, period).subquery()
    return and_(counted.came_in(account_id, period), Message.id.in_(select(each.c.id)))


def _answered(account_id: int, period: Period) -> ColumnElement[bool]:
    each = waiting.waits(account_id, period).subquery()
    return and_(
        counted.came_in(account_id, period), Message.id.in_(select(each.c.id).where(each.c.answered_at.is_not(None)))
    )


def _offered(account_id: int, period: Period) -> ColumnElement[bool]:
    return and_(counted.went_out(account_id, period), counted.OFFERED)


def _sold(account_id: int, period: Period) -> ColumnElement[bool]:
    return and_(counted.went_out(account_id, period), counted.SOLD)


def _busy_campaigns(account_id: int, period: Period) -> ColumnElement[bool]:
    sent = select(Message.campaign_id).where(counted.went_out(account_id, period), Message.campaign_id.is_not(None))
    earned = (
        select(Message.campaign_id)
        .join(Transaction, Transaction.message_id == Message.id)
        .where(counted.moved(account_id, period), Message.campaign_id.is_not(None))
    )
    return and_(Campaign.account_id == account_id, or_(Campaign.id.in_(sent), Campaign.id.in_(earned)))


# By report and by what of it is asked for. A report as a whole is "", of several parts where they have different times.
PARTS = {
    ("transactions", ""): Part("Payments", Transaction, NEWEST_TRANSACTIONS, counted.moved),
    ("transactions", "net-known"): Part("Payments with a net amount", Transaction, NEWEST_TRANSACTIONS, _net_known),
    ("transactions", "net-unknown"): Part(
        "Payments without a net amount", Transaction, NEWEST_TRANSACTIONS, _net_unknown
    ),
    ("transactions", "other-currencies"): Part(
        "Payments in other currencies", Transaction, NEWEST_TRANSACTIONS, counted.moved_otherwise
    ),
    ("transactions", "in-both"): Part(
        "Payments in a statement and told by events", Transaction, NEWEST_TRANSACTIONS, _told(twins.IN_BOTH)
    ),
    ("transactions", "events-alone"): Part(
        "Payments that no statement has", Transaction, NEWEST_TRANSACTIONS, _told(twins.IN_EVENTS_ALONE)
    ),
    ("transactions", "statements-alone"): Part(
        "Payments that no event told", Transaction, NEWEST_TRANSACTIONS, _told(twins.IN_STATEMENTS_ALONE)
    ),
    ("fans", ""): Part("Fans of the period", Fan, NEWEST_FANS, _moving_fans),
    ("fans", "new"): Part("New fans", Fan, NEWEST_FANS, counted.joined),
    ("fans", "active"): Part("Active fans", Fan, NEWEST_FANS, _fans_of(counted.active_fans)),
    ("fans", "paying"): Part("Paying fans", Fan, NEWEST_FANS, _fans_of(counted.payers)),
    ("messages", "in"): Part("Messages from fans", Message, NEWEST_IN, counted.came_in),
    ("messages", "waits"): Part("Fans who began to wait for an answer", Message, NEWEST_IN, _waiting),
    ("messages", "answered"): Part("Fans who were answered", Message, NEWEST_IN, _answered),
    ("messages", "out"): Part("Messages to fans", Message, NEWEST_OUT, counted.went_out),
    ("messages", "offered"): Part("Paid messages", Message, NEWEST_OUT, _offered),
    ("messages", "sold"): Part("Paid messages that are bought", Message, NEWEST_OUT, _sold),
    ("campaigns", ""): Part("Campaigns of the period", Campaign, NEWEST_CAMPAIGNS, _busy_campaigns),
}
WHOLE = {"messages": ("in", "out")}
REPORTS = ("transactions", "fans", "messages", "campaigns")


@dataclass(frozen=True)
class Asked:
    """What an address asks for."""

    account_id: int
    period: Period
    report: str
    which: str = ""
    narrowed: tuple[tuple[str, Any], ...] = ()

    @property
    def parts(self) -> list[Part]:
        """More than one only of a whole report whose rows have different times."""
        names = WHOLE.get(self.report, ("",)) if not self.which else (self.which,)
        return [PARTS[self.report, name] for name in names]

    @property
    def file_name(self) -> str:
        words = (self.report, self.which, str(self.period.first), str(self.period.last))
        return f"{'-'.join(filter(None, words))}.csv"

    def rows(self, part: Part) -> Select[Any]:
        more = [NARROWED[name][self.report](value, self.period) for name, value in self.narrowed]
        return select(part.model).where(part.find(self.account_id, self.period), *more)


def read_asked(account_id: int, period: Period, said: Callable[[str], str | None]) -> Asked:
    """From `report`, `which` and what narrows them. Raises Invalid, naming the field, and NotFound for another's import."""
    report, which = said("report") or "", said("which") or ""
    if report not in REPORTS:
        raise Invalid(("report", f"must be one of {', '.join(REPORTS)}."))
    known = [name for each, name in PARTS if each == report]
    if which and which not in known:
        raise Invalid(("which", f"must be one of {', '.join(filter(None, known))}, or be left out."))
    narrowed = tuple(read_narrowed(report, period, said))
    for name, value in narrowed:
        if name == "import":
            find_import(account_id, value)
    return Asked(account_id, period, report, which, narrowed)
