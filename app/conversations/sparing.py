"""The next campaign messages that may go now: who is to be spared after all is, and who sleeps is let sleep."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Row, or_, select, update

from app import clock
from app.accounts.models import Account
from app.conversations import live, waiting
from app.conversations.guards import Guards, objection, quiet_until
from app.conversations.models import Message, MessageStatus
from app.database import db, execute, plain, utcnow
from app.fans.models import Fan

MOST_LOOKED_AT = 20  # in one claim, whose transaction is to be short
MOST_ASLEEP = 2_000  # put off at once: those who live by one clock
QUIET_HOURS = "quiet_hours"


@dataclass(frozen=True)
class Found:
    message_ids: list[int]
    is_more: bool = False  # so many were spared, or put off, that the rest is for the next claim
    news: list[live.Noted] = field(default_factory=list)


def next_of_campaigns(connection_id: int, now: int, most: int = 1) -> Found:
    """Does not commit."""
    news: list[live.Noted] = []
    looked_at = 0
    while looked_at < MOST_LOOKED_AT:
        found = waiting.next_of_campaigns(connection_id, now, most)
        if found is None:
            return Found([], news=news)
        if not found.guards:
            return Found(found.message_ids, news=news)
        guards, may_go = Guards.of(found.guards), list[int]()
        for message_id in found.message_ids:
            looked_at += 1
            if until := _sleeps_until(message_id, guards):
                _put_off(message_id, found.campaign_id, until)
                return Found(may_go, is_more=True, news=news)
            if reason := objection(message_id, guards):
                news += _spare(message_id, reason)
            else:
                may_go.append(message_id)
        if may_go:
            return Found(may_go, news=news)
    return Found([], is_more=True, news=news)


def _sleeps_until(message_id: int, guards: Guards) -> datetime | None:
    if not guards.is_quiet_kept:
        return None
    fan_zone, account_zone = _zones_of(message_id)
    zone = fan_zone if fan_zone and guards.quiet_zone == "fan" else account_zone
    return quiet_until(guards, zone, utcnow())


def _zones_of(message_id: int) -> Row[str | None, str]:
    """The fan's, where it is known, and the account's."""
    rows = select(Fan.timezone, Account.timezone).select_from(Message).join(Account, Account.id == Message.account_id)
    return db.session.execute(rows.outerjoin(Fan, Fan.id == Message.fan_id).where(Message.id == message_id)).one()


def _put_off(message_id: int, campaign_id: int, until: datetime) -> None:
    """This one, and the campaign's others to fans of the same zone."""
    tick, its_zone = clock.tick_of(until), _zones_of(message_id)[0]
    of_zone = Fan.timezone.is_(None) if its_zone is None else Fan.timezone == its_zone
    others = select(Message.id).join(Fan, Fan.id == Message.fan_id).where(
        Message.campaign_id == campaign_id,
        Message.status == plain(MessageStatus.QUEUED),
        or_(Message.due_tick.is_(None), Message.due_tick < tick),
        of_zone,
    )  # fmt: skip
    ids = {message_id, *db.session.scalars(others.limit(MOST_ASLEEP))}
    execute(update(Message).where(Message.id.in_(ids)).values(due_tick=tick, status_reason=QUIET_HOURS))


def _spare(message_id: int, reason: str) -> list[live.Noted]:
    values = {"status": MessageStatus.CANCELLED, "status_reason": reason, "changed_at": utcnow()}
    queued = update(Message).where(Message.id == message_id, Message.status == MessageStatus.QUEUED)
    conversation = db.session.execute(
        queued.values(**values).returning(Message.account_id, Message.conversation_id)
    ).one_or_none()
    if conversation is None:  # cancelled by a person in this moment
        return []
    return live.note_in_thread(conversation.account_id, conversation.conversation_id, message_id)
