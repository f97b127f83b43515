"""Which sending process this is: so that it can be told what one that died had in flight."""

import os
import socket
from datetime import timedelta

from flask import current_app
from sqlalchemy import func, select, update

from app.conversations.models import Sender
from app.database import db, utcnow, write

ALIVE = timedelta(seconds=20)  # it says so every two seconds


def beat() -> None:
    """This process lives. The first time it gets its number, which its attempts carry from then on."""
    if current_id() is None:
        _register()
    else:
        _note({"seen_at": utcnow()})


def current_id() -> int | None:
    """None in a process that never said that it lives."""
    return current_app.extensions.get("greenroom_sender")


def place_on_this_host() -> int | None:
    """How many living senders of this host are older: 0 for the first one. None where this one is not known yet."""
    if current_id() is None:
        return None
    is_alive = Sender.stopped_at.is_(None) & (Sender.seen_at > utcnow() - ALIVE)
    older = is_alive & (Sender.host == socket.gethostname()) & (Sender.id < current_id())
    place = db.session.scalar(select(func.count()).where(older))
    db.session.commit()
    return place


def stopped() -> None:
    """In order: it left nothing in flight."""
    if current_id() is not None:
        _note({"seen_at": utcnow(), "stopped_at": utcnow()})


def _register() -> None:
    with write() as session:
        sender = Sender(host=socket.gethostname(), pid=os.getpid())
        session.add(sender)
        session.flush()
        sender_id = sender.id
    current_app.extensions["greenroom_sender"] = sender_id


def _note(values: dict) -> None:
    with write() as session:
        session.execute(update(Sender).where(Sender.id == current_id()).values(**values))
