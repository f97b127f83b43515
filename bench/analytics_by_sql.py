"""What an analytics page shows, by SQL alone: plain sums over the rows, as a page would ask for them that keeps nothing."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, func, select

from app.analytics import counted, waiting
from app.analytics.kpis import FANS_SHOWN
from app.analytics.periods import Period
from app.conversations.models import Message
from app.database import db, on_postgresql
from app.fans.models import Fan
from app.money.models import Transaction


def ask(account_id: int, period: Period) -> None:
    for statement in (
        *_kpis(account_id, period), *_kpis(account_id, period.previous), *_tables(account_id, period),
    ):  # fmt: skip
        db.session.execute(statement).all()
    db.session.rollback()


def _kpis(account_id: int, period: Period) -> Iterator[Select[Any]]:
    gross, net, moved = Transaction.gross_cents, Transaction.net_cents, counted.moved(account_id, period)
    yield select(
        func.count(), counted.total(gross), counted.total(net), counted.total(gross).filter(net.is_(None)),
    ).where(moved)  # fmt: skip
    of_each = select(func.sum(gross).label("cents")).where(moved, Transaction.fan_id.is_not(None))
    payers = of_each.group_by(Transaction.fan_id).having(func.max(gross) > 0).subquery()
    yield select(func.count(), func.sum(payers.c.cents))
    yield select(func.count()).select_from(Fan).where(counted.joined(account_id, period))
    yield select(func.count()).select_from(counted.active_fans(account_id, period).subquery())
    yield select(func.count()).select_from(Message).where(counted.came_in(account_id, period))
    yield select(*_work()).where(counted.went_out(account_id, period))
    each = waiting.waits(account_id, period).subquery()
    began, answered = each.c.began_at, each.c.answered_at
    if on_postgresql():
        longest = func.percentile_disc(0.5).within_group(answered - began)
    else:  # which knows no median
        longest = func.max(func.julianday(answered) - func.julianday(began))
    yield select(func.count(), func.count(answered), longest)


def _work() -> list[Any]:
    return [func.count(), func.count().filter(counted.OFFERED), func.count().filter(counted.SOLD)]


def _tables(account_id: int, period: Period) -> Iterator[Select[Any]]:
    """Over time, the best fans, by campaign and person, by hour of the week, in other currencies."""
    moved, cents = counted.moved(account_id, period), counted.total(Transaction.gross_cents)
    sender = (Message.campaign_id, Message.author_id)
    yield (
        select(func.date(Transaction.at).label("day"), Transaction.kind, cents)
        .where(moved)
        .group_by("day", Transaction.kind)
    )
    best = select(Transaction.fan_id, cents).where(moved, Transaction.fan_id.is_not(None)).group_by(Transaction.fan_id)
    yield best.order_by(cents.desc()).limit(FANS_SHOWN)
    yield select(*sender, cents).join(Transaction, Transaction.message_id == Message.id).where(moved).group_by(*sender)
    yield select(*sender, *_work()).where(counted.went_out(account_id, period)).group_by(*sender)
    hour = (
        func.strftime("%w %H", Message.created_at)
        if not on_postgresql()
        else func.to_char(Message.created_at, "D HH24")
    )
    yield select(hour.label("hour"), func.count()).where(counted.came_in(account_id, period)).group_by("hour")
    yield (
        select(Transaction.currency, func.count())
        .where(counted.within(account_id, period))
        .group_by(Transaction.currency)
    )
