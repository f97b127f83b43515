"""The figures of a period. Sums, shares, means and medians of nothing are None; what is counted is 0."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select

from app.analytics import counted
from app.analytics.periods import Period
from app.conversations.models import Message
from app.database import db, on_postgresql
from app.fans.models import Fan
from app.money.models import Transaction


@dataclass(frozen=True)
class Kpis:
    revenue_cents: int | None  # gross, refunds and chargebacks taken off
    net_cents: int | None  # of the transactions whose net amount is known
    new_fans: int
    active_fans: int  # who wrote or paid
    messages_in: int
    messages_out: int  # what went out
    answer_rate: float | None  # of the times that a fan began to wait: how many were answered, 0 to 1
    median_answer_seconds: int | None
    paid_messages_sold: int  # of the paid messages that went out in the period: how many are bought
    unlock_rate: float | None  # the same as a share, 0 to 1
    average_per_paying_fan_cents: (
        int | None
    )  # what fans who paid something brought, refunds taken off, for each of them
    without_net_cents: int = 0  # gross of the transactions whose net amount is not known
    payers: int = 0
    offered: int = 0
    waits: int = 0
    answered: int = 0


def kpis_of(account_id: int, period: Period) -> Kpis:
    money = _money(account_id, period)
    out = _messages_out(account_id, period)
    waits = _waits(account_id, period)
    return Kpis(
        revenue_cents=_whole(money.gross),
        net_cents=_whole(money.net),
        without_net_cents=int(money.without_net or 0),
        payers=money.payers,
        average_per_paying_fan_cents=round(Fraction(int(money.of_payers), money.payers)) if money.payers else None,
        new_fans=_count(select(func.count()).select_from(Fan).where(counted.joined(account_id, period))),
        active_fans=_count(select(func.count()).select_from(counted.active_fans(account_id, period).subquery())),
        messages_in=_count(select(func.count()).select_from(Message).where(counted.came_in(account_id, period))),
        messages_out=out.messages,
        offered=out.offered,
        paid_messages_sold=out.sold,
        unlock_rate=_share(out.sold, out.offered),
        waits=waits.begun,
        answered=waits.answered,
        answer_rate=_share(waits.answered, waits.begun),
        median_answer_seconds=waits.median_seconds,
    )


def _money(account_id: int, period: Period) -> Any:
    """By fans first: the fans who paid are then known from the same reading."""
    gross, net = Transaction.gross_cents, Transaction.net_cents
    each = (
        select(
            Transaction.fan_id,
            func.sum(gross).label("gross"),
            func.sum(net).label("net"),
            func.sum(gross).filter(net.is_(None)).label("without_net"),
            func.max(gross).label("most"),
        )
        .where(counted.moved(account_id, period))
        .group_by(Transaction.fan_id)
        .subquery()
    )
    has_paid = each.c.fan_id.is_not(None) & (each.c.most > 0)
    sums = select(
        func.sum(each.c.gross).label("gross"),
        func.sum(each.c.net).label("net"),
        func.sum(each.c.without_net).label("without_net"),
        func.count().filter(has_paid).label("payers"),
        func.sum(each.c.gross).filter(has_paid).label("of_payers"),
    )
    return db.session.execute(sums).one()


def _messages_out(account_id: int, period: Period) -> Any:
    counts = select(
        func.count().label("messages"),
        func.count().filter(counted.OFFERED).label("offered"),
        func.count().filter(counted.SOLD).label("sold"),
    )
    return db.session.execute(counts.where(counted.went_out(account_id, period))).one()


@dataclass(frozen=True)
class Waits:
    begun: int
    answered: int
    median_seconds: int | None


def _waits(account_id: int, period: Period) -> Waits:
    """The median is of the two in the middle where there is none."""
    each = counted.waits(account_id, period).cte("waits")
    times = select(
        each.c.began_at,
        each.c.answered_at,
        func.row_number().over(order_by=_lasted(each)).label("place"),
        func.count().over().label("answered"),
    )
    times = times.where(each.c.answered_at.is_not(None)).cte("times")
    is_middle = (times.c.place * 2).between(times.c.answered, times.c.answered + 2)
    everything = select(func.count().label("begun")).select_from(each).subquery()
    rows = select(everything.c.begun, times.c.began_at, times.c.answered_at, times.c.answered).select_from(
        everything.outerjoin(times, is_middle)
    )
    found = db.session.execute(rows).all()
    middle = [seconds_between(row.began_at, row.answered_at) for row in found if row.answered]
    return Waits(found[0].begun, found[0].answered or 0, round(sum(middle) / len(middle)) if middle else None)


def _lasted(each: Any) -> Any:
    if on_postgresql():
        return each.c.answered_at - each.c.began_at
    return func.julianday(each.c.answered_at) - func.julianday(each.c.began_at)


def seconds_between(began_at: datetime, answered_at: datetime) -> float:
    """None are negative: clocks of a platform and of ours differ."""
    return max(0.0, (answered_at - began_at).total_seconds())


def _count(rows: Any) -> int:
    return db.session.scalar(rows) or 0


def _whole(cents: Any) -> int | None:
    return None if cents is None else int(cents)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
