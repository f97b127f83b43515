"""What people do there: each verb changes the chat, then fires the webhooks the vendor would. Call them under the lock."""

import secrets

from sandbox import clock, events
from sandbox.money import label
from sandbox.state import Account, Chat, Message
from sandbox.world import World


class CannotBuyError(Exception):
    """There is no such priced message, or it is bought already."""


def say(world: World, account: Account, chat: Chat, text: str, tip: bool = False) -> Message:
    at, message_id = clock.now(), world.state.next_id()
    fields = {"id": message_id, "at": at, "text": text, "mine": False, "tip": tip}
    world.commit(("message", {"account": account.id, "chat": chat.fan.id, **fields}), _seen(account, chat, at))
    message = chat.messages[message_id]
    world.tell("messages.received", account.id, events.message_received(account, chat, message))
    return message


def write(world: World, account: Account, chat: Chat, text: str) -> Message:
    """The creator writes on the platform itself."""
    message_id = world.state.next_id()
    fields = {"id": message_id, "at": clock.now(), "text": text, "mine": True}
    world.commit(("message", {"account": account.id, "chat": chat.fan.id, **fields}))
    message = chat.messages[message_id]
    world.tell("messages.sent", account.id, events.message_sent(account, chat, message))
    return message


def buy(world: World, account: Account, chat: Chat, message: Message, cents: int) -> None:
    if not message.mine or not message.price or message.bought:
        raise CannotBuyError
    at, notice_id = clock.now(), world.state.next_id()
    bought = ("bought", {"account": account.id, "chat": chat.fan.id, "id": message.id})
    world.commit(bought, _paid(account, chat, at, "messages", cents), _seen(account, chat, at))
    payload = events.ppv_unlocked(account, chat, message, cents, notice_id, at)
    world.tell("messages.ppv.unlocked", account.id, payload)
    _tell_transaction(world, account)


def newest_for_sale(chat: Chat) -> Message | None:
    for_sale = (one for one in reversed(chat.messages.values()) if one.mine and one.price and not one.bought)
    return next(for_sale, None)


def tip(world: World, account: Account, chat: Chat, cents: int, text: str) -> Message:
    at, notice_id = clock.now(), world.state.next_id()
    world.commit(_paid(account, chat, at, "tips", cents))
    message = say(world, account, chat, text or f"I sent you a {label(cents)} tip ♥", tip=True)
    world.tell("tips.received", account.id, events.tip_received(account, chat.fan, cents, notice_id, at))
    _tell_transaction(world, account)
    return message


def subscribe(world: World, account: Account, chat: Chat, cents: int) -> None:
    at, notice_id = clock.now(), world.state.next_id()
    world.commit(_paid(account, chat, at, "subscribes", cents))
    world.tell("subscriptions.new", account.id, events.subscribed(account, chat.fan, cents, notice_id, at))
    _tell_transaction(world, account)


def open_messages(world: World, account: Account, chat: Chat, messages: list[Message]) -> list[int]:
    """Mark as read what the creator sent. The vendor has no webhook for it: it is read back."""
    ids = [one.id for one in messages if one.mine and not one.opened]
    if ids:
        opened = ("opened", {"account": account.id, "chat": chat.fan.id, "ids": ids})
        world.commit(opened, _seen(account, chat, clock.now()))
    return ids


def _seen(account: Account, chat: Chat, at: int) -> tuple[str, dict]:
    return "seen", {"account": account.id, "chat": chat.fan.id, "when": clock.iso(at)}


def _paid(account: Account, chat: Chat, at: int, kind: str, cents: int) -> tuple[str, dict]:
    paid = {"id": secrets.token_hex(16), "at": at, "kind": kind, "cents": cents}
    return "paid", {"account": account.id, "chat": chat.fan.id, **paid}


def _tell_transaction(world: World, account: Account) -> None:
    world.tell("transactions.new", account.id, events.transaction_new(account.transactions[-1]))
