"""Who sold it: each rule against a plain look at the rows; whatever the rule, the sum is the revenue."""

from collections import defaultdict

from hypothesis import given, settings
from sqlalchemy import update

from app.analytics import selling
from app.analytics.periods import Period
from app.conversations.models import Conversation
from app.database import write
from app.money.models import Transaction
from tests.analytics.books import Books, business, went_out, write_books
from tests.analytics.test_figures import SOME, cents, rows_of
from tests.people import Person


def plain(books: Books, person: int, assigned: set[int]) -> dict[str, dict[int, int]]:
    """Cents by rule and person, 0 for nobody."""
    rules = {
        "sentBy": lambda paid: next((each.author_id for each in books.messages if each.id == paid.message_id), None),
        "lastWriter": lambda paid: last_writer(books, paid),
        "assignee": lambda paid: person if paid.fan_id in assigned else None,
    }
    found = {name: defaultdict(int) for name in rules}
    for paid in books.moved():
        for name, rule in rules.items():
            found[name][rule(paid) or 0] += paid.gross_cents
    return found


def last_writer(books: Books, paid: Transaction) -> int | None:
    wrote = [
        each
        for each in books.messages
        if went_out(each) and each.campaign_id is None and each.fan_id == paid.fan_id and each.created_at <= paid.at
    ]
    return max(wrote, key=lambda each: (each.created_at, each.id)).author_id if wrote else None


@settings(max_examples=15, **SOME)
@given(drawn=business, others=business)
def test_each_rule_gives_each_payment_to_one(app, ada: Person, eve: Person, drawn, others):
    books = write_books(ada, drawn)
    write_books(eve, others)
    theirs = {books.fans[0].id}
    with app.app_context():
        with write() as session:
            session.execute(update(Conversation).where(Conversation.fan_id.in_(theirs)).values(assignee_id=ada.user_id))
        found = selling.sellers(ada.account_id, Period(books.first, books.after, books.zone))
        by_rule = {rule.name: {} for rule in selling.RULES}
        for seller in found:
            for name, sold in seller.cents.items():
                by_rule[name][seller.person.id if seller.person else 0] = sold
    assert by_rule == plain(books, ada.user_id, theirs)
    revenue = sum(each.gross_cents for each in books.moved())
    assert all(sum(sold.values()) == revenue for sold in by_rule.values())
    for name, sold in by_rule.items():
        for person, amount in sold.items():
            assert cents(rows_of(ada, books, "transactions", **{name: person})) == amount
