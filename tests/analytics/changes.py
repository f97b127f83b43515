"""What may happen to rows that were counted already, by the words of the database alone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from app.campaigns.models import Campaign
from app.conversations.models import Conversation, Message
from app.database import db, write
from app.fans.models import Fan
from app.money.models import Transaction
from tests.analytics.books import Books, messages, moments, new_message, new_transaction, transactions
from tests.people import Person


def noon_of(books: Books) -> datetime:
    day = books.first + timedelta(days=1)
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def change(person: Person, books: Books, number: int, drawn: dict[str, Any]) -> None:
    """One, of the row at that place; nothing where there is no such row."""
    with person.app.app_context(), write() as session:
        session.expire_on_commit = False
        VERBS[drawn["what"]](session, person, books, number, drawn, noon_of(books) + drawn["at"])


def row_of(session, person: Person, model: Any, place: int) -> Any:
    found = list(session.scalars(select(model).where(model.account_id == person.account_id).order_by(model.id)))
    return found[place % len(found)] if found else None


def say(session, person, books, _number, drawn, at):
    thread = row_of(session, person, Conversation, drawn["place"])
    campaign = row_of(session, person, Campaign, 0)
    if thread and (campaign or not drawn["message"]["campaign"]):
        session.add(new_message(person, campaign, thread, at, drawn["message"]))


def unsay(session, person, _books, _number, drawn, _at):
    if message := row_of(session, person, Message, drawn["place"]):
        session.execute(delete(Message).where(Message.id == message.id))


def reword(session, person, _books, _number, drawn, _at):
    """Which is no change of a figure."""
    if message := row_of(session, person, Message, drawn["place"]):
        message.text = "Another text"


def move_message(session, person, _books, _number, drawn, at):
    if message := row_of(session, person, Message, drawn["place"]):
        message.created_at = at


def send(session, person, _books, _number, drawn, at):
    """Or learn that it did not go out."""
    message = row_of(session, person, Message, drawn["place"])
    if message and message.direction == "out":
        message.sent_at, message.status = (None, "failed") if message.sent_at else (at, "sent")


def buy(session, person, _books, _number, drawn, _at):
    message = row_of(session, person, Message, drawn["place"])
    if message and message.sent_at:
        message.price_cents, message.purchased = 700, not message.purchased


def hand_to_campaign(session, person, _books, _number, drawn, _at):
    message, campaign = row_of(session, person, Message, drawn["place"]), row_of(session, person, Campaign, 0)
    if message and campaign and message.direction == "out":
        message.campaign_id = None if message.campaign_id else campaign.id


def forget_author(session, person, _books, _number, _drawn, _at):
    """Everybody's, as where the person is deleted."""
    session.execute(update(Message).where(Message.account_id == person.account_id).values(author_id=None))


def pay(session, person, books, number, drawn, at):
    fan, message = (row_of(session, person, model, drawn["place"]) for model in (Fan, Message))
    found = Books(books.zone, books.first, books.after, [fan], [message] if message else [])
    said = drawn["transaction"] | {"fan": 0 if fan and drawn["transaction"]["fan"] is not None else None, "message": 0}
    new = new_transaction(person, found, noon_of(books), number, said)
    new.platform_transaction_id, new.at = f"later{number}", at
    session.add(new)


def take_back(session, person, _books, _number, drawn, _at):
    if payment := row_of(session, person, Transaction, drawn["place"]):
        session.execute(delete(Transaction).where(Transaction.id == payment.id))


def correct(session, person, _books, _number, drawn, _at):
    said = drawn["transaction"]
    if payment := row_of(session, person, Transaction, drawn["place"]):
        payment.kind, payment.gross_cents, payment.net_cents = said["kind"], said["gross"], said["net"]
        payment.currency = said["currency"]


def move_payment(session, person, _books, _number, drawn, at):
    if payment := row_of(session, person, Transaction, drawn["place"]):
        payment.at = at


def forget_fan(session, person, _books, _number, drawn, _at):
    if fan := row_of(session, person, Fan, drawn["place"]):
        session.execute(delete(Fan).where(Fan.id == fan.id))


def forget_campaign(session, person, _books, _number, _drawn, _at):
    session.execute(delete(Campaign).where(Campaign.account_id == person.account_id))


def read_again(person: Person, books: Books) -> Books:
    def all_of(model: type[Any]) -> list[Any]:
        return list(db.session.scalars(select(model).where(model.account_id == person.account_id)))

    with person.app.app_context():
        found = replace(books, fans=all_of(Fan), messages=all_of(Message), transactions=all_of(Transaction))
        db.session.expunge_all()
    return found


VERBS = {
    each.__name__.replace("_", " "): each
    for each in (
        say, unsay, reword, move_message, send, buy, hand_to_campaign,
        forget_author, pay, take_back, correct, move_payment, forget_fan, forget_campaign,
    )
}  # fmt: skip
changes = st.lists(
    st.fixed_dictionaries({
        "what": st.sampled_from(sorted(VERBS)), "place": st.integers(0, 30), "at": moments, "message": messages,
        "transaction": transactions,
    }),
    min_size=1, max_size=6,
)  # fmt: skip
