"""The numbered stream to watchers, over Socket.IO. Sockets only speak: writes come over HTTP.

`note_*` numbers an event in the writer's own transaction; `tell` renders and emits it after the commit. A watcher joins
a room first, then asks for what is newer than its last number; what Redis dropped, it asks for again.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from flask import current_app
from redis import RedisError
from sqlalchemy import Update, bindparam, delete, insert, select, update
from sqlalchemy.orm import joinedload

from app.accounts.models import Account, User
from app.conversations import queries, rooms
from app.conversations.desk_models import LaterReply, Note
from app.conversations.models import Conversation, Message, RoomEvent
from app.conversations.rows import html_of_row, row_of
from app.database import db, execute, run, table_of, utcnow
from app.extensions import get_emitter
from app.fans.models import Fan

log = structlog.get_logger()
MOST_REPLAYED = 3000
MOST_AT_ONCE = 25  # rows in one answer: on a line that breaks every half second a long one would never arrive
MOST_EVENTS_AT_ONCE = 200
MOST_TOLD = 100  # of a change to more threads at once, watchers hear that they are to load the list anew


_accounts, _conversations, _messages, _events = map(table_of, (Account, Conversation, Message, RoomEvent))


@dataclass(frozen=True)
class Noted:
    room: str
    seq: int
    kind: str
    subject_id: int
    account_id: int


THREAD_ROWS = {model.kind: model for model in (Message, Note, LaterReply)}
NOBODY = Noted("", 0, "", 0, 0)  # news of a message whose thread is gone: it happened, and nobody watches


def numbered(change: Update) -> Any:
    """A change of a conversation's row that takes the thread's next number along."""
    return change.values(seq=_conversations.c.seq + 1).returning(_conversations.c.seq)


def numbered_each(change: Update) -> Any:
    """As `numbered`, of the threads of some messages, one of each; the change may speak of the message too. The threads are
    held in order first: two who number the same ones at once do not wait for each other."""
    of_many = _conversations.c.id.in_(bindparam("conversations", expanding=True))
    held = (
        select(_conversations.c.id)
        .where(of_many)
        .order_by(_conversations.c.id)
        .with_for_update(key_share=True)
        .cte("held")
    )
    theirs = _messages.c.id.in_(bindparam("messages", expanding=True)) & (_messages.c.conversation_id == held.c.id)
    change = change.where(_conversations.c.id == held.c.id, theirs)
    return change.values(seq=_conversations.c.seq + 1).returning(_conversations.c.id, _conversations.c.seq)


_NEXT_OF_THREAD = numbered(update(_conversations).where(_conversations.c.id == bindparam("conversation_id")))
_NEXT_OF_THREADS = numbered_each(update(_conversations))
_NEXT_OF_INBOX = (
    update(_accounts)
    .where(_accounts.c.id == bindparam("account_id"))
    .values(inbox_seq=_accounts.c.inbox_seq + bindparam("by"))
    .returning(_accounts.c.inbox_seq)
)


def note_message(message: Message) -> list[Noted]:
    """Numbers a message's news for its thread. Does not commit."""
    return note_in_thread(message.account_id, message.conversation_id, message.id)


def note_in_thread(
    account_id: int, conversation_id: int | None, subject_id: int, kind: str = Message.kind
) -> list[Noted]:
    """As note_message, of anything that stands in a thread. Nothing where the thread is gone."""
    if conversation_id is None:
        return []
    seq = run(_NEXT_OF_THREAD, {"conversation_id": conversation_id}).scalar()
    return _keep(Noted(rooms.thread_room(conversation_id), seq, kind, subject_id, account_id)) if seq else []


def note_in_threads(messages: Iterable[tuple[int, int | None, int]], change: Any = _NEXT_OF_THREADS) -> list[Noted]:
    """As note_in_thread, of many: account, thread and message of each. Does not commit.

    change: what `numbered_each` made, where the threads change otherwise too.
    """
    noted, left = list[Noted](), [each for each in messages if each[1] is not None]
    while left:
        now, later = dict[int | None, tuple[int, int]](), []
        for account_id, thread, message_id in left:
            if thread in now:  # a second one of the same thread takes the number after
                later.append((account_id, thread, message_id))
            else:
                now[thread] = account_id, message_id
        of = {"conversations": list(now), "messages": [message_id for _, message_id in now.values()]}
        for row in run(change, of):
            account_id, message_id = now[row.id]
            noted.append(Noted(rooms.thread_room(row.id), row.seq, Message.kind, message_id, account_id))
        left = later
    return _keep(*noted)


