"""The figures of a period. Sums, shares, means and medians of nothing are None; what is counted is 0."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import exists, func, select, true

from app.analytics import counted, waiting
from app.analytics.periods import Period
from app.conversations.models import Message
from app.database import db, on_postgresql
from app.fans.models import Fan
from app.money.models import Transaction

FANS_SHOWN = 10


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
    # What these stand on:
    without_net_cents: int  # gross of the transactions whose net amount is not known
    transactions: int
    payers: int
    offered: int
    waits: int
    answered: int
    best: list[tuple[int, int]]  # ids of the fans who brought the most, with their cents


def kpis_of(account_id: int, period: Period) -> Kpis:
    money, best = _money(account_id, period)
    out = _messages_out(account_id, period)
    waits = _waits(account_id, period)
    return Kpis(
        revenue_cents=_whole(money.gross),
        net_cents=_whole(money.net),
        without_net_cents=_whole(money.without_net) or 0,
        transactions=_whole(money.transactions) or 0,
        payers=money.payers,
        average_per_paying_fan_cents=round(Fraction(int(money.of_payers), money.payers)) if money.payers else None,
        best=best,
        new_fans=_count(select(func.count()).select_from(Fan).where(counted.joined(account_id, period))),
        active_fans=money.active,
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


def _money(account_id: int, period: Period) -> tuple[Any, list[tuple[int, int]]]:
    """Summed by fans first, so that one reading of the transactions tells all that is about money and about who paid; and
    the fans who brought the most."""
    each = _by_fan(account_id, period).cte("by_fan")
    has_paid = each.c.fan_id.is_not(None) & (each.c.most > 0)
    wrote = select(Message.fan_id).where(counted.came_in(account_id, period), Message.fan_id.is_not(None))
    writers = wrote.distinct().subquery("writers")
    only_wrote = ~exists().where(each.c.fan_id == writers.c.fan_id, each.c.most > 0)
    others = select(func.count()).select_from(writers).where(only_wrote).scalar_subquery()
    payers = func.count().filter(has_paid)
    sums = select(
        func.sum(each.c.gross).label("gross"),
        func.sum(each.c.net).label("net"),
        func.sum(each.c.without_net).label("without_net"),
        func.sum(each.c.transactions).label("transactions"),
        payers.label("payers"),
        func.sum(each.c.gross).filter(has_paid).label("of_payers"),
        (payers + others).label("active"),
    ).subquery("sums")
    top = (
        select(each.c.fan_id, each.c.gross.label("brought"))
        .where(each.c.fan_id.is_not(None), each.c.gross > 0)
        .order_by(each.c.gross.desc(), each.c.fan_id)
        .limit(FANS_SHOWN)
        .subquery("top")
    )
    found = db.session.execute(select(sums, top).select_from(sums.outerjoin(top, true()))).all()
    best = [(row.fan_id, int(row.brought)) for row in found if row.fan_id is not None]
    return found[0], sorted(best, key=lambda each: (-each[1], each[0]))


def _by_fan(account_id: int, period: Period) -> Any:
    gross, net = Transaction.gross_cents, Transaction.net_cents
    return (
        select(
            Transaction.fan_id,
            counted.total(gross).label("gross"),
            counted.total(net).label("net"),
            counted.total(gross).filter(net.is_(None)).label("without_net"),
            func.count().label("transactions"),
            func.max(gross).label("most"),
        )
        .where(counted.moved(account_id, period))
        .group_by(Transaction.fan_id)
    )


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
    each = waiting.waits(account_id, period).cte("waits")
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
