"""What is done about conversations as work: read, put away, put off, pinned, given to somebody. One, or many at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Select, case, literal, select, update

from app.accounts import queries as accounts
from app.conversations import live, queries
from app.conversations.desk_models import Assignment
from app.conversations.live import MOST_TOLD
from app.conversations.models import UNTIL_REPLY, Conversation
from app.database import UTCDateTime, db, execute, insert, utcnow, write
from app.errors import Invalid


def mark_read(account_id: int, conversation_id: int) -> None:
    """Raises NotFound."""
    if queries.find_conversation(account_id, conversation_id).unread_count:
        change(account_id, conversation_id, {"unread_count": 0})


def change(account_id: int, conversation_id: int, values: Mapping[str, Any]) -> Conversation:
    """One of the changes below. Raises NotFound."""
    queries.find_conversation(account_id, conversation_id)
    change_all(account_id, select(Conversation.id).where(Conversation.id == conversation_id), values)
    return queries.find_conversation(account_id, conversation_id)


def change_all(account_id: int, ids: Select[Any], values: Mapping[str, Any]) -> int:
    """As change, for all that a query of ids finds in this account. Returns how many."""
    with write():
        changed, noted = set_all(account_id, ids, values)
    live.tell(noted)
    return changed


def set_all(account_id: int, ids: Select[Any], values: Mapping[str, Any]) -> tuple[int, list[live.Noted]]:
    """As change_all, and what is to be told of it. Does not commit."""
    ours = (Conversation.account_id == account_id) & Conversation.id.in_(ids)
    few = list(db.session.scalars(select(Conversation.id).where(ours).order_by(Conversation.id).limit(MOST_TOLD + 1)))
    if "assignee_id" in values:
        _note_assigned(ours, values["assignee_id"])
    changed = execute(update(Conversation).where(ours).values(**values))
    db.session.expire_all()
    return changed, _news_of(account_id, few)


def _news_of(account_id: int, few: list[int]) -> list[live.Noted]:
    if len(few) > MOST_TOLD:
        return live.note_upheaval(account_id)
    return [news for each in few for news in live.note_conversation(account_id, each)]


def _note_assigned(which: Any, whom: Any) -> None:
    """Whose those are from now on that were not theirs before; whom: an id, or what gives one for each."""
    assignee_id = whom if isinstance(whom, ColumnElement) else literal(whom, BigInteger)
    values = {
        "account_id": Conversation.account_id, "conversation_id": Conversation.id,
        "assignee_id": assignee_id, "at": literal(utcnow(), UTCDateTime()),
    }  # fmt: skip
    others = Conversation.assignee_id.is_distinct_from(assignee_id)
    execute(insert(Assignment).from_select(list(values), select(*values.values()).where(which, others)))


# --- The changes ---

READ: Mapping[str, Any] = {"unread_count": 0}
UNREAD: Mapping[str, Any] = {"unread_count": case((Conversation.unread_count == 0, 1), else_=Conversation.unread_count)}
ARCHIVED: Mapping[str, Any] = {"archived": True, "snoozed_until": None, "pinned": False}
OPEN: Mapping[str, Any] = {"archived": False, "snoozed_until": None}
PINNED: Mapping[str, Any] = {"pinned": True} | OPEN
UNPINNED: Mapping[str, Any] = {"pinned": False}


def snoozed(until: datetime | None) -> Mapping[str, Any]:
    """None: until the fan writes. Raises Invalid."""
    if until is not None and until <= utcnow():
        raise Invalid(("snoozedUntil", "Choose a time to come."))
    return {"snoozed_until": until or UNTIL_REPLY, "archived": False}


def taken_back(*, pinned: bool, snoozed_until: datetime | None) -> Mapping[str, Any]:
    """As it was before it was archived. Whom a message has brought back meanwhile is not put off again."""
    was_put_off = literal(snoozed_until, UTCDateTime())
    until = case((Conversation.archived, was_put_off), else_=Conversation.snoozed_until)
    return {"archived": False, "snoozed_until": until} | ({"pinned": True} if pinned else {})


def assigned(account_id: int, user_id: int | None) -> Mapping[str, Any]:
    """None: to nobody. Raises Invalid for one who does not work in this account."""
    if user_id is not None and user_id not in {
        person.id for person in accounts.people_of(account_id, active_only=True)
    }:
        raise Invalid(("assigneeId", "Nobody in this account has this id."))
    return {"assignee_id": user_id}


def wake_snoozed() -> None:
    """For the sweep: those whose time has come are in sight again, among the unread ones."""
    rows = select(Conversation.account_id, Conversation.id).where(_is_due()).order_by(Conversation.id).limit(MOST_TOLD)
    for account_id, conversation_id in db.session.execute(rows).all():
        _wake(account_id, conversation_id)


def _is_due() -> Any:
    return (Conversation.snoozed_until <= utcnow()) & Conversation.snoozed_until.is_not(None)


def _wake(account_id: int, conversation_id: int) -> None:
    """Unless somebody put it off anew in this moment, or its fan was deleted."""
    with write():
        still_due = (Conversation.id == conversation_id) & _is_due()
        woken = execute(update(Conversation).where(still_due).values(snoozed_until=None, **UNREAD))
        noted = live.note_conversation(account_id, conversation_id) if woken else []
    live.tell(noted)


@dataclass(frozen=True)
class SnoozeTime:
    name: str
    label: str
    at: datetime | None  # None: until the fan writes


def snooze_times(zone: str, now: datetime | None = None) -> list[SnoozeTime]:
    """The usual ones, by the account's clock."""
    now = now or utcnow()
    local = now.astimezone(ZoneInfo(zone))
    morning = local.replace(hour=9, minute=0, second=0, microsecond=0)
    evening = local.replace(hour=18, minute=0, second=0, microsecond=0)
    times = [SnoozeTime("hour", "For an hour", now + timedelta(hours=1))]
    if local < evening - timedelta(hours=1):
        times.append(SnoozeTime("evening", "This evening, 18:00", evening))
    return [
        *times,
        SnoozeTime("tomorrow", "Tomorrow, 09:00", morning + timedelta(days=1)),
        SnoozeTime("monday", "Next Monday, 09:00", morning + timedelta(days=7 - local.weekday())),
        SnoozeTime("reply", "Until they write", None),
    ]
