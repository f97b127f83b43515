"""What sending processes had in flight when they ended, and what became of it: counted from their attempts."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from app.conversations.models import WENT_OUT, Message, MessageStatus, SendAttempt, Sender
from app.database import db, plain, utcnow

SILENT = timedelta(seconds=15)  # so long without a sign, and a sender is taken for dead
MOST_SHOWN = 10


@dataclass(frozen=True)
class Ended:
    """One run of a sender that is over, and an account's messages that were in flight at its end, by what they are now."""

    sender: Sender
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def in_order(self) -> bool:
        return self.sender.stopped_at is not None

    @property
    def ended_at(self) -> datetime:
        return self.sender.stopped_at or self.sender.seen_at

    @property
    def in_flight(self) -> int:
        return self.statuses.total()

    @property
    def went_on(self) -> int:
        return sum(self.statuses[status] for status in WENT_OUT)

    @property
    def being_settled(self) -> int:
        return self.statuses[MessageStatus.SENDING] + self.statuses[MessageStatus.QUEUED]

    @property
    def unknown(self) -> int:
        return self.statuses[MessageStatus.UNKNOWN]

    @property
    def not_sent(self) -> int:
        return self.statuses[MessageStatus.FAILED] + self.statuses[MessageStatus.CANCELLED]


def running_senders() -> list[Sender]:
    return list(db.session.scalars(select(Sender).where(~_is_over()).order_by(Sender.id)))


def ended_senders(account_id: int) -> list[Ended]:
    """The latest runs that ended, newest first."""
    senders = db.session.scalars(select(Sender).where(_is_over()).order_by(Sender.id.desc()).limit(MOST_SHOWN)).all()
    found = {sender.id: Ended(sender) for sender in senders}
    cut_off = or_(SendAttempt.outcome.is_(None), SendAttempt.outcome == plain("lost"))
    rows = (
        select(SendAttempt.sender_id, Message.status, func.count(Message.id.distinct()))
        .join(Message, Message.id == SendAttempt.message_id)
        .where(SendAttempt.sender_id.in_(found), cut_off, Message.account_id == account_id)
        .group_by(SendAttempt.sender_id, Message.status)
    )
    for sender_id, status, count in db.session.execute(rows):
        found[sender_id or 0].statuses[status] += count
    return list(found.values())


def _is_over():
    return or_(Sender.stopped_at.is_not(None), Sender.seen_at < utcnow() - SILENT)