def note_conversation(account_id: int, conversation_id: int) -> list[Noted]:
    """Numbers a conversation's news for the account's inbox. Does not commit. Call it last: the account's row is
    locked from here to the commit."""
    return note_conversations([(account_id, conversation_id)])


def note_conversations(conversations: Iterable[tuple[int, int]]) -> list[Noted]:
    """As note_conversation, of many: account and thread of each."""
    of_account: dict[int, list[int]] = {}
    for account_id, conversation_id in conversations:
        of_account.setdefault(account_id, []).append(conversation_id)
    noted = []
    for account_id in sorted(of_account):
        theirs = of_account[account_id]
        last = run(_NEXT_OF_INBOX, {"account_id": account_id, "by": len(theirs)}).scalar_one()
        room, first = rooms.inbox_room(account_id), last - len(theirs) + 1
        noted += [Noted(room, seq, "conversation", each, account_id) for seq, each in enumerate(theirs, first)]
    return _keep(*noted)


def note_placed(account_id: int, conversation_id: int, message_id: int, seq: int) -> list[Noted]:
    """News of a message that was numbered as it was placed in its thread, and of the conversation. As note_conversation."""
    inbox_seq = run(_NEXT_OF_INBOX, {"account_id": account_id, "by": 1}).scalar_one()
    return _keep(
        Noted(rooms.thread_room(conversation_id), seq, Message.kind, message_id, account_id),
        Noted(rooms.inbox_room(account_id), inbox_seq, "conversation", conversation_id, account_id),
    )


def note_upheaval(account_id: int) -> list[Noted]:
    """So much has changed in the inbox that it is to be loaded anew: a gap in the numbers says so. Does not commit."""
    gap = update(Account).where(Account.id == account_id).values(inbox_seq=Account.inbox_seq + MOST_REPLAYED + 1)
    seq = db.session.scalar(gap.returning(Account.inbox_seq))
    return [Noted(rooms.inbox_room(account_id), seq or 0, "", 0, account_id)]


_KEEP = insert(_events)


def _keep(*noted: Noted) -> list[Noted]:
    at = utcnow()
    if noted:
        run(_KEEP, [vars(each) | {"created_at": at} for each in noted])
    return list(noted)


def note_gone(account_id: int, conversation_id: int) -> list[Noted]:
    """Of a thread that was deleted: its own news goes, the inbox hears of it. As note_conversation."""
    execute(delete(RoomEvent).where(RoomEvent.room == rooms.thread_room(conversation_id)))
    return note_conversation(account_id, conversation_id)


def note_many_gone(account_id: int, conversations: Collection[int]) -> list[Noted]:
    """As note_gone, of many."""
    if len(conversations) > MOST_TOLD:  # what was their own news goes with what is old
        return note_upheaval(account_id)
    return [news for each in conversations for news in note_gone(account_id, each)]


def tell(noted: list[Noted]) -> None:
    """Emits to every watcher, in every web process. After the commit only.

    Rooms that nobody watches are passed over: a watcher marks a room before reading its newest number, so whoever
    comes too late for the mark to be seen here reads the number that was committed before.
    """
    try:
        for each in _watched(noted):
            item = _render(each.kind, each.subject_id, each.account_id) if each.kind else {}
            get_emitter().emit("news", {"room": each.room, "seq": each.seq, **item}, room=each.room, namespace="/")
    except (RedisError, OSError) as error:
        log.warning("news_not_told", rooms=[each.room for each in noted], error=type(error).__name__)


def tell_writing(conversation_id: int, user_id: int, *, is_writing: bool) -> None:
    """Somebody writes, or no longer does. Not numbered: who misses it hears the next one, or nothing worth knowing."""
    room, name = rooms.thread_room(conversation_id), db.session.get_one(User, user_id).name
    item = {"room": room, "writing": name if is_writing else "", "by": user_id}
    try:
        if rooms.are_watched([room])[0]:
            get_emitter().emit("writing", item, room=room, namespace="/")
    except (RedisError, OSError) as error:
        log.warning("news_not_told", rooms=[room], error=type(error).__name__)


