"""Who is spared by a campaign, and who is let sleep.

Asked twice: when an audience is frozen, so that people see who is left out and why; and again in the moment when a
message is about to go, which may be days later. What is objected to then is cancelled with the same reason; what would
come at night waits for the morning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import Any, Self

from sqlalchemy import case, func, literal, or_, select
from sqlalchemy.orm import aliased

from app.conversations.carried import NEVER_CAME, carried_in
from app.conversations.models import WENT_OUT, Conversation, Message, MessageMedium
from app.database import db, utcnow
from app.fans.models import Fan
from app.media.actions import Attachment
from app.zones import find_zone

WEEK = timedelta(days=7)
MOST_DAYS = 3_650
Reasons = list[tuple[Any, Any]]  # conditions over Fan, each with what it is called


@dataclass(frozen=True)
class Guards:
    """Each a switch."""

    unanswered: bool = False  # whose own message still waits for an answer
    messaged_within_hours: int | None = None
    had_media: bool = False  # who saw or bought one of the message's media
    per_week: int | None = None  # campaign messages to one fan within seven days
    quiet_from: str = ""  # "22:00"; nothing goes out from then until `quiet_to`
    quiet_to: str = ""
    quiet_zone: str = "fan"  # whose clock: the fan's, where it is known, or the account's
    until_answer: bool = False  # not to who wrote after they were chosen

    def as_json(self) -> dict[str, Any]:
        """Without what is not switched on; nothing at all where nothing is."""
        changed = {name: value for name, value in asdict(self).items() if value and value != "fan"}
        return changed if set(changed) - {"quiet_zone"} else {}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**stored)

    @property
    def is_quiet_kept(self) -> bool:
        return bool(self.quiet_from and self.quiet_to and self.quiet_from != self.quiet_to)


def reasons_at_launch(guards: Guards, attachments: Sequence[Attachment]) -> Reasons:
    """What is known of all fans at once, from what is kept on their threads."""
    theirs = select(Conversation.id).where(Conversation.fan_id == Fan.id, Conversation.account_id == Fan.account_id)
    reasons: Reasons = []
    if guards.unanswered:
        reasons.append((theirs.where(Conversation.waiting_since.is_not(None)).exists(), literal("unanswered")))
    if guards.messaged_within_hours:
        since = utcnow() - timedelta(hours=guards.messaged_within_hours)
        reasons.append((theirs.where(Conversation.we_wrote_at >= since).exists(), literal("messaged_recently")))
    return reasons + _by_messages(guards, attachments, aliased(Message), literal(True))


def _by_messages(guards: Guards, attachments: Sequence[Attachment], other: Any, which: Any) -> Reasons:
    """By the fan's other messages, those of `which`."""
    reasons: Reasons = []
    if guards.had_media and (media := list(carried_in(attachments))):
        seen = or_(other.price_cents == 0, MessageMedium.is_preview, other.purchased)
        had = select(MessageMedium.message_id).join(other, other.id == MessageMedium.message_id)
        of_fan = (MessageMedium.account_id == Fan.account_id) & (MessageMedium.fan_id == Fan.id)
        had = had.where(of_fan, MessageMedium.medium.in_(media), seen, other.status.not_in(NEVER_CAME), which)
        reasons.append((had.exists(), literal("had_media")))
    if guards.per_week:
        lately = func.coalesce(other.sent_at, other.created_at) >= utcnow() - WEEK
        count = select(func.count()).where(
            other.fan_id == Fan.id, other.campaign_id.is_not(None), other.status.not_in(NEVER_CAME), lately, which
        )
        reasons.append((count.scalar_subquery() >= guards.per_week, literal("enough_this_week")))
    return reasons


def objection(message_id: int, guards: Guards) -> str | None:
    """Why a message that is about to go is not to go after all."""
    other = aliased(Message)
    reasons = _by_messages(guards, db.session.get_one(Message, message_id).attachments, other, other.id != message_id)
    if guards.unanswered:
        reasons.insert(0, (Conversation.waiting_since.is_not(None), literal("unanswered")))
    if guards.until_answer:
        reasons.insert(0, (Conversation.fan_wrote_at > Message.created_at, literal("fan_answered")))
    if guards.messaged_within_hours:
        since = utcnow() - timedelta(hours=guards.messaged_within_hours)
        sent = select(other.id).where(other.fan_id == Fan.id, other.id != message_id, other.status.in_(WENT_OUT))
        reasons.append((sent.where(other.sent_at >= since).exists(), literal("messaged_recently")))
    if not reasons:
        return None
    rows = select(case(*reasons, else_=None)).select_from(Message).join(Fan, Fan.id == Message.fan_id)
    rows = rows.join(Conversation, Conversation.id == Message.conversation_id).where(Message.id == message_id)
    return db.session.scalar(rows)


def quiet_until(guards: Guards, zone: str, now: datetime) -> datetime | None:
    """When the quiet hours end that last at this moment by the clock of that zone; None where none do."""
    local = now.astimezone(find_zone(zone))
    first, last = time.fromisoformat(guards.quiet_from), time.fromisoformat(guards.quiet_to)
    at = local.timetz().replace(tzinfo=None)
    is_over_midnight = first > last
    if not (at >= first or at < last if is_over_midnight else first <= at < last):
        return None
    ends_on = local.date() + timedelta(days=1 if is_over_midnight and at >= first else 0)
    return datetime.combine(ends_on, last, local.tzinfo).astimezone(now.tzinfo)


def without_quiet_hours(guards: Guards, zone: str, start: datetime, work: timedelta) -> datetime:
    """When so much work is done that rests in quiet hours, all by one clock."""
    at = start
    for _ in range(MOST_DAYS):
        at = quiet_until(guards, zone, at) or at
        begins = _next_quiet(guards, zone, at)
        if at + work <= begins:
            return at + work
        work -= begins - at
        at = begins
    return at + work


def _next_quiet(guards: Guards, zone: str, after: datetime) -> datetime:
    local = after.astimezone(find_zone(zone))
    first = time.fromisoformat(guards.quiet_from)
    today = datetime.combine(local.date(), first, local.tzinfo)
    then = today if today > local else datetime.combine(local.date() + timedelta(days=1), first, local.tzinfo)
    return then.astimezone(after.tzinfo)
