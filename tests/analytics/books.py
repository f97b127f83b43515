"""A business of random rows, and its figures by plain sums over them: no SQL, nothing of app/analytics."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from sqlalchemy import delete

from app.campaigns.models import Campaign
from app.conversations.models import Conversation, Message
from app.database import write
from app.fans.models import Fan
from app.money.models import Transaction
from tests.people import Person

WENT_OUT = ("sent", "delivered", "read")
FANS = 4
CHANGES = (
    ("Europe/Paris", date(2026, 3, 29)), ("Europe/Paris", date(2025, 10, 26)),
    ("America/New_York", date(2026, 3, 8)), ("America/New_York", date(2025, 11, 2)),
    ("Australia/Lord_Howe", date(2026, 4, 5)), ("Australia/Lord_Howe", date(2025, 10, 5)),
)  # fmt: skip

moments = st.builds(
    lambda quarters, seconds: timedelta(minutes=15 * quarters, seconds=seconds),
    st.integers(-96 * 3, 96 * 4), st.sampled_from((-1, 0, 0, 1, 437)),
)  # fmt: skip
fans = st.integers(0, FANS - 1)
messages = st.fixed_dictionaries({
    "fan": fans,
    "direction": st.sampled_from(("in", "in", "out")),
    "at": moments,
    "delay": st.sampled_from((0, 1, 59, 7200, 100_000)),
    "status": st.sampled_from((*WENT_OUT, "sent", "failed", "queued", "cancelled")),
    "campaign": st.sampled_from((False, False, True)),
    "author": st.booleans(),
    "price": st.sampled_from((0, 0, 1500)),
    "bought": st.booleans(),
})  # fmt: skip
transactions = st.fixed_dictionaries({
    "fan": st.none() | fans,
    "at": moments,
    "kind": st.sampled_from(("tip", "message", "subscription", "refund", "unheard-of")),
    "gross": st.integers(-5000, 20_000),
    "net": st.none() | st.integers(-4000, 16_000),
    "currency": st.sampled_from(("USD", "USD", "USD", "EUR")),
    "message": st.none() | st.integers(0, 30),
})  # fmt: skip
business = st.fixed_dictionaries({
    "change": st.sampled_from(CHANGES),
    "fans": st.lists(moments, min_size=FANS, max_size=FANS),
    "messages": st.lists(messages, max_size=25),
    "transactions": st.lists(transactions, max_size=20),
})  # fmt: skip


@dataclass
class Books:
    """The rows as they were written."""

    zone: ZoneInfo
    first: date
    after: date
    fans: list[Fan] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    transactions: list[Transaction] = field(default_factory=list)
    campaign_id: int = 0

    @property
    def address(self) -> str:
        return f"from={self.first}&to={self.after}&timezone={self.zone.key}"

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.first <= at.astimezone(self.zone).date() < self.after

    # --- What each figure stands on ---

    def moved(self) -> list[Transaction]:
        return [each for each in self.transactions if self.holds(each.at) and each.currency == "USD"]

    def payers(self) -> set[int]:
        return {each.fan_id for each in self.moved() if each.fan_id is not None and each.gross_cents > 0}

    def came_in(self) -> list[Message]:
        return [each for each in self.messages if each.direction == "in" and self.holds(each.created_at)]

    def went_out(self) -> list[Message]:
        return [each for each in self.messages if went_out(each) and self.holds(each.sent_at)]

    def active(self) -> set[int]:
        return self.payers() | {each.fan_id for each in self.came_in() if each.fan_id is not None}

    def new_fans(self) -> list[Fan]:
        return [each for each in self.fans if self.holds(each.created_at)]

    def offered(self) -> list[Message]:
        return [each for each in self.went_out() if each.price_cents]

    def sold(self) -> list[Message]:
        return [each for each in self.offered() if each.purchased]

    def waits(self) -> list[tuple[Message, datetime | None]]:
        threads: dict[int, list[Message]] = defaultdict(list)
        for each in sorted(self.messages, key=lambda each: (each.created_at, each.id)):
            if each.direction == "in" or (went_out(each) and each.campaign_id is None):
                threads[each.conversation_id or 0].append(each)
        found = [wait for thread in threads.values() for wait in _waits(thread)]
        return [(message, answered) for message, answered in found if self.holds(message.created_at)]

    def week(self) -> list[list[int]]:
        found = [[0] * 24 for _ in range(7)]
        for each in self.came_in():
            local = each.created_at.astimezone(self.zone)
            found[local.weekday()][local.hour] += 1
        return found

    def staff(self) -> dict[int | None, dict[str, int]]:
        """By author, of what no campaign sent."""
        by_hand = {each.id: each.author_id for each in self.messages if each.campaign_id is None}
        found: dict[int | None, dict[str, int]] = {}
        names = ("sent", "offered", "purchased", "revenue_cents")
        counted = [(each.author_id, (1, bool(each.price_cents), bool(each.price_cents and each.purchased), 0))
                   for each in self.went_out() if each.id in by_hand]  # fmt: skip
        counted += [(by_hand[each.message_id], (0, 0, 0, each.gross_cents))
                    for each in self.moved() if each.message_id in by_hand]  # fmt: skip
        for author, numbers in counted:
            sums = found.setdefault(author, dict.fromkeys(names, 0))
            for name, number in zip(names, numbers, strict=True):
                sums[name] += number
        return found

    # --- The figures ---

    def kpis(self) -> dict[str, Any]:
        moved, payers, waits = self.moved(), self.payers(), self.waits()
        nets = [each.net_cents for each in moved if each.net_cents is not None]
        seconds = [max(0.0, (answered - message.created_at).total_seconds()) for message, answered in waits if answered]
        of_payers = sum(each.gross_cents for each in moved if each.fan_id in payers)
        return {
            "revenueCents": sum(each.gross_cents for each in moved) if moved else None,
            "netCents": sum(nets) if nets else None,
            "newFans": len(self.new_fans()),
            "activeFans": len(self.active()),
            "messagesIn": len(self.came_in()),
            "messagesOut": len(self.went_out()),
            "answerRate": len(seconds) / len(waits) if waits else None,
            "medianAnswerSeconds": round(median(seconds)) if seconds else None,
            "paidMessagesSold": len(self.sold()),
            "unlockRate": len(self.sold()) / len(self.offered()) if self.offered() else None,
            "averagePerPayingFanCents": round(of_payers / len(payers)) if payers else None,
        }

    def previous(self) -> "Books":
        length = self.after - self.first
        rows = self.fans, self.messages, self.transactions
        return Books(self.zone, self.first - length, self.first, *rows, campaign_id=self.campaign_id)

    def by_day(self) -> dict[str, dict[str, int]]:
        days = {str(self.first + timedelta(days=n)): defaultdict(int) for n in range((self.after - self.first).days)}
        for each in self.moved():
            days[str(each.at.astimezone(self.zone).date())][each.kind] += each.gross_cents
        return {day: dict(kinds) for day, kinds in days.items()}

    def by_fan(self) -> dict[int, int]:
        found: dict[int, int] = defaultdict(int)
        for each in self.moved():
            if each.fan_id is not None:
                found[each.fan_id] += each.gross_cents
        return dict(found)


def went_out(message: Message) -> bool:
    return message.direction == "out" and message.status in WENT_OUT


def _waits(thread: list[Message]) -> list[tuple[Message, datetime | None]]:
    found, waiting = [], None
    for each in thread:
        if each.direction == "in":
            waiting = waiting or each
        elif waiting:
            found.append((waiting, each.sent_at))
            waiting = None
    return [*found, (waiting, None)] if waiting else found


def write_books(person: Person, drawn: dict[str, Any]) -> Books:
    """Instead of what the person's account has."""
    zone, change = ZoneInfo(drawn["change"][0]), drawn["change"][1]
    noon = datetime(change.year, change.month, change.day, 12, tzinfo=UTC)
    books = Books(zone, change - timedelta(days=1), change + timedelta(days=2))
    with person.app.app_context(), write() as session:
        session.expire_on_commit = False
        for model in (Transaction, Message, Conversation, Campaign, Fan):
            session.execute(delete(model).where(model.account_id == person.account_id))
        campaign = Campaign(account_id=person.account_id, connection_id=None, name="All", content="x", priority=5)
        books.fans = [
            Fan(account_id=person.account_id, name=f"=Fan {number}", created_at=noon + at)
            for number, at in enumerate(drawn["fans"])
        ]
        session.add_all([campaign, *books.fans])
        session.flush()
        threads = [Conversation(account_id=person.account_id, fan_id=fan.id) for fan in books.fans]
        session.add_all(threads)
        session.flush()
        books.campaign_id = campaign.id
        for each in drawn["messages"]:
            books.messages.append(new_message(person, campaign, threads[each["fan"]], noon + each["at"], each))
            session.add(books.messages[-1])
            session.flush()
        for number, each in enumerate(drawn["transactions"]):
            books.transactions.append(new_transaction(person, books, noon, number, each))
        session.add_all(books.transactions)
        session.flush()
        session.expunge_all()
    return books


