"""What a browser may ask for over its socket: to watch a room, from a number on."""

import threading
import time
from itertools import count
from typing import Any, cast

import structlog
from flask import Flask, current_app, g, request
from flask_login import current_user
from flask_socketio import join_room, leave_room
from flask_socketio import rooms as joined_by_this_socket
from redis import RedisError
from socketio.exceptions import ConnectionRefusedError
from sqlalchemy.exc import SQLAlchemyError

from app import measured
from app.accounts import sessions
from app.accounts.guard import enter, may_do
from app.accounts.roles import Right
from app.conversations import live, rooms
from app.database import db
from app.errors import NotFound
from app.extensions import get_emitter, socketio
from app.telling import Teller

log = structlog.get_logger()
MARK_EVERY_SECONDS = 1
LOOK_EVERY = 5  # marks
_open: dict[str, tuple[int, int]] = {}  # the session and the account that each socket was let in by
_lock = threading.Lock()
_keeper: threading.Thread | None = None


@socketio.on("connect")
def connect(_auth: Any = None) -> None:
    if not _may_hear():
        raise ConnectionRefusedError("signed out")
    with _lock:
        # Each socket holds a thread of this process; the page itself must still be served.
        if len(_open) >= current_app.config["MOST_SOCKETS"]:
            raise ConnectionRefusedError("busy")
        _open[request.sid] = (g.open_session.sign_in.id, g.membership.account_id)  # type: ignore[attr-defined]
        measured.sockets.set(len(_open))
        _start_keeper(current_app._get_current_object(), get_emitter())  # type: ignore[attr-defined]


@socketio.on("disconnect")
def disconnect(_reason: Any = None) -> None:
    with _lock:
        _open.pop(request.sid, None)  # type: ignore[attr-defined]
        measured.sockets.set(len(_open))


@socketio.on("watch")
def watch(wish: Any = None) -> dict[str, Any]:
    """{"kind": "thread"|"inbox", "id": conversation id, "after": number} → what is newer, and the fan's version. Also asked
    again by a watcher who wants to be sure: joining twice does no harm."""
    if not _may_hear():
        return {"error": "signed out"}
    try:
        kind, room_id, after = _read(wish)
        _join(kind, room_id)
        # The number is read after joining: what comes later is emitted into the room.
        answer = live.catch_up(g.membership.account_id, kind, room_id, after)
        return answer | {"fan": rooms.fans_of([answer["room"]]).get(answer["room"])}
    except (NotFound, KeyError, TypeError, ValueError, OverflowError):
        return {"error": "no such room"}


@socketio.on("leave")
def leave(wish: Any = None) -> None:
    """{"kind": "thread"|"inbox", "id": conversation id}: no more of it."""
    if not _may_hear():
        return
    try:
        kind, room_id, _ = _read(wish | {"after": 0})
        room, _ = rooms.newest_seq(g.membership.account_id, kind, room_id)
        leave_room(room)
    except (NotFound, KeyError, TypeError, ValueError, OverflowError):
        return


def _may_hear() -> bool:
    """The same right as the inbox's page."""
    is_in = current_user.is_authenticated and enter()
    return bool(is_in) and may_do(Right.SEE_INBOX)


def _join(kind: str, room_id: int) -> None:
    """Unless they are in it: who asks again to be sure costs no more than the question. Raises NotFound."""
    room = rooms.room_named(g.membership.account_id, kind, room_id)
    if room not in joined_by_this_socket():
        rooms.newest_seq(g.membership.account_id, kind, room_id)
        cast("Teller", get_emitter()).begin(room)
        join_room(room)
        _mark(room)


def _mark(room: str) -> None:
    try:
        rooms.mark_watched([room])
    except RedisError as error:
        log.warning("watcher_not_marked", room=room, error=type(error).__name__)


def _read(wish: Any) -> tuple[str, int, int]:
    kind, room_id, after = wish["kind"], int(wish.get("id") or 0), int(wish["after"])
    if kind not in ("thread", "inbox") or not (0 <= room_id < 2**63 and 0 <= after < 2**31):
        raise ValueError
    return kind, room_id, after


def _start_keeper(app: Flask, teller: Teller) -> None:
    """With the first socket, so that it lives in the process that serves them and not in the one it was forked from."""
    global _keeper
    if _keeper is None:
        _keeper = threading.Thread(target=_keep_marked, args=(app, teller), daemon=True, name="watched rooms")
        _keeper.start()


def _keep_marked(app: Flask, teller: Teller) -> None:
    """Looks after the rooms that sockets of this process are in, as long as it runs."""
    numbers, fans = dict[str, int](), dict[str, str]()
    with app.app_context():
        for round_ in count(1):
            time.sleep(MARK_EVERY_SECONDS)
            try:
                if numbers:
                    _tell_of_the_lost(teller, numbers)
                is_time = round_ % LOOK_EVERY == 0
                numbers = _look_around(teller) if is_time else {}
                fans = _tell_of_fans(teller, fans) if is_time else fans
                _mark_all(teller)
            except (RedisError, SQLAlchemyError) as error:
                log.warning("watchers_not_marked", error=type(error).__name__)
                db.session.rollback()


def _tell_of_the_lost(teller: Teller, numbers: dict[str, int]) -> None:
    """That a room is further than was told here: its watchers ask. The numbers are a second old, so what is on its way is
    not taken for lost."""
    for room, seq in numbers.items():
        if seq > teller.reached.get(room, -1):
            teller.reached[room] = seq
            teller.tell_here(room, {"room": room, "seq": seq})
    for room in teller.reached.keys() - numbers.keys():  # nobody here watches them any more
        teller.reached.pop(room, None)


def _look_around(teller: Teller) -> dict[str, int]:
    """Sends away who may hear no longer; how far the rooms are by now."""
    _close_those_who_left()
    joined = _joined_rooms(teller)
    return rooms.newest_of(joined) if joined else {}


def _tell_of_fans(teller: Teller, told: dict[str, str]) -> dict[str, str]:
    """That something is known of a fan that was not, by whomever: who shows it beside the thread asks."""
    fans = rooms.fans_of(_joined_rooms(teller))
    for room, version in fans.items():
        if told.get(room) != version:
            item = {"room": room, "version": version}
            teller.emit("fan", item, namespace="/", room=room, ignore_queue=True)
    return fans


def _mark_all(teller: Teller) -> None:
    """Where a Redis that was emptied had forgotten a room, its watchers are told to ask: news of that time was not told."""
    for room in rooms.mark_watched(_joined_rooms(teller)):
        socketio.emit("news", {"room": room}, to=room)


def _close_those_who_left() -> None:
    """Who signed out, was deactivated or may no longer see the inbox would hear on in the rooms they are in."""
    with _lock:
        let_in = dict(_open)
    still = sessions.may_still(Right.SEE_INBOX, {sign_in_id for sign_in_id, _ in let_in.values()}) if let_in else set()
    for sid, by in let_in.items():
        if by not in still:
            cast("Any", socketio).server.disconnect(sid)


def _joined_rooms(teller: Teller) -> list[str]:
    joined = list(teller.rooms.get("/", {}))
    return [room for room in joined if isinstance(room, str) and ":" in room]
