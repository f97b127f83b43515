"""What a browser may ask for over its socket: to watch a room, from a number on."""

import threading
from typing import Any

from flask import current_app, g, request, session
from flask_login import current_user
from flask_socketio import join_room
from socketio.exceptions import ConnectionRefusedError

from app.accounts.guard import enter, person
from app.conversations import live
from app.errors import NotFound
from app.extensions import socketio

_open: set[str] = set()
_lock = threading.Lock()


@socketio.on("connect")
def connect(_auth: Any = None) -> None:
    if not current_user.is_authenticated or not enter(person, session.get("account_id")):
        raise ConnectionRefusedError("signed out")
    with _lock:
        # Each socket holds a thread of this process; the page itself must still be served.
        if len(_open) >= current_app.config.get("MOST_SOCKETS", 200):
            raise ConnectionRefusedError("busy")
        _open.add(request.sid)  # type: ignore[attr-defined]


@socketio.on("disconnect")
def disconnect(_reason: Any = None) -> None:
    with _lock:
        _open.discard(request.sid)  # type: ignore[attr-defined]


@socketio.on("watch")
def watch(wish: Any = None) -> dict[str, Any]:
    """{"kind": "thread"|"inbox", "id": conversation id, "after": number} → what is newer. Also asked again and again
    by a watcher who wants to be sure: joining twice does no harm."""
    if not current_user.is_authenticated or not enter(person, session.get("account_id")):
        return {"error": "signed out"}
    try:
        kind, room_id, after = _read(wish)
        room, _ = live.newest_seq(g.membership.account_id, kind, room_id)
        join_room(room)
        live.mark_watched(room)
        # The number is read after joining: what comes later is emitted into the room.
        _, newest = live.newest_seq(g.membership.account_id, kind, room_id)
        return live.replay(g.membership.account_id, room, newest, after)
    except (NotFound, KeyError, TypeError, ValueError):
        return {"error": "no such room"}


def _read(wish: Any) -> tuple[str, int, int]:
    kind, room_id, after = wish["kind"], int(wish.get("id") or 0), int(wish["after"])
    if kind not in ("thread", "inbox") or not (0 <= room_id < 2**63 and 0 <= after < 2**31):
        raise ValueError
    return kind, room_id, after


def open_sockets() -> int:
    return len(_open)
