"""Nearly every answer says that a message was sent. Those that come in while others are being written down are written
down next, all in one transaction: a sender that is busy commits once for many.

Whatever stands in the way of one of them (another sender has taken it over, the platform told of it first, two who lock
at once) is left to `recording`, which writes down each by itself.
"""

import json
import threading
from dataclasses import dataclass, field

import structlog
from flask import current_app
from sqlalchemy import BigInteger, Text, bindparam, select, update

from app import clock, measured
from app.bulk import rows_of
from app.conversations import live, recording
from app.conversations.claims import Claimed
from app.conversations.models import Doubt, Message, MessageStatus, SendAttempt
from app.database import run, table_of, utcnow, write
from app.platforms.models import Connection

log = structlog.get_logger()
MOST_AT_ONCE = 32  # in one transaction, which is to be short
SENT = {"status": MessageStatus.SENT, "status_reason": None, "doubt": Doubt.NONE, "lease_tick": None}

_attempts, _connections, _messages = map(table_of, (SendAttempt, Connection, Message))


@dataclass(frozen=True)
class Sent:
    claimed: Claimed
    platform_id: str


@dataclass
class Desk:
    """Where answers are handed in, one in each process. Who finds nobody at it writes, until nothing lies there."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _lying: list[Sent] = field(default_factory=list)
    _is_manned: bool = False

    def hand_in(self, sent: Sent) -> None:
        with self._lock:
            self._lying.append(sent)
            if self._is_manned:
                return
            self._is_manned = True
        while some := self._take():
            _write_down(some)

    def _take(self) -> list[Sent]:
        with self._lock:
            some, self._lying = self._lying[:MOST_AT_ONCE], self._lying[MOST_AT_ONCE:]
            self._is_manned = bool(some)
            return some


def record_sent(sent: Sent) -> None:
    """Written down when this returns, or soon after by another thread of this process."""
    current_app.extensions.setdefault("greenroom_desk", Desk()).hand_in(sent)


def _write_down(some: list[Sent]) -> None:
    if len(some) > 1:
        try:
            return live.tell(_write_all(some))
        except Exception as error:
            log.info("not_written_together", count=len(some), error=type(error).__name__)
    for each in some:
        values = SENT | {"platform_message_id": each.platform_id, "sent_at": utcnow()}
        try:
            recording.record(each.claimed, "sent", "", values)
        except Exception:
            # The lease brings the message back, to be settled with the platform; the others are not held up.
            log.exception("answer_not_written_down", message=each.claimed.message_id)


_of_those = bindparam("connections", expanding=True)
_HOLD = select(_connections.c.id).where(_connections.c.id.in_(_of_those))
_HOLD = _HOLD.order_by(_connections.c.id).with_for_update(key_share=True)
_ALL_WELL = recording.all_well(_connections.c.id.in_(_of_those))
_ANSWERED = (
    update(_attempts)
    .where(_attempts.c.id.in_(bindparam("attempts", expanding=True)), _attempts.c.answered_tick.is_(None))
    .values(answered_at=bindparam("at"), answered_tick=bindparam("tick"), outcome="sent", detail="")
    .returning(_attempts.c.message_id)
)


def _write_all(some: list[Sent]) -> list[live.Noted]:
    """As recording does with each. An attempt that another sender closed changes nothing."""
    with write():
        connections = {"connections": [each.claimed.connection_id for each in some]}
        run(_HOLD, connections)  # first, and in order, as everybody who writes down an answer
        run(_ALL_WELL, connections)
        closing = {"attempts": [each.claimed.attempt_id for each in some], "at": utcnow(), "tick": clock.now()}
        ours = set(run(_ANSWERED, closing).scalars())
        noted = _change([each for each in some if each.claimed.message_id in ours])
    measured.count("sends", "sent", len(ours))
    return noted


def _change(some: list[Sent]) -> list[live.Noted]:
    """Does not commit."""
    given = json.dumps([{"message_id": each.claimed.message_id, "theirs": each.platform_id} for each in some])
    of_each = rows_of(given, {"message_id": BigInteger, "theirs": Text}).c
    change = update(_messages).where(_messages.c.id == of_each.message_id, _messages.c.status == MessageStatus.SENDING)
    values = SENT | {"platform_message_id": of_each.theirs, "sent_at": utcnow(), "changed_at": utcnow()}
    return recording.news_of(run(change.values(values).returning(*recording.TOLD)).all())
