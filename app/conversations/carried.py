"""What of the account's media a fan has got, and what they bought."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, literal, or_, select

from app.conversations.models import Message, MessageMedium, MessageStatus
from app.database import db, execute, insert, table_of
from app.media.actions import OWN, VAULT, Attachment

NEVER_CAME = (MessageStatus.FAILED, MessageStatus.CANCELLED)
_rows = table_of(MessageMedium)


def note_media(attachments: Sequence[Attachment], messages: Any) -> None:
    """For the new messages that the condition names, which all carry these attachments. Does not commit."""
    for medium, is_preview in carried_in(attachments).items():
        carrying = select(
            Message.id, literal(medium), Message.account_id, Message.fan_id, literal(is_preview)
        ).where(messages, Message.fan_id.is_not(None))  # fmt: skip
        names = ["message_id", "medium", "account_id", "fan_id", "is_preview"]
        execute(insert(_rows).from_select(names, carrying))


def carried_in(attachments: Sequence[Attachment]) -> dict[str, bool]:
    """Each medium, and whether it is shown before the message is bought."""
    found: dict[str, bool] = {}
    for each in attachments:
        if OWN.fullmatch(each["url"]) or VAULT.fullmatch(each["url"]):
            found[each["url"]] = found.get(each["url"], False) or bool(each.get("preview"))
    return found


@dataclass(frozen=True)
class Got:
    """What a fan knows of a medium."""

    at: datetime  # of the newest message that carried it
    bought_cents: int | None  # what they paid for the message it was in; None where they bought none
    was_open: bool  # it came free, or as a free preview


def got_by(account_id: int, fan_id: int, media: Iterable[str]) -> dict[str, Got]:
    """By medium, of those that went out to the fan or are on their way."""
    is_open = or_(Message.price_cents == 0, MessageMedium.is_preview)
    rows = (
        select(
            MessageMedium.medium,
            func.max(Message.created_at).label("at"),
            func.max(case((Message.purchased, Message.price_cents))).label("bought_cents"),
            func.max(case((is_open, 1), else_=0)).label("was_open"),
        )
        .join(Message, Message.id == MessageMedium.message_id)
        .where(
            MessageMedium.account_id == account_id,
            MessageMedium.fan_id == fan_id,
            MessageMedium.medium.in_(list(media)),
            Message.status.not_in(NEVER_CAME),
        )
        .group_by(MessageMedium.medium)
    )
    return {row.medium: Got(row.at, row.bought_cents, bool(row.was_open)) for row in db.session.execute(rows)}
