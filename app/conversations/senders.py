"""Which sending process this is: so that it can be told what one that died had in flight."""

import os
import socket

from flask import current_app
from sqlalchemy import update

from app.conversations.models import Sender
from app.database import utcnow, write


def register() -> None:
    """Begins this process's run. Its attempts carry its number from now on."""
    with write() as session:
        sender = Sender(host=socket.gethostname(), pid=os.getpid())
        session.add(sender)
        session.flush()
        current_app.extensions["greenroom_sender"] = sender.id


def current_id() -> int | None:
    """None in a process that never registered."""
    return current_app.extensions.get("greenroom_sender")


def beat() -> None:
    _note({"seen_at": utcnow()})


def stopped() -> None:
    _note({"seen_at": utcnow(), "stopped_at": utcnow()})


def _note(values: dict) -> None:
    if current_id() is not None:
        with write() as session:
            session.execute(update(Sender).where(Sender.id == current_id()).values(**values))
