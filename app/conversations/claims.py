"""Taking the next messages for sending: which connections are due, and what the pace allows of each.

A connection's row is the lock: two senders count and claim one after the other. `due_tick` on it says when a sender
must look next, so that a thousand idle connections cost nothing; it is an alarm clock, no truth. Writers ring it
after their commit (`wake`), an answer from the platform rings it where it may free something, and the sweep finds what
a writer who died in between forgot.
"""

from dataclasses import dataclass

from flask import current_app
from sqlalchemy import bindparam, case, insert, select, update
from sqlalchemy.orm import load_only

from app import clock
from app.background import later
from app.clock import SECOND
from app.conversations import live, pace, senders, sparing, waiting
from app.conversations.models import Doubt, Message, MessageStatus, SendAttempt
from app.conversations.pace import Day, Window
from app.conversations.sparing import Found
from app.conversations.waiting import Queue
from app.database import db, execute, plain, run, table_of, utcnow, write
from app.platforms.condition import Breaker, breaker_of
from app.platforms.models import Connection, ConnectionStatus

MOST_IN_FLIGHT = 8  # calls at once on one connection: a slow platform must not use up the senders' hands
CONNECTIONS_AT_ONCE = 16  # in one transaction
BURST = SECOND // 100  # campaign messages that may leave within so short a time leave together
TOGETHER, MOMENT = 5, SECOND // 40  # so many connections within so short a time are waited for
LONGEST_SLEEP = 10 * SECOND  # a ring that got lost between a commit and its wake-up is made good within this time

_messages, _attempts = table_of(Message), table_of(SendAttempt)
_COLUMNS = (
    Connection.account_id, Connection.pace_limit, Connection.pace_window_seconds, Connection.reserve,
    Connection.daily_cap, Connection.cap_day, Connection.cap_count, Connection.due_tick, Connection.wakes_on_answer,
    Connection.held_tick, Connection.faults_in_a_row, Connection.slow_percent, Connection.slowed_tick,
)  # fmt: skip


@dataclass(frozen=True)
class Claimed:
    message_id: int
    attempt_id: int
    connection_id: int


def wake(account_id: int) -> None:
    """Something new waits: the account's connections are due now. After the commit; it commits by itself."""
    with write():
        execute(update(Connection).where(Connection.account_id == account_id).values(due_tick=0))
    later("drain")


def find_forgotten() -> None:
    """Makes due every connection that has work and no time to look."""
    asleep = (Connection.status == plain(ConnectionStatus.ACTIVE)) & Connection.due_tick.is_(None) & waiting.has_work()
    forgotten = list(db.session.scalars(select(Connection.id).where(asleep)))
    if forgotten:
        with write():
            execute(update(Connection).where(Connection.id.in_(forgotten), asleep).values(due_tick=0))


_NEXT_DUE = (
    select(Connection.due_tick)
    .where(Connection.status == plain(ConnectionStatus.ACTIVE), Connection.due_tick.is_not(None))
    .order_by(Connection.due_tick)
    .limit(TOGETHER)
)


def next_due() -> int | None:
    """The tick at which to look at the next connection. None where nothing waits.

    Where several come due within a moment they are looked at together, in one transaction.
    """
    found = list(run(_NEXT_DUE).scalars())
    db.session.commit()
    if len(found) == TOGETHER and found[-1] - found[0] <= MOMENT:
        return found[-1]
    return found[0] if found else None


