"""What the platform knows: accounts, their fans, chats and money, the kept answers and the registered webhooks.

Everything changes through `apply`, live and at replay alike, so a restart arrives at the same state.
"""

import re
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from sandbox.idempotency import Kept, Keys

FIRST_FAN_ID = 100_000_001
FIRST_MESSAGE_ID = 7_000_000_001


@dataclass(slots=True)
class Fan:
    id: int
    username: str
    name: str
    active: bool = True
    last_seen: str | None = None
    spent: dict[str, int] = field(default_factory=lambda: {"subscribes": 0, "messages": 0, "tips": 0})


@dataclass(slots=True)
class Message:
    id: int
    at: int
    text: str
    mine: bool
    price: int = 0
    tip: bool = False
    locked: bool = False
    media: list[dict[str, Any]] = field(default_factory=list)
    previews: list[int] = field(default_factory=list)
    reply_to: int | None = None
    opened: bool = False
    bought: bool = False


@dataclass(slots=True)
class Chat:
    fan: Fan
    messages: dict[int, Message] = field(default_factory=dict)
    read_to: int = 0


@dataclass(slots=True)
class Transaction:
    id: str
    at: int
    fan: Fan
    kind: str
    cents: int


@dataclass(slots=True)
class Account:
    id: str
    fans: dict[int, Fan]
    knows_everyone: bool
    chats: dict[int, Chat] = field(default_factory=dict)
    transactions: list[Transaction] = field(default_factory=list)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def creator_id(self) -> int:
        return 10_000_000 + crc32(self.id.encode()) % 80_000_000

    def find_chat(self, chat_id: int) -> Chat | None:
        """The chat with that fan. Outside the demo every number is a fan, made up at first use."""
        if chat_id not in self.chats:
            if chat_id not in self.fans:
                if not self.knows_everyone:
                    return None
                self.fans[chat_id] = Fan(chat_id, f"fan{chat_id}", f"Fan {chat_id}")
            self.chats[chat_id] = Chat(self.fans[chat_id])
        return self.chats[chat_id]

    def chat(self, chat_id: int) -> Chat:
        chat = self.find_chat(chat_id)
        assert chat is not None, f"{self.id} has no fan {chat_id}"
        return chat


class State:
    def __init__(self, demo_fans: list[dict[str, Any]]):
        self._demo_fans = demo_fans
        self._last_id = FIRST_MESSAGE_ID - 1
        self.accounts: dict[str, Account] = {}
        self.keys = Keys()
        self.hooks: dict[str, dict[str, Any]] = {}
        self.account("acct_demo")

    def account(self, account_id: str) -> Account:
        if account_id not in self.accounts:
            demo = re.fullmatch(r"acct_demo(_\w+)?", account_id) is not None
            fans = {fan["id"]: Fan(**deepcopy(fan)) for fan in self._demo_fans} if demo else {}
            self.accounts[account_id] = Account(account_id, fans, knows_everyone=not demo)
        return self.accounts[account_id]

    def next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def apply(self, kind: str, data: dict[str, Any]) -> None:
        getattr(self, f"_{kind}")(**data)

    def _message(self, account: str, chat: int, **fields: Any) -> None:
        message = Message(**fields)
        self.account(account).chat(chat).messages[message.id] = message
        self._last_id = max(self._last_id, message.id)

    def _opened(self, account: str, chat: int, ids: list[int]) -> None:
        for message_id in ids:
            self.account(account).chat(chat).messages[message_id].opened = True

    def _bought(self, account: str, chat: int, id: int) -> None:
        message = self.account(account).chat(chat).messages[id]
        message.bought = message.opened = True

    def _deleted(self, account: str, chat: int, id: int) -> None:
        del self.account(account).chat(chat).messages[id]

    def _read(self, account: str, chat: int, to: int) -> None:
        self.account(account).chat(chat).read_to = to

    def _seen(self, account: str, chat: int, when: str) -> None:
        self.account(account).chat(chat).fan.last_seen = when

    def _paid(self, account: str, chat: int, id: str, at: int, kind: str, cents: int) -> None:
        fan = self.account(account).chat(chat).fan
        fan.spent[kind] += cents
        fan.active = fan.active or kind == "subscribes"
        self.account(account).transactions.append(Transaction(id, at, fan, kind, cents))

    def _uploaded(self, account: str, prefixed_id: str, media: dict[str, Any]) -> None:
        self.account(account).uploads[prefixed_id] = media
        self._last_id = max(self._last_id, media["id"])

    def _used(self, account: str, prefixed_ids: list[str]) -> None:
        for prefixed_id in prefixed_ids:
            del self.account(account).uploads[prefixed_id]

    def _answered(self, account: str, key: str, **kept: Any) -> None:
        self.keys.keep(account, key, Kept(**kept))

    def _hooked(self, hook: dict[str, Any]) -> None:
        self.hooks[hook["id"]] = hook

    def _unhooked(self, id: str) -> None:
        del self.hooks[id]
