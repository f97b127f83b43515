"""What a database that came from a backup cannot know: what went out between the backup and the restore.

A message that is queued in it may have been sent meanwhile, and so may one that something older than the restore brings
forth. Such a message carries the doubt RESTORED: before it is sent its chat is read, as for any that is in doubt
(conversations/delivery.py). And nothing at all goes out before a person has looked: see `hold`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Text, case, column, exists, func, literal, null, or_, select, table, update
from sqlalchemy.orm import Mapped, mapped_column

from app import clock
from app.database import Base, Id, UTCDateTime, db, table_of, utcnow

RESTORED = "restored"
DOUBTED_FOR = timedelta(days=30)  # what is newly made by something older than the restore
CLOCK_DIFFERENCE = timedelta(minutes=5)  # the backup may have been made on another machine


class Restore(Base):
    """This database was put back from a backup."""

    __tablename__ = "restores"

    id: Mapped[Id] = mapped_column(init=False)
    taken_at: Mapped[datetime]  # the backup holds all that was committed before
    restored_at: Mapped[datetime]


def _named(name: str, *columns: str) -> Any:
    return table(name, *(column(each, UTCDateTime if each.endswith("_at") else Text) for each in columns))


_connections = _named("connections", "status", "status_detail")
_messages = _named("messages", "status", "doubt", "campaign_id")
_campaigns = _named("campaigns", "id", "status", "note", "trigger", "scheduled_at")
_recipients = _named("recipients", "campaign_id", "message_id", "skip_reason")
_laters = _named("later_replies", "status", "reason", "send_at")


def hold(taken_at: datetime, now: datetime) -> Iterator[Any]:
    """The statements by which a restored database waits for people. They run before anything else sees it."""
    said = f"Restored on {now:%Y-%m-%d %H:%M} UTC from a backup of {taken_at:%Y-%m-%d %H:%M} UTC."
    meanwhile = f"{said} It may have gone out meanwhile."
    yield table_of(Restore).insert().inline().values(taken_at=taken_at, restored_at=now)
    paused = {
        "status": "paused",
        "status_detail": f"{said} Look, then resume: what waits is first looked for in the chats.",
    }
    yield update(_connections).where(_connections.c.status == "active").values(paused)
    yield update(_messages).where(_messages.c.status.in_(("queued", "sending"))).values(doubt=RESTORED)
    yield update(_campaigns).where(_campaigns.c.status == "active", _goes_on()).values(status="paused", note=said)
    unscheduled = {"status": "draft", "scheduled_at": null(), "note": meanwhile}
    yield update(_campaigns).where(_campaigns.c.status == "scheduled").values(unscheduled)
    was_due = (_laters.c.status == "waiting") & (_laters.c.send_at <= now)
    yield update(_laters).where(was_due).values(status="cancelled", reason=meanwhile)


def _goes_on() -> Any:
    """One that is done is stored as active too."""
    of_it = _messages.c.campaign_id == _campaigns.c.id
    waits = exists().where(of_it, _messages.c.status.in_(("queued", "sending")))
    to_prepare = _recipients.c.message_id.is_(None) & _recipients.c.skip_reason.is_(None)
    unprepared = exists().where(_recipients.c.campaign_id == _campaigns.c.id, to_prepare)
    return or_(_campaigns.c.trigger != "", waits, unprepared)


def doubt_about(decided_at: datetime) -> str:
    """Of a message that is made now, by something that a person decided then: the old database may have made it too."""
    return db.session.scalar(select(doubts_about(literal(decided_at, UTCDateTime)))) or ""


def doubts_about(decided_at: Any) -> Any:
    """As `doubt_about`, in a statement: of each row, by its column."""
    lately = (Restore.restored_at > decided_at) & (Restore.restored_at > utcnow() - DOUBTED_FOR)
    return case((exists().where(lately), RESTORED), else_="")


@dataclass(frozen=True)
class Possible:
    """When a message in this doubt can have gone out first, as a tick; whether it then had the key that it has now."""

    since: int
    has_its_key: bool


def possible(created_at: datetime) -> Possible:
    """Of a message with the doubt RESTORED, by when its row was made."""
    first = select(func.min(Restore.taken_at))
    in_backup = db.session.scalar(first.where(Restore.restored_at > created_at))
    taken_at = in_backup or db.session.scalar(first.where(Restore.restored_at > created_at - DOUBTED_FOR)) or created_at
    return Possible(clock.tick_of(taken_at - CLOCK_DIFFERENCE), in_backup is not None)


def quiet_until(window_seconds: int) -> int | None:
    """The tick at which the platform's window holds nothing any more that this database does not know; None: by now."""
    last = db.session.scalar(select(func.max(Restore.restored_at)))
    ends_at = last + timedelta(seconds=window_seconds) if last else None
    return clock.tick_of(ends_at) if ends_at and ends_at > utcnow() else None