def claim_due(most: int) -> tuple[list[Claimed], int]:
    """Takes the next messages of the connections that are due. Returns the claims, and how many connections it looked at.

    most: messages. Connections that another sender looks at in this moment are left to it.
    """
    with write() as session:
        now = clock.now()
        rows = (
            select(Connection)
            .options(load_only(*_COLUMNS))
            .where(Connection.status == plain(ConnectionStatus.ACTIVE), Connection.due_tick <= now)
            .order_by(Connection.due_tick)
            .limit(min(most, CONNECTIONS_AT_ONCE))
            .with_for_update(skip_locked=True, key_share=True)
        )
        connections = session.scalars(rows).all()
        news: list[live.Noted] = []
        chosen, looked_at = list[int](), 0
        while looked_at < len(connections) and len(chosen) < most:  # the others stay due
            chosen += _choose(connections[looked_at], now, most - len(chosen), news)
            looked_at += 1
        claimed = _take(chosen, now, news) if chosen else []
    live.tell(news)
    return claimed, looked_at


def _choose(connection: Connection, now: int, most: int, news: list[live.Noted]) -> list[int]:
    """Messages of this connection, or when to look again; what there is to tell is added to the news. Does not commit."""
    if connection.held_tick and connection.held_tick > now:
        return _look_again(connection, now, connection.held_tick)
    day = pace.day_of(connection)
    if day and day.left == 0:
        return _look_again(connection, now, day.ends)
    window = pace.window_of(connection, now)
    is_full = window.free < 1 or window.in_flight >= _most_in_flight(connection, now)
    if is_full and window.in_flight and _close_lost_attempts(connection.id, now):
        window = pace.window_of(connection, now)
    room = _most_in_flight(connection, now) - window.in_flight
    if room < 1:
        return _look_again(connection, now, None, on_answer=True)
    if window.free < 1:
        return _look_again(connection, now, window.next_free, on_answer=window.in_flight > 0)
    return _choose_next(connection, now, window, day, min(most, room, window.free), news)


def _most_in_flight(connection: Connection, now: int) -> int:
    return MOST_IN_FLIGHT if breaker_of(connection, now) == Breaker.CLOSED else 1


