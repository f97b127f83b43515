"""What is done about many conversations at once, and how it is taken back: each stands as before in what nobody and nothing has
changed since."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, literal, select

from app.conversations import live, triage
from app.conversations.desk_models import BulkAction, BulkActionRow
from app.conversations.models import Conversation
from app.database import db, execute, insert, utcnow, write
from app.errors import NotFound
from app.fans import actions as fans
from app.fans.models import Fan

KEPT = timedelta(days=1)
TOGETHER = (
    ("archived", "snoozed_until"),
    ("pinned",),
    ("unread_count",),
    ("assignee_id",),
)  # one without the other is none
GIVEN, TAKEN = "tag given", "tag taken"
STOOD = [name for names in TOGETHER for name in names]


def change_many(account_id: int, user_id: int, ids: Select[Any], values: Mapping[str, Any]) -> tuple[int, int]:
    """One of triage's changes, for all that a query of ids finds in this account. Returns how many they are, and the id to take
    it back by."""
    with write():
        action_id = _begin(account_id, user_id, ids, {name: _as_json(value) for name, value in values.items()})
        number, noted = triage.set_all(account_id, _those_of(action_id), values)
    live.tell(noted)
    return number, action_id


def tag_many(account_id: int, user_id: int, ids: Select[Any], tag: str, *, gives: bool = True) -> tuple[int, int]:
    """As change_many, of their fans: gives them the tag, or takes it. Who stands as it will be is neither counted nor taken back.
    Raises Invalid."""
    tag = fans.clean_tag(tag) if gives else fans.as_written(account_id, fans.clean_tag(tag))
    has = fans.has_tag(tag)
    concerned = ids.where(
        Conversation.fan_id.in_(select(Fan.id).where(Fan.account_id == account_id, ~has if gives else has))
    )
    with write():
        action_id = _begin(account_id, user_id, concerned, {GIVEN if gives else TAKEN: tag})
        number = (fans.give_tag if gives else fans.take_tag)(account_id, _fans_of(action_id), tag)
    return number, action_id


def _begin(account_id: int, user_id: int, ids: Select[Any], set_to: dict[str, Any]) -> int:
    """Keeps how each stands before it. Does not commit."""
    done = BulkAction(account_id=account_id, user_id=user_id, set_to=set_to)
    db.session.add(done)
    db.session.flush()
    ours = (Conversation.account_id == account_id) & Conversation.id.in_(ids)
    stand = select(literal(done.id), Conversation.id, *(getattr(Conversation, name) for name in STOOD)).where(ours)
    execute(insert(BulkActionRow).from_select(["bulk_action_id", "conversation_id", *STOOD], stand))
    return done.id


def _as_json(value: Any) -> Any:
    if isinstance(value, ColumnElement):  # triage.UNREAD: as many as they are, or one
        return 1
    return value.isoformat() if isinstance(value, datetime) else value


def _those_of(action_id: int) -> Select[Any]:
    return select(BulkActionRow.conversation_id).where(BulkActionRow.bulk_action_id == action_id)


def _fans_of(action_id: int) -> Select[Any]:
    return select(Conversation.fan_id).where(Conversation.id.in_(_those_of(action_id)))


def take_back(account_id: int, user_id: int, action_id: int) -> None:
    """By whoever did it, once. Raises NotFound."""
    with write() as session:
        theirs = (BulkAction.account_id == account_id) & (BulkAction.user_id == user_id)
        done = session.scalar(
            select(BulkAction).where(theirs, BulkAction.id == action_id).with_for_update(key_share=True)
        )
        if done is None:
            raise NotFound
        noted = _put_back(done)
        execute(delete(BulkAction).where(BulkAction.id == action_id))
    live.tell(noted)


def _put_back(done: BulkAction) -> list[live.Noted]:
    if GIVEN in done.set_to:
        fans.take_tag(done.account_id, _fans_of(done.id), done.set_to[GIVEN])
    elif TAKEN in done.set_to:
        fans.give_tag(done.account_id, _fans_of(done.id), done.set_to[TAKEN])
    else:
        return triage.set_all(done.account_id, _those_of(done.id), _as_they_stood(done))[1]
    return []


def _as_they_stood(done: BulkAction) -> dict[str, Any]:
    """For triage: what was set is put back, where it is still what it was set to."""
    values: dict[str, Any] = {}
    for names in TOGETHER:
        if changed := [name for name in names if name in done.set_to]:
            is_left = and_(*(_is_left(done, name) for name in changed))
            values |= {name: case((is_left, _stood(done, name)), else_=getattr(Conversation, name)) for name in changed}
    return values


def _is_left(done: BulkAction, name: str) -> ColumnElement[bool]:
    column, value = getattr(Conversation, name), done.set_to[name]
    if name == "unread_count" and value:
        stood = _stood(done, name)
        return column == case((stood > 0, stood), else_=1)
    if name == "snoozed_until" and value:
        value = datetime.fromisoformat(value)
    return column.is_not_distinct_from(literal(value, column.type))


def _stood(done: BulkAction, name: str) -> Any:
    row = (BulkActionRow.bulk_action_id == done.id) & (BulkActionRow.conversation_id == Conversation.id)
    return select(getattr(BulkActionRow, name)).where(row).correlate(Conversation).scalar_subquery()


def forget_old() -> None:
    """For the sweep."""
    old = BulkAction.done_at < utcnow() - KEPT
    if db.session.scalar(select(exists().where(old))):
        with write():
            execute(delete(BulkAction).where(old))
