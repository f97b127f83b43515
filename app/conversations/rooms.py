"""The rooms that are watched: their names, how far each is, and which of them somebody watches."""

from collections.abc import Iterable

from sqlalchemy import select

from app.accounts.models import Account
from app.conversations import queries
from app.conversations.models import Conversation
from app.database import db
from app.extensions import get_redis
from app.fans.models import SHOWN, Fan, version_of

WATCHED_SECONDS = 15  # of a web process that died; one that lives marks its rooms again each second


def thread_room(conversation_id: int) -> str:
    return f"thread:{conversation_id}"


def inbox_room(account_id: int) -> str:
    return f"inbox:{account_id}"


def room_named(account_id: int, room_kind: str, room_id: int) -> str:
    return thread_room(room_id) if room_kind == "thread" else inbox_room(account_id)


def newest_seq(account_id: int, room_kind: str, room_id: int) -> tuple[str, int]:
    """A room's name and its newest number, for one who may watch it. Raises NotFound for all others."""
    if room_kind == "thread":
        conversation = queries.find_conversation(account_id, room_id)
        return thread_room(conversation.id), conversation.seq
    account = db.session.get_one(Account, account_id)
    return inbox_room(account_id), account.inbox_seq


def newest_of(rooms: Iterable[str]) -> dict[str, int]:
    """The newest number of each room that is still there. For a process to tell those whom it has let in: whose rooms these
    are is not asked."""
    ids: dict[str, list[int]] = {"thread": [], "inbox": []}
    for room in rooms:
        kind, _, room_id = room.partition(":")
        ids[kind].append(int(room_id))
    threads = select(Conversation.id, Conversation.seq).where(Conversation.id.in_(ids["thread"]))
    inboxes = select(Account.id, Account.inbox_seq).where(Account.id.in_(ids["inbox"]))
    found = {thread_room(each): seq for each, seq in db.session.execute(threads).tuples()}
    found |= {inbox_room(each): seq for each, seq in db.session.execute(inboxes).tuples()}
    db.session.rollback()
    return found


def fans_of(rooms: Iterable[str]) -> dict[str, str]:
    """By the room of their thread, the fans' versions. As newest_of."""
    ids = [int(room_id) for kind, _, room_id in (room.partition(":") for room in rooms) if kind == "thread"]
    if not ids:
        return {}
    rows = select(Conversation.id, *SHOWN).join(Fan, Fan.id == Conversation.fan_id).where(Conversation.id.in_(ids))
    found = {thread_room(row.id): version_of(row) for row in db.session.execute(rows)}
    db.session.rollback()
    return found


def mark_watched(rooms: list[str]) -> list[str]:
    """Somebody watches these rooms: their news is told. Returns those that were not marked so far. Raises RedisError."""
    with get_redis().pipeline(transaction=False) as pipeline:
        for room in rooms:
            pipeline.set(_mark(room), 1, ex=WATCHED_SECONDS, get=True)
        return [room for room, mark in zip(rooms, pipeline.execute(), strict=True) if mark is None]


def are_watched(rooms: list[str]) -> list[bool]:
    """Raises RedisError."""
    return [mark is not None for mark in get_redis().mget(map(_mark, rooms))] if rooms else []


def _mark(room: str) -> str:
    return f"greenroom:watched:{room}"
