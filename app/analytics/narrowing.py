"""What rows can be narrowed to, beyond a figure: a kind, a fan, a campaign, a person."""

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import ColumnElement, and_, select

from app.analytics import counted, selling
from app.conversations.models import Message
from app.database import LARGEST_ID
from app.errors import Invalid
from app.money.models import Transaction

NARROWED: dict[str, dict[str, Callable[[Any], ColumnElement[bool]]]] = {
    "kind": {"transactions": lambda kind: Transaction.kind == kind},
    "fan": {
        "transactions": lambda fan_id: Transaction.fan_id == fan_id,
        "messages": lambda fan_id: Message.fan_id == fan_id,
    },
    "campaign": {
        "transactions": lambda campaign_id: Transaction.message_id.in_(
            select(Message.id).where(Message.campaign_id == campaign_id)
        ),
        "messages": lambda campaign_id: Message.campaign_id == campaign_id,
    },
    "author": {
        "transactions": lambda author_id: Transaction.message_id.in_(select(Message.id).where(_by(author_id))),
        "messages": lambda author_id: _by(author_id),
    },
}

NARROWED |= {
    rule.name: {"transactions": lambda person_id, rule=rule: selling.sold_by(rule, person_id)} for rule in selling.RULES
}


def _by(author_id: int) -> ColumnElement[bool]:
    """By hand. 0: by nobody of ours, on the platform itself."""
    return and_(counted.BY_HAND, Message.author_id == author_id if author_id else Message.author_id.is_(None))


def read_narrowed(report: str, said: Callable[[str], str | None]) -> Iterable[tuple[str, Any]]:
    """Raises Invalid, naming the field."""
    for name, reports in NARROWED.items():
        text = said(name)
        if not text:
            continue
        if report not in reports:
            raise Invalid((name, f"does not narrow {report}."))
        yield name, text if name == "kind" else _id(name, text)


def _id(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:20]) <= LARGEST_ID):
        raise Invalid((name, "must be an id."))
    return int(text)