def _watched(noted: list[Noted]) -> list[Noted]:
    told = [each for each in noted if each is not NOBODY]
    watched = rooms.are_watched([each.room for each in told])
    return [each for each, is_watched in zip(told, watched, strict=True) if is_watched]


def catch_up(account_id: int, room_kind: str, room_id: int, after: int) -> dict[str, Any]:
    """As replay, up to what is committed by now: for one who has just joined the room. Raises NotFound."""
    db.session.rollback()  # what this session has read so far stands for an earlier moment
    return replay(account_id, *rooms.newest_seq(account_id, room_kind, room_id), after)


def replay(account_id: int, room: str, newest: int, after: int) -> dict[str, Any]:
    """What happened in a room after a number: each subject once, as it stands now.

    `more` where a part of it is still to be asked for; `reload` where it is no longer known: then the list or the thread
    is to be loaded anew.
    """
    if newest == after:
        return {"room": room, "upto": newest, "items": [], "reload": False, "more": False}
    rows = db.session.execute(
        select(RoomEvent.seq, RoomEvent.kind, RoomEvent.subject_id)
        .where(RoomEvent.room == room, RoomEvent.seq > after, RoomEvent.seq <= newest)
        .order_by(RoomEvent.seq)
        .limit(MOST_EVENTS_AT_ONCE)
    ).all()
    behind = newest - after
    has_gap = [row.seq - after for row in rows] != list(range(1, min(behind, MOST_EVENTS_AT_ONCE) + 1))
    if behind > MOST_REPLAYED or has_gap:
        unread = {"unreadTotal": queries.unread_total(account_id)} if room == rooms.inbox_room(account_id) else {}
        return {"room": room, "upto": newest, "items": [], "reload": True, "more": False, **unread}
    subjects, upto = _part(rows, after)
    items = [_render(kind, subject_id, account_id) for kind, subject_id in subjects]
    return {"room": room, "upto": upto, "items": items, "reload": False, "more": upto < newest}


def _part(rows: Sequence[Any], after: int) -> tuple[list[tuple[str, int]], int]:
    """The subjects of as many events as one answer holds, and the number of the last of these events."""
    subjects, upto = dict[tuple[str, int], None](), after
    for row in rows:
        if len(subjects) == MOST_AT_ONCE and (row.kind, row.subject_id) not in subjects:
            break
        subjects[row.kind, row.subject_id] = None
        upto = row.seq
    return list(subjects), upto


_WITH_ZONE = {
    kind: select(model, Account.timezone)
    .join(Account, Account.id == model.account_id)
    .where(model.id == bindparam("subject_id"))
    .options(joinedload(model.author))
    for kind, model in THREAD_ROWS.items()
} | {
    "conversation": select(Conversation, Account.timezone)
    .join(Account, Account.id == Conversation.account_id)
    .where(Conversation.id == bindparam("subject_id"))
    .options(
        joinedload(Conversation.fan, innerjoin=True).lazyload(Fan.tag_rows),
        joinedload(Conversation.last_message),
        joinedload(Conversation.assignee),
    )
}


def _render(kind: str, subject_id: int, account_id: int) -> dict[str, Any]:
    found = db.session.execute(_WITH_ZONE[kind], {"subject_id": subject_id}).one_or_none()
    is_there = found is not None and not getattr(found[0], "is_hidden", False)
    html = _html(kind, found[0], found[1]) if found and is_there else None
    item = {"kind": kind, "id": subject_id, "html": html}
    return item if kind in THREAD_ROWS else item | {"unreadTotal": queries.unread_total(account_id)}


def _html(kind: str, row: Any, timezone: str) -> str:
    """Not by `render_template`: that would look up what a whole page needs, and a row of news uses nothing of it."""
    if kind not in THREAD_ROWS:
        return html_of_row(row_of(row), timezone)
    template = current_app.jinja_env.get_template(f"conversations/_{kind}.html")
    return template.render({kind: row, "timezone": timezone})
