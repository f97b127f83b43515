"""The ledger: why each fan who was considered got the message, or not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from app.campaigns.audience import BEYOND_LIMIT, HELD_OUT
from app.campaigns.models import Recipient
from app.campaigns.queries import CANCELLED_BEFORE, IN_ORDER
from app.conversations.models import Message
from app.csv_text import csv_text
from app.database import db
from app.fans.models import Fan
from app.paging import each_entity

REASONS = {
    "do_not_message": "must not be messaged",
    "not_linked": "not linked to the platform",
    "unanswered": "their own message waits for an answer",
    "messaged_recently": "was messaged shortly before",
    "had_media": "saw or bought one of the files before",
    "enough_this_week": "had as many campaign messages this week as they are to have",
    "fan_answered": "wrote before it was their turn",
    "quiet_hours": "waits for the end of the quiet hours",
    "was_in_before": "was in the segment when this was switched on",
    HELD_OUT: "held back, to compare",
    BEYOND_LIMIT: "beyond the number that was set",
    "fan_deleted": "the fan was deleted",
    CANCELLED_BEFORE: "the campaign was cancelled before their message was made",
}
HEAD = ("Fan", "Handle", "Status", "Why", "Wording", "Message", "Changed (UTC)")
AT_ONCE = 500


def in_words(reason: str) -> str:
    """What a platform or a person said stands as it was said."""
    return REASONS.get(reason, reason)


@dataclass(frozen=True)
class LedgerLine:
    fan_id: int | None
    name: str | None
    handle: str | None
    status: str
    reason: str | None
    message_id: int | None
    updated_at: datetime
    wording: int | None = None

    @property
    def why(self) -> str:
        """The reason in words; nothing where there is none."""
        return in_words(self.reason or "")


def ledger_lines(recipients: list[Recipient]) -> list[LedgerLine]:
    """What became of each, with two look-ups for any number."""
    fans = {fan.id: fan for fan in db.session.scalars(select(Fan).where(Fan.id.in_([r.fan_id for r in recipients])))}
    messages = {
        message.id: message
        for message in db.session.scalars(select(Message).where(Message.id.in_([r.message_id for r in recipients])))
    }
    return [_ledger_line(each, fans.get(each.fan_id or 0), messages.get(each.message_id or 0)) for each in recipients]


def _ledger_line(recipient: Recipient, fan: Fan | None, message: Message | None) -> LedgerLine:
    changed = message.changed_at if message else recipient.created_at
    return LedgerLine(
        fan_id=recipient.fan_id,
        name=fan.display_name if fan else None,
        handle=fan.handle if fan else None,
        status=message.status if message else "skipped" if recipient.skip_reason else "queued",
        reason=message.status_reason if message else recipient.skip_reason,
        message_id=recipient.message_id,
        updated_at=changed,
        wording=recipient.wording,
    )


def ledger_csv(recipients: Select[Any]) -> Iterator[str]:
    """All of these, as the page lists them. Streamed."""
    return csv_text(_cells_of(recipients))


def _cells_of(recipients: Select[Any]) -> Iterator[Iterable[Any]]:
    yield HEAD
    some: list[Recipient] = []
    for recipient in each_entity(recipients, IN_ORDER):
        some.append(recipient)
        if len(some) == AT_ONCE:
            yield from map(_cells, ledger_lines(some))
            some = []
    yield from map(_cells, ledger_lines(some))


def _cells(line: LedgerLine) -> tuple[Any, ...]:
    wording = None if line.wording is None else line.wording + 1
    return (
        line.name,
        line.handle,
        line.status,
        line.why,
        wording,
        line.message_id,
        f"{line.updated_at:%Y-%m-%d %H:%M:%S}",
    )
