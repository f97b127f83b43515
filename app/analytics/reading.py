"""The rows of a time, read from the database as a tally."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, select

from app.analytics import counted, waiting
from app.analytics.periods import Span, number_at, slots_of
from app.analytics.tally import Tally, tally_of
from app.conversations.models import Message
from app.database import on_postgresql, plain, run
from app.money.models import Transaction


def read_tally(account_id: int, span: Span, slot_seconds: int) -> Tally:
    of = _Slots(span, slot_seconds)
    return tally_of(slot_seconds, slots_of(span, slot_seconds), {
        "payments": _rows(_payments(account_id, span, of)),
        "came_in": _rows(_came_in(account_id, span, of)),
        "went_out": _rows(_went_out(account_id, span, of)),
        "waits": [
            (number_at(wait.began_at, slot_seconds), *_lasted(wait.began_at, wait.answered_at))
            for wait in run(waiting.waits(account_id, span))
        ],
    })  # fmt: skip


class _Slots:
    """In which slot a moment of the span lies, for the database to say."""

    def __init__(self, span: Span, seconds: int) -> None:
        self.seconds, self.first = seconds, number_at(span.start, seconds)

    def __call__(self, moment: Any) -> Any:
        if on_postgresql():
            return cast(func.floor(func.date_part("epoch", moment) / plain(self.seconds)), BigInteger)
        since = cast(func.strftime("%s", moment), BigInteger) - self.first * self.seconds
        return since // self.seconds + self.first


def _rows(found: Select[*tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in run(found)]


def _payments(account_id: int, span: Span, slot_of: _Slots) -> Select[*tuple[Any, ...]]:
    net = Transaction.net_cents
    return (
        select(
            slot_of(Transaction.at), Transaction.kind, Transaction.currency, _id(Transaction.fan_id),
            Transaction.gross_cents, func.coalesce(net, 0), net.is_not(None),
            Transaction.message_id.is_not(None), _id(Message.campaign_id), _id(Message.author_id),
        )
        .outerjoin(Message, Transaction.message_id == Message.id)
        .where(counted.within(account_id, span))
    )  # fmt: skip


def _came_in(account_id: int, span: Span, slot_of: _Slots) -> Select[*tuple[Any, ...]]:
    return select(slot_of(Message.created_at), _id(Message.fan_id)).where(counted.came_in(account_id, span))


def _went_out(account_id: int, span: Span, slot_of: _Slots) -> Select[*tuple[Any, ...]]:
    slot, ids = slot_of(Message.sent_at), (_id(Message.campaign_id), _id(Message.author_id))
    return select(slot, *ids, counted.OFFERED, counted.SOLD).where(counted.went_out(account_id, span))


def _id(column: Any) -> Any:
    return func.coalesce(column, 0)


def _lasted(began_at: datetime, answered_at: datetime | None) -> tuple[int, bool]:
    if answered_at is None:
        return 0, False
    return (answered_at - began_at) // timedelta(microseconds=1), True