def _choose_next(
    connection: Connection, now: int, window: Window, day: Day | None, most: int, news: list[live.Noted]
) -> list[int]:
    most = min(most, day.left) if day else most
    queue = waiting.look(connection.id, now)
    chosen, of_campaigns = _first_in_line(connection.id, now, queue, most), None
    if not chosen and window.campaign_due <= now:
        burst = max(BURST // pace.pace_of(connection, now).campaign_spacing, 1)
        of_campaigns = sparing.next_of_campaigns(connection.id, now, min(most, burst))
        news += of_campaigns.news
        chosen = of_campaigns.message_ids
    if not chosen:
        due = _next_moment(connection.id, now, window, queue, of_campaigns)
        return _look_again(connection, now, due, on_answer=window.in_flight > 0)
    if day:
        connection.cap_day, connection.cap_count = day.name, day.sent + len(chosen)
    due = _after(connection, now, queue, len(chosen)) if of_campaigns else now
    is_full = window.in_flight + len(chosen) >= _most_in_flight(connection, now)
    on_answer = is_full or queue.replies_kept_back or window.free == len(chosen)
    _look_again(connection, now, None if is_full else due, on_answer=on_answer)
    return chosen


def _first_in_line(connection_id: int, now: int, queue: Queue, most: int) -> list[int]:
    """What goes before all campaigns: what may have got lost, else replies."""
    if queue.lost:
        return [queue.lost]
    if queue.reply and most > 1:
        return waiting.next_replies(connection_id, now, most)
    return [queue.reply] if queue.reply else []


def _next_moment(connection_id: int, now: int, window: Window, queue: Queue, of_campaigns: Found | None) -> int | None:
    """When something may go that may not now."""
    if of_campaigns:
        return now if of_campaigns.is_more else _earliest([queue.next_retry, queue.next_lease])
    is_held = waiting.next_of_campaigns(connection_id, now) is not None
    return _earliest([queue.next_retry, queue.next_lease, window.campaign_due if is_held else None])


def _after(connection: Connection, now: int, queue: Queue, count: int) -> int | None:
    """When to look again behind so many messages of a campaign: no reply waits, so it is the next one's turn."""
    then = now + count * pace.pace_of(connection, now).campaign_spacing
    return _earliest([then, queue.next_retry, queue.next_lease, now + _lease()])


def _look_again(connection: Connection, now: int, due: int | None, *, on_answer: bool = False) -> list[int]:
    """Nothing is chosen."""
    if due is None and on_answer:
        due = now + LONGEST_SLEEP
    connection.due_tick = None if due is None else min(due, now + LONGEST_SLEEP)
    connection.wakes_on_answer = on_answer
    return []


def _earliest(ticks: list[int | None]) -> int | None:
    return min((tick for tick in ticks if tick is not None), default=None)


_was_lost = _messages.c.status == MessageStatus.SENDING
_MARK = (
    update(_messages)
    .where(
        _messages.c.id.in_(bindparam("messages", expanding=True)),
        _messages.c.status.in_((plain(MessageStatus.QUEUED), plain(MessageStatus.SENDING))),
    )
    .values(
        doubt=case((_was_lost & (_messages.c.doubt == ""), Doubt.NO_ANSWER), else_=_messages.c.doubt),
        status=MessageStatus.SENDING,
        lease_tick=bindparam("lease"),
        tries=_messages.c.tries + 1,
        changed_at=bindparam("wall"),
    )
    .returning(
        _messages.c.id, _messages.c.account_id, _messages.c.connection_id, _messages.c.conversation_id,
        _messages.c.campaign_id, _messages.c.tries,
    )
)  # fmt: skip
_close = update(_attempts).values(
    answered_at=bindparam("wall"),
    answered_tick=bindparam("now"),
    outcome="lost",
    detail="The sender stopped before it wrote down an answer.",
)
_CLOSE_OF_MESSAGES = _close.where(
    _attempts.c.message_id.in_(bindparam("messages", expanding=True)), _attempts.c.answered_tick.is_(None)
)
_BEGIN = insert(_attempts).returning(_attempts.c.id, _attempts.c.message_id)
_LOST = select(_messages.c.id).where(
    _messages.c.connection_id == bindparam("of_connection"),
    _messages.c.status == plain(MessageStatus.SENDING),
    _messages.c.lease_tick <= bindparam("now"),
)
_CLOSE_LOST = _close.where(
    _attempts.c.connection_id == bindparam("of_connection"),
    _attempts.c.answered_tick.is_(None),
    _attempts.c.message_id.in_(_LOST),
)


def _close_lost_attempts(connection_id: int, now: int) -> int:
    """Of senders that died: their calls are over, and must not fill the window for ever. Returns how many."""
    return run(_CLOSE_LOST, {"of_connection": connection_id, "now": now, "wall": utcnow()}).rowcount


def _take(chosen: list[int], now: int, news: list[live.Noted]) -> list[Claimed]:
    """Marks before the calls; what was cancelled or erased since it was chosen is left alone. A message that was in flight
    under another lease is now in doubt."""
    wall = utcnow()
    marked = {row.id: row for row in run(_MARK, {"messages": chosen, "lease": now + _lease(), "wall": wall})}
    messages = [marked[message_id] for message_id in chosen if message_id in marked]
    if not messages:
        return []
    if again := [each.id for each in messages if each.tries > 1]:
        run(_CLOSE_OF_MESSAGES, {"messages": again, "now": now, "wall": wall})
    attempts = [
        {
            "account_id": each.account_id,
            "connection_id": each.connection_id,
            "message_id": each.id,
            "of_campaign": each.campaign_id is not None,
            "started_at": wall,
            "started_tick": now,
            "sender_id": senders.current_id(),
            "detail": "",
        }
        for each in messages
    ]
    attempt_of = {row.message_id: row.id for row in run(_BEGIN, attempts)}
    news += live.note_in_threads((each.account_id, each.conversation_id, each.id) for each in messages)
    return [Claimed(each.id, attempt_of[each.id], each.connection_id) for each in messages]


def _lease() -> int:
    return current_app.config["SEND_LEASE_SECONDS"] * SECOND