def new_message(
    person: Person, campaign: Campaign, thread: Conversation, at: datetime, drawn: dict[str, Any]
) -> Message:
    common = {
        "account_id": person.account_id, "conversation_id": thread.id, "fan_id": thread.fan_id, "connection_id": None,
        "created_at": at, "text": "hello",
    }  # fmt: skip
    if drawn["direction"] == "in":
        return Message(**common, direction="in", status="received")
    is_out = drawn["status"] in WENT_OUT
    return Message(
        **common, direction="out", status=drawn["status"], price_cents=drawn["price"], purchased=is_out and drawn["bought"],
        campaign_id=campaign.id if drawn["campaign"] else None, author_id=person.user_id if drawn["author"] else None,
        sent_at=at + timedelta(seconds=drawn["delay"]) if is_out else None,
    )  # fmt: skip


def new_transaction(person: Person, books: Books, noon: datetime, number: int, drawn: dict[str, Any]) -> Transaction:
    place = drawn["message"]
    message = books.messages[place] if place is not None and place < len(books.messages) else None
    return Transaction(
        account_id=person.account_id, platform_transaction_id=f"t{number}", kind=drawn["kind"], gross_cents=drawn["gross"],
        net_cents=drawn["net"], at=noon + drawn["at"], currency=drawn["currency"],
        fan_id=books.fans[drawn["fan"]].id if drawn["fan"] is not None else None, message_id=message.id if message else None,
    )  # fmt: skip
