"""A creator's business of some years as rows: fans, conversations and their messages, as skewed as real ones are.

Nothing here knows a database: rows are tuples of what COPY and executemany take. The same seed makes the same business,
up to its last moment, which is now.
"""

import math
import random
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any

from app.fans.keys import keys_of

MONTHS, DAYS_OF_MONTH, DAY = 24, 30, 86_400
SPAN = MONTHS * DAYS_OF_MONTH * DAY  # seconds
WORDS = 200_000
TAGS = [
    ("vip", 0.01),
    ("whale", 0.002),
    ("regular", 0.2),
    ("new", 0.1),
    *((f"tag {n}", 0.2 / n) for n in range(2, 120)),
]
ONLINE_EACH = 1000  # one fan of so many was seen just now
SMALL_ACCOUNTS, SMALL_PART = 3, 100  # each has one row of so many
SIGNS = ("", ".", "!", "?", " 😘", " ❤")
FAN = (
    "id", "account_id", "platform", "platform_fan_id", "name", "handle", "email", "name_key", "handle_key", "email_key",
    "search_text", "notes", "stated_value_cents", "value_cents", "last_seen_at", "do_not_message", "custom", "created_at",
    "updated_at", "subscription_status", "subscribed_at", "subscription_ends_at", "last_purchase_at",
)  # fmt: skip
TAG = ("fan_id", "tag_key", "tag", "account_id")
CONVERSATION = (
    "id", "account_id", "fan_id", "platform", "last_message_at", "last_message_id", "unread_count", "waiting_since",
    "archived", "snoozed_until", "pinned", "assignee_id", "seq", "created_at",
)  # fmt: skip
MESSAGE = (
    "id", "account_id", "conversation_id", "fan_id", "connection_id", "direction", "status", "campaign_id", "author_id",
    "text", "search_text", "price_cents", "attachments", "client_message_id", "platform_message_id", "purchased", "rank",
    "idempotency_key", "tries", "doubt", "created_at", "changed_at", "sent_at",
)  # fmt: skip
TRANSACTION = (
    "account_id", "platform_transaction_id", "kind", "gross_cents", "at", "platform", "fan_id", "message_id", "currency",
    "created_at",
)  # fmt: skip


@dataclass(frozen=True)
class House:
    """An account, and who works in it."""

    account_id: int
    connection_id: int
    campaign_id: int
    people: list[int]


