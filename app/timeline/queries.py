from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import joinedload

from app.campaigns.ledger import LedgerLine, ledger_lines
from app.campaigns.models import Campaign, Recipient
from app.conversations.desk_models import Note
from app.conversations.models import Conversation, Message
from app.database import db
from app.fans.models import Fan
from app.money import queries as money
from app.money.models import Transaction
from app.paging import Order, Page, cut_page, in_order, past

KINDS = {"money": "Money", "campaigns": "Campaigns", "offers": "Paid messages", "notes": "Notes"}


@dataclass(frozen=True)
class Happening:
    kind: str
    at: datetime
    what: Any  # a Payment, a Part, a Message or a Note


@dataclass(frozen=True)
class Payment:
    made: Transaction
    conversation_id: int | None  # where the message stands that it was for, if it is known

    @property
    def label(self) -> str:
        return money.label_of_one(self.made.kind)


@dataclass(frozen=True)
class Part:
    """A fan's part in a campaign, and why they had it or not."""

    campaign: Campaign
    line: LedgerLine


def happenings(fan: Fan, kind: str = "", *, limit: int, cursor: str | None = None) -> Page:
    """Of a fan, the newest first; of one kind, or of all. Raises Invalid for a cursor that this list did not give."""
    wanted = [_times(fan)[kind]] if kind in KINDS else _times(fan).values()
    line = union_all(*wanted).subquery("line")
    order = Order("-at", line.c.at, line.c.place, descending=True)
    rows = in_order(select(line.c.at), order)
    if cursor:
        rows = rows.where(past(order, cursor))
    found = db.session.execute(rows.limit(limit + 1)).all()
    page = cut_page(found, order, limit)
    return replace(page, rows=_read(fan, [(row.at, row.sort_id) for row in found[:limit]]))


def _times(fan: Fan) -> dict[str, Select[Any]]:
    """When and what, for each kind. Its place is the row's id, times the number of kinds, plus the kind's own number: one
    order over all of them."""

    def each(kind: str, at: Any, row_id: Any) -> Select[Any]:
        return select(at.label("at"), (row_id * len(KINDS) + list(KINDS).index(kind)).label("place"))

    def theirs(model: Any) -> Any:
        return (model.account_id == fan.account_id) & (model.fan_id == fan.id)

    offers = (Message.direction == "out") & (Message.price_cents > 0) & Message.campaign_id.is_(None)
    threads = select(Conversation.id).where(theirs(Conversation))
    return {
        "money": each("money", Transaction.at, Transaction.id).where(theirs(Transaction)),
        "campaigns": each("campaigns", Recipient.created_at, Recipient.id).where(theirs(Recipient)),
        "offers": each("offers", Message.created_at, Message.id).where(theirs(Message), offers),
        "notes": each("notes", Note.created_at, Note.id).where(
            Note.conversation_id.in_(threads), Note.deleted_at.is_(None)
        ),
    }


def _read(fan: Fan, found: list[tuple[datetime, int]]) -> list[Happening]:
    """One look-up for each kind, whatever their number."""
    places = [(at, list(KINDS)[place % len(KINDS)], place // len(KINDS)) for at, place in found]
    ids: dict[str, list[int]] = defaultdict(list)
    for _, kind, row_id in places:
        ids[kind].append(row_id)
    rows = {kind: _READERS[kind](wanted) for kind, wanted in ids.items()}
    return [Happening(kind, at, rows[kind][row_id]) for at, kind, row_id in places if row_id in rows[kind]]


def _payments(ids: list[int]) -> dict[int, Payment]:
    rows = select(Transaction, Message.conversation_id).outerjoin(Message, Message.id == Transaction.message_id)
    found = db.session.execute(rows.where(Transaction.id.in_(ids)))
    return {made.id: Payment(made, conversation_id) for made, conversation_id in found}


def _parts(ids: list[int]) -> dict[int, Part]:
    recipients = list(db.session.scalars(select(Recipient).where(Recipient.id.in_(ids))))
    found = select(Campaign).where(Campaign.id.in_({each.campaign_id for each in recipients}))
    by_id = {campaign.id: campaign for campaign in db.session.scalars(found)}
    lines = ledger_lines(recipients)
    return {each.id: Part(by_id[each.campaign_id], line) for each, line in zip(recipients, lines, strict=True)}


def _by_id(rows: Select[Any], row_id: Any) -> Any:
    return lambda ids: {row.id: row for row in db.session.scalars(rows.where(row_id.in_(ids)))}


_READERS = {
    "money": _payments,
    "campaigns": _parts,
    "offers": _by_id(select(Message).options(joinedload(Message.author)), Message.id),
    "notes": _by_id(select(Note).options(joinedload(Note.author)), Note.id),
}
