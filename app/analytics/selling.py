"""Who sold what a fan paid for: by three rules, none of which is the truth. Each gives every payment to one person or leaves it
unattributed, so that each adds up to the revenue. What a person said of a payment stands above all of them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, case, select

from app.accounts.models import User
from app.analytics import counted
from app.analytics.periods import Period
from app.conversations.desk_models import Assignment
from app.conversations.models import Conversation, Message
from app.database import db
from app.money.models import Attribution, Transaction

UNATTRIBUTED = "Unattributed"  # what no rule and no person gives to anybody


@dataclass(frozen=True)
class Rule:
    name: str  # in the address of its rows
    title: str
    meaning: str
    person: Any  # the id of a transaction's person, or null


def _sender() -> Any:
    return (
        select(Message.author_id).where(Message.id == Transaction.message_id).correlate(Transaction).scalar_subquery()
    )


def _thread(what: Any) -> Any:
    return (
        select(what)
        .where(Conversation.account_id == Transaction.account_id, Conversation.fan_id == Transaction.fan_id)
        .correlate(Transaction)
        .scalar_subquery()
    )


def _last_writer() -> Any:
    return (
        select(Message.author_id)
        .where(
            Message.conversation_id == _thread(Conversation.id),
            Message.created_at <= Transaction.at,
            Message.sent_at.is_not(None),
            counted.BY_HAND,
        )
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(1)
        .correlate(Transaction)
        .scalar_subquery()
    )


def _assigned() -> Any:
    return (
        select(Assignment.assignee_id)
        .where(Assignment.conversation_id == _thread(Conversation.id), Assignment.at <= Transaction.at)
        .order_by(Assignment.at.desc(), Assignment.id.desc())
        .limit(1)
        .correlate(Transaction)
        .scalar_subquery()
    )


def _said(what: Any) -> Any:
    """Of the last that was said of it."""
    said = select(what).where(Attribution.transaction_id == Transaction.id).order_by(Attribution.id.desc()).limit(1)
    return said.correlate(Transaction).scalar_subquery()


RULES = (
    Rule(
        "sentBy", "Sent what was bought", "The author of the message that was paid for, also a campaign's.", _sender()
    ),
    Rule(
        "lastWriter",
        "Wrote last",
        "Whoever wrote to the fan last before the payment; campaigns left out.",
        _last_writer(),
    ),
    Rule(
        "assignee",
        "Was assigned",
        "Whom the conversation was assigned to when it was paid; nobody before the first time that is known.",
        _assigned(),
    ),
)


def person_by(rule: Rule) -> Any:
    """The id of who sold a transaction, or null."""
    return case((_said(Attribution.is_by_hand), _said(Attribution.seller_id)), else_=rule.person)


def people_by_rule(transaction: Transaction) -> dict[str, User | None]:
    """By the rule's name, whatever people said."""
    rows = select(*[rule.person.label(rule.name) for rule in RULES]).where(Transaction.id == transaction.id)
    ids = db.session.execute(rows).one()._asdict()
    people = {each.id: each for each in db.session.scalars(select(User).where(User.id.in_(set(ids.values()) - {None})))}
    return {name: people.get(person_id) for name, person_id in ids.items()}


def sellers_of(transaction_ids: list[int]) -> dict[int, list[str]]:
    """Of each payment their names, one by each of RULES, what people said above them."""
    people = [person_by(rule).label(rule.name) for rule in RULES]
    rows = db.session.execute(select(Transaction.id, *people).where(Transaction.id.in_(transaction_ids))).all()
    ids = {person for _, *found in rows for person in found if person is not None}
    names = dict(db.session.execute(select(User.id, User.name).where(User.id.in_(ids))).all())
    return {paid: [names.get(person, UNATTRIBUTED) for person in found] for paid, *found in rows}


@dataclass(frozen=True)
class Seller:
    person: User | None
    cents: dict[str, int]  # by the rule's name


def sellers(account_id: int, period: Period) -> list[Seller]:
    """Who sold anything by any rule, the most first; then what is nobody's."""
    by_rule = {rule.name: _revenue_by(rule, account_id, period) for rule in RULES}
    ids = {person for cents in by_rule.values() for person in cents}
    people = {each.id: each for each in db.session.scalars(select(User).where(User.id.in_(ids - {None})))}
    found = [
        Seller(people.get(person or 0), {name: cents[person] for name, cents in by_rule.items() if person in cents})
        for person in ids
    ]
    return sorted(found, key=lambda each: (each.person is None, -max(each.cents.values()), _name(each)))


def _revenue_by(rule: Rule, account_id: int, period: Period) -> dict[int | None, int]:
    each = (
        select(person_by(rule).label("person"), Transaction.gross_cents)
        .where(counted.moved(account_id, period))
        .subquery()
    )
    sums = select(each.c.person, counted.total(each.c.gross_cents)).group_by(each.c.person)
    return {person: int(cents) for person, cents in db.session.execute(sums)}


def _name(seller: Seller) -> str:
    return seller.person.name if seller.person else ""


def sold_by(rule: Rule, person_id: int) -> ColumnElement[bool]:
    """Of transactions. 0: nobody's."""
    person = person_by(rule)
    return person == person_id if person_id else person.is_(None)
