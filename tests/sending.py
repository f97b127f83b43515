"""The outbox as tests drive it, in their own process."""

from apiflask import APIFlask
from sqlalchemy import select

from app.conversations import outbox
from app.conversations.models import Message
from app.database import db


def drain(app: APIFlask) -> None:
    with app.app_context():
        outbox.drain()


def statuses(app: APIFlask) -> list[str]:
    """Of all messages, the oldest first."""
    with app.app_context():
        return list(db.session.scalars(select(Message.status).order_by(Message.id)))
