"""A long history of messages, written straight into the database of a stack: through the API it would take hours.

Everybody says the same: rare are those with a tag. They are more than would be read thread by thread, what they said lies far
back, and to look at the messages before it takes several times as long as a search has patience: each of the words is
looked for behind much else.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.conversations.whose import MOST_READ_FOR_WORDS
from app.conversations.words import search_text

MESSAGES, EVERY = 90_000, timedelta(minutes=4)  # eight months
FAR_BACK = 85_000  # messages, behind which the rest of what is wanted lies
SAID = "we spoke of dinner and of the late train"
SMALL_TALK = "Ha " + "ha " * 60 + SAID
OTHERS, THREADS = 50, MOST_READ_FOR_WORDS + 20
CACHE = "PRAGMA cache_size = -200000"  # KiB: the index of words grows in many places at once
FAN = (
    "account_id", "platform", "name", "name_key", "search_text", "notes", "stated_value_cents", "value_cents",
    "do_not_message", "created_at", "updated_at",
)  # fmt: skip
CONVERSATION = (
    "account_id", "fan_id", "platform", "last_message_at", "unread_count", "archived", "pinned", "seq", "created_at",
)  # fmt: skip
MESSAGE = (
    "account_id", "conversation_id", "fan_id", "direction", "status", "text", "search_text", "price_cents", "attachments",
    "purchased", "rank", "idempotency_key", "tries", "doubt", "created_at", "changed_at",
)  # fmt: skip


@dataclass(frozen=True)
class Crowd:
    """Fans with a tag, and how many messages of theirs there are."""

    tag: str
    lately: int = 0
    far_back: int = 0

    @property
    def search(self) -> str:
        return f"{SAID} tag:{self.tag}"

    def all_said(self) -> list[str]:
        """The newest first."""
        return [f"{self.tag} {number}: {SAID}" for number in range(1, self.lately + self.far_back + 1)]


def write_history(database: Path, account: str, crowds: tuple[Crowd, ...]) -> None:
    """In one transaction."""
    with closing(sqlite3.connect(database, timeout=15)) as connection, connection:
        connection.execute(CACHE)
        [account_id] = connection.execute("SELECT id FROM accounts WHERE name = ?", [account]).fetchone()
        others = [_make_thread(connection, account_id, f"Other {number}") for number in range(OTHERS)]
        theirs = {
            crowd: [
                _make_thread(connection, account_id, f"{crowd.tag} {number}", crowd.tag) for number in range(THREADS)
            ]
            for crowd in crowds
        }
        connection.executemany(_insert("messages", MESSAGE), _messages(account_id, others, theirs))


Thread = tuple[int, int]  # conversation and fan


def _make_thread(connection: sqlite3.Connection, account_id: int, name: str, tag: str = "") -> Thread:
    now, key = _written(datetime.now(UTC)), name.casefold()
    fan = (account_id, "onlyfans", name.title(), key, key, "", 0, 0, False, now, now)
    fan_id = connection.execute(_insert("fans", FAN), fan).lastrowid or 0
    if tag:
        connection.execute(
            "INSERT INTO fan_tags (fan_id, tag_key, tag, account_id) VALUES (?, ?, ?, ?)",
            (fan_id, tag, tag, account_id),
        )
    thread = (account_id, fan_id, "onlyfans", now, 0, False, False, 0, now)
    return connection.execute(_insert("conversations", CONVERSATION), thread).lastrowid or 0, fan_id


def _messages(account_id: int, others: list[Thread], theirs: dict[Crowd, list[Thread]]) -> Iterator[tuple[Any, ...]]:
    """The oldest first, as they would have come. The small talk never went out: so nobody sums it up."""
    now, said, words = datetime.now(UTC), _said_by(theirs), search_text(SMALL_TALK)
    for back in range(MESSAGES, 0, -1):
        at = _written(now - back * EVERY)
        what = (*others[back % OTHERS], "out", "cancelled", SMALL_TALK, words)
        if back in said:
            thread, text = said[back]
            what = (*thread, "in", "received", text, search_text(text))
        yield account_id, *what, 0, "[]", False, 0, "", 0, "", at, at


def _said_by(theirs: dict[Crowd, list[Thread]]) -> dict[int, tuple[Thread, str]]:
    """By how many messages came since."""
    said: dict[int, tuple[Thread, str]] = {}
    for place, (crowd, threads) in enumerate(theirs.items(), 1):
        for number, text in enumerate(crowd.all_said()):
            back = 10 * number if number < crowd.lately else FAR_BACK + 100 * number
            said[back + place] = threads[number % THREADS], text
    return said


def _insert(table: str, columns: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def _written(moment: datetime) -> str:
    """As the database keeps it."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}"