@dataclass
class Business:
    houses: list[House]  # the big one first
    fans: int
    conversations: int
    messages: int
    now: datetime
    write_time: Callable[[datetime], str]
    dice: random.Random = field(default_factory=lambda: random.Random(11))
    newest: dict[int, tuple[int, str, bool]] = field(default_factory=dict)  # by conversation: id, time, from the fan
    bought: list[tuple[Any, ...]] = field(default_factory=list)

    def house_of(self, fan_id: int) -> House:
        small = (fan_id - 1) // 5 % SMALL_PART  # conversations have each fifth fan
        return self.houses[small + 1] if small < SMALL_ACCOUNTS else self.houses[0]

    def fan_of(self, conversation_id: int) -> int:
        return 1 + (conversation_id - 1) * (self.fans // self.conversations)

    def at(self, seconds: float) -> str:
        """A moment, so long after the business began."""
        return self.write_time(self.now - timedelta(seconds=SPAN - seconds))


def of_the_big_house(fan_id: int) -> int:
    """The fan, or another of about the same number."""
    is_small = (fan_id - 1) // 5 % SMALL_PART < SMALL_ACCOUNTS
    return fan_id + 5 * SMALL_ACCOUNTS if is_small else fan_id


def fan_rows(of: Business) -> Iterator[tuple[Any, ...]]:
    dice, first, last = random.Random(7), made_up(400, 2, 3), made_up(4000, 3, 5)
    for number in range(1, of.fans + 1):
        name = f"{dice.choice(first).title()} {dice.choice(last).title()}" if number % 10 else None
        handle = f"@{dice.choice(first)}_{dice.choice(last)[:5]}{number}"
        email = f"{handle[1:]}@example.com" if number % 3 else None
        keys = keys_of(name, handle, email)
        cents = int(dice.paretovariate(0.8) * 300) if number % 3 else 0
        seen, since = of.at(SPAN * math.sqrt(dice.random()) * 0.999), of.at(SPAN * dice.random())
        yield (
            number, of.house_of(number).account_id, "onlyfans", str(10**8 + number), name, handle, email, keys["name_key"],
            keys["handle_key"], keys["email_key"], keys["search_text"], "", cents, min(cents, 10**9), seen, False,
            "{}" if number % 5 else f'{{"Age": "{18 + number // 5 % 60}"}}', since, since, *_subscription(of, number, cents),
        )  # fmt: skip


def _subscription(of: Business, number: int, cents: int) -> tuple[str | None, ...]:
    """Its state, when it began and ends, and when the fan last bought something beside it. A fifth has none."""
    dice = random.Random(number)
    if number % 5 == 0:
        return None, None, None, None
    lasted = dice.expovariate(1 / (90 * DAY))
    began = SPAN * math.sqrt(dice.random())
    bought = of.at(began + (SPAN - began) * dice.random()) if cents and number % 4 else None
    status = "active" if began + lasted > SPAN else "expired"
    return status, of.at(began), of.at(began + lasted), bought


def tag_rows(of: Business) -> Iterator[tuple[Any, ...]]:
    dice = random.Random(8)
    for tag, part in TAGS:
        for number in sorted(dice.sample(range(1, of.fans + 1), int(of.fans * part))):
            yield number, tag, tag.title(), of.house_of(number).account_id


def message_rows(of: Business) -> Iterator[tuple[Any, ...]]:
    """In the order of time, as they would have come: a thread's messages lie far from each other."""
    words = vocabulary()
    weights = list(accumulate(1 / (rank + 3) for rank in range(WORDS)))
    number = 0
    for month in _months(of):
        for moment in sorted(month):
            number += 1
            yield _message(of, number, moment // of.conversations, moment % of.conversations + 1, words, weights)


def _months(of: Business) -> list[array]:
    """For each month the moments of its messages, each together with whose it is: one number."""
    dice, months = of.dice, [array("q") for _ in range(MONTHS)]
    sizes = [math.exp(dice.gauss(0, 1.55)) for _ in range(of.conversations)]  # median 15, mean 50; some have thousands
    whole, done = sum(sizes), 0.0
    for place, size in enumerate(sizes):
        count = int((done + size) / whole * of.messages) - int(done / whole * of.messages)
        done += size
        begins = SPAN * dice.random() * (0.3 if count > 500 else 0.99)
        lasts = SPAN if count > 500 else dice.expovariate(1 / (SPAN / 5))
        ends = min(SPAN - 1, begins + lasts)
        for _ in range(count):
            moment = int(begins + (ends - begins) * dice.random())
            months[moment // (DAYS_OF_MONTH * DAY)].append(moment * of.conversations + place)
    return months


def _message(
    of: Business, number: int, moment: int, thread: int, words: list[str], weights: list[float]
) -> tuple[Any, ...]:
    dice = of.dice
    fan, luck = of.fan_of(thread), dice.random()
    house = of.house_of(fan)
    is_in = luck < 0.45
    said = " ".join(dice.choices(words, cum_weights=weights, k=1 + int(dice.expovariate(0.12))))
    sign = SIGNS[number % 60] if number % 60 < len(SIGNS) else ""
    text, search_text = said.capitalize() + sign, said + (sign if sign.startswith(" ") else "")
    price, bought, author, campaign, media = 0, False, None, None, "[]"
    if not is_in:
        if luck > 0.92:
            campaign = house.campaign_id
        else:
            author = house.people[number % len(house.people)]
        if number % 16 == 0:
            price, bought = 500 + number % 40 * 100, number % 3 == 0
        if number % 12 == 0:
            media = f'[{{"url": "platform:m{number % 5000}", "type": "photo", "name": "Picture {number % 5000}"}}]'
    at = of.at(moment)
    of.newest[thread] = (number, at, is_in)
    if bought:
        of.bought.append((house.account_id, f"t{number}", "message", price, at, "onlyfans", fan, number, "USD", at))
    status = "received" if is_in else ("failed" if number % 9973 == 0 else "read" if number % 3 else "sent")
    return (
        number, house.account_id, thread, fan, house.connection_id, "in" if is_in else "out", status, campaign, author,
        text, search_text, price, media, None if is_in or campaign else f"{dice.getrandbits(128):032x}", str(10**9 + number),
        bought, 0, f"{dice.getrandbits(128):032x}", 0 if is_in else 1, "", at, at, None if is_in else at,
    )  # fmt: skip


def conversation_rows(of: Business) -> Iterator[tuple[Any, ...]]:
    """After the messages: each has its newest one."""
    dice, began, later = random.Random(9), of.at(0), of.at(SPAN + 3 * DAY)
    for number in range(1, of.conversations + 1):
        fan, (message, at, is_in) = of.fan_of(number), of.newest.get(number, (None, None, False))
        house, luck = of.house_of(fan), dice.random()
        waits = is_in and dice.random() < 0.2
        snoozed, assignee = dice.random() < 0.01, dice.choice(house.people) if dice.random() < 0.2 else None
        yield (
            number, house.account_id, fan, "onlyfans", at, message, dice.randrange(1, 6) if is_in and luck < 0.15 else 0,
            at if waits else None, dice.random() < 0.15, later if snoozed else None, number % (of.conversations // 15) == 1,
            assignee, 0, began,
        )  # fmt: skip


def made_up(count: int, shortest: int, longest: int) -> list[str]:
    """So many different words of so many syllables, the same ones each time."""
    dice, words = random.Random(count), dict[str, None]()
    while len(words) < count:
        syllables = range(dice.randint(shortest, longest))
        words["".join(dice.choice("bcdfghjklmnprstvwz") + dice.choice("aeiou") for _ in syllables)] = None
    return list(words)


def vocabulary() -> list[str]:
    """The most common first: short ones, as in languages."""
    return [*made_up(300, 1, 2), *made_up(WORDS, 3, 5)][:WORDS]
