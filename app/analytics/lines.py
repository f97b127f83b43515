"""Rows with what stands beside them, in a few look-ups for any number."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from app.accounts.models import User
from app.analytics import counted, selling, stretches, tables, waiting
from app.analytics.reports import Asked
from app.analytics.tally import joined
from app.campaigns.models import Campaign
from app.conversations.models import Message
from app.database import db
from app.fans.models import Fan
from app.money.models import Transaction


@dataclass(frozen=True)
class Line:
    """A row, and what belongs to it. Of a message: `at` is when it came, or went out."""

    row: Any
    at: datetime
    fan: Fan | None = None
    author: User | None = None
    campaign_id: int | None = None
    payments: int = 0  # of a fan
    cents: int | None = None
    is_new: bool = False
    is_active: bool = False
    began_to_wait: bool = False
    answered_at: datetime | None = None
    work: tables.Work | None = None
    sellers: list[str] = field(default_factory=list)  # of a payment: by each of selling.RULES

    @property
    def waited(self) -> float | None:
        """Seconds, of one who was answered."""
        return max(0.0, (self.answered_at - self.at).total_seconds()) if self.answered_at else None


def lines_of(asked: Asked, rows: list[Any]) -> list[Line]:
    return _READERS[asked.report](asked, rows)


def _transactions(_asked: Asked, rows: list[Transaction]) -> list[Line]:
    fans = _by_id(Fan, [each.fan_id for each in rows])
    found = select(Message.id, Message.campaign_id).where(Message.id.in_(_ids([each.message_id for each in rows])))
    campaigns = dict(db.session.execute(found).all())
    sellers = selling.sellers_of([each.id for each in rows])
    return [
        Line(
            each, each.at, fan=fans.get(each.fan_id), campaign_id=campaigns.get(each.message_id or 0), cents=each.gross_cents,
            sellers=sellers[each.id],
        )
        for each in rows
    ]  # fmt: skip


def _fans(asked: Asked, rows: list[Fan]) -> list[Line]:
    account_id, period = asked.account_id, asked.period
    ids = [each.id for each in rows]
    money = (
        select(Transaction.fan_id, func.count(), func.sum(Transaction.gross_cents), func.max(Transaction.gross_cents))
        .where(counted.moved(account_id, period), Transaction.fan_id.in_(ids))
        .group_by(Transaction.fan_id)
    )
    paid = {fan_id: (count, int(cents), most > 0) for fan_id, count, cents, most in db.session.execute(money)}
    wrote = select(Message.fan_id).where(counted.came_in(account_id, period), Message.fan_id.in_(ids)).distinct()
    writers = set(db.session.scalars(wrote))
    return [_fan_line(asked, each, paid.get(each.id), each.id in writers) for each in rows]


def _fan_line(asked: Asked, fan: Fan, paid: tuple[int, int, bool] | None, wrote: bool) -> Line:
    count, cents, has_paid = paid or (0, None, False)
    is_new = asked.period.start <= fan.created_at < asked.period.end
    return Line(fan, fan.created_at, fan, payments=count, cents=cents, is_new=is_new, is_active=wrote or has_paid)


def _messages(asked: Asked, rows: list[Message]) -> list[Line]:
    fans = _by_id(Fan, [each.fan_id for each in rows])
    authors = _by_id(User, [each.author_id for each in rows])
    waits = _waits(asked, [each.id for each in rows if each.direction == "in"])
    return [_message_line(each, fans, authors, waits) for each in rows]


def _waits(asked: Asked, ids: list[int]) -> dict[int, datetime | None]:
    """Of those by which a fan began to wait: when the answer went out."""
    if not ids:
        return {}
    each = waiting.waits(asked.account_id, asked.period, of_messages=ids).subquery()
    rows = select(each.c.id, each.c.answered_at).where(each.c.id.in_(ids))
    return dict(db.session.execute(rows).all())


def _message_line(
    message: Message, fans: dict[Any, Fan], authors: dict[Any, User], waits: dict[int, datetime | None]
) -> Line:
    at = message.created_at if message.direction == "in" else message.sent_at or message.created_at
    return Line(
        message, at, fans.get(message.fan_id), authors.get(message.author_id), message.campaign_id,
        began_to_wait=message.id in waits, answered_at=waits.get(message.id),
    )  # fmt: skip


def _campaigns(asked: Asked, rows: list[Campaign]) -> list[Line]:
    tallies = stretches.tallies_over(asked.account_id, asked.period)
    work, _ = tables.work_of(joined(tallies, asked.period))
    return [
        Line(each, each.started_at, campaign_id=each.id, work=work.get(each.id, tables.Work()))
        for each in rows
    ]  # fmt: skip


def _by_id(model: Any, ids: list[int | None]) -> dict[Any, Any]:
    return {each.id: each for each in db.session.scalars(select(model).where(model.id.in_(_ids(ids))))}


def _ids(ids: list[int | None]) -> set[int]:
    return {each for each in ids if each is not None}


_READERS = {"transactions": _transactions, "fans": _fans, "messages": _messages, "campaigns": _campaigns}
