"""The /sandbox calls, for people and tests: what arrived, trouble on demand, and what fans do."""

import re
from collections.abc import Callable
from typing import Any

import sandbox
from sandbox import faults, people, shapes
from sandbox.calls import Answer, Call, HttpError, read_json
from sandbox.state import Account, Chat, Message
from sandbox.world import World

ACCOUNT = re.compile(r"acct_[A-Za-z0-9_]+")
Fields = dict[str, tuple[type, ...]]


def index(world: World, call: Call) -> Answer:
    about = (sandbox.__doc__ or "").partition("\n")[0]
    calls = ["/sandbox/health", "/sandbox/sends", "/sandbox/stats", "/sandbox/faults", "/sandbox/autoplay"]
    verbs = [f"/sandbox/fans/{{chatId}}/{verb}" for verb in ("say", "write", "buy", "tip", "open", "subscribe")]
    return Answer(200, {"about": about, "calls": [*calls, *verbs, "/sandbox/webhooks/redeliver", "/api/accounts"]})


def health(world: World, call: Call) -> Answer:
    return Answer(200, {"ok": True})


def list_sends(world: World, call: Call) -> Answer:
    sends = world.sends.listed(call.query.get("account"))
    return Answer(200, {"sends": sends, "total": len(sends)})


def forget_sends(world: World, call: Call) -> Answer:
    world.sends.forget()
    return Answer(200, {"sends": [], "total": 0})


def stats(world: World, call: Call) -> Answer:
    return Answer(200, world.sends.stats())


def show_faults(world: World, call: Call) -> Answer:
    return Answer(200, world.faults.to_json())


def put_faults(world: World, call: Call) -> Answer:
    try:
        world.set_faults(faults.parse(_read_object(call)))
    except ValueError as error:
        raise _wrong(str(error)) from error
    return show_faults(world, call)


def say(world: World, call: Call, chat_id: str) -> Answer:
    return _speak(world, call, chat_id, people.say)


def write(world: World, call: Call, chat_id: str) -> Answer:
    return _speak(world, call, chat_id, people.write)


def _speak(world: World, call: Call, chat_id: str, verb: Callable[[World, Account, Chat, str], Message]) -> Answer:
    body = _read(call, {"text": (str,)}, required=("text",))
    if not body["text"].strip():
        raise _wrong("text must not be empty")
    account, chat = _find_chat(world, body, chat_id)
    return Answer(200, {"message": shapes.message(account, chat, verb(world, account, chat, body["text"]))})


def buy(world: World, call: Call, chat_id: str) -> Answer:
    body = _read(call, {"messageId": (int, str), "amountCents": (int,)})
    account, chat = _find_chat(world, body, chat_id)
    message = _find_message(chat, body["messageId"]) if "messageId" in body else people.newest_for_sale(chat)
    try:
        if message is None:
            raise people.CannotBuyError
        people.buy(world, account, chat, message, _amount(body, message.price))
    except people.CannotBuyError as error:
        raise _wrong("nothing to buy: no priced message that is not bought yet") from error
    return Answer(200, {"message": shapes.message(account, chat, message)})


def tip(world: World, call: Call, chat_id: str) -> Answer:
    body = _read(call, {"amountCents": (int,), "text": (str,)}, required=("amountCents",))
    account, chat = _find_chat(world, body, chat_id)
    message = people.tip(world, account, chat, _amount(body, 0), body.get("text", ""))
    return Answer(200, {"message": shapes.message(account, chat, message)})


def open_messages(world: World, call: Call, chat_id: str) -> Answer:
    body = _read(call, {"messageId": (int, str)})
    account, chat = _find_chat(world, body, chat_id)
    chosen = [_find_message(chat, body["messageId"])] if "messageId" in body else list(chat.messages.values())
    return Answer(200, {"opened": people.open_messages(world, account, chat, chosen)})


def subscribe(world: World, call: Call, chat_id: str) -> Answer:
    body = _read(call, {"amountCents": (int,)}, required=("amountCents",))
    account, chat = _find_chat(world, body, chat_id)
    people.subscribe(world, account, chat, _amount(body, 0))
    return Answer(200, {"fan": shapes.fan(chat.fan)})


def redeliver(world: World, call: Call) -> Answer:
    last = _read(call, {"last": (int,)}, required=("last",))["last"]
    if last < 1:
        raise _wrong("last must be at least 1")
    return Answer(200, {"redelivered": world.webhooks.redeliver(last)})


def show_autoplay(world: World, call: Call) -> Answer:
    return Answer(200, {"on": world.autoplay})


def put_autoplay(world: World, call: Call) -> Answer:
    world.autoplay = _read(call, {"on": (bool,)}, required=("on",))["on"]
    return show_autoplay(world, call)


def _read(call: Call, fields: Fields, required: tuple[str, ...] = ()) -> dict[str, Any]:
    """The body's fields, each of its type; `account` may always be there, null is as good as left out."""
    known: Fields = {**fields, "account": (str,)}
    body = {name: value for name, value in _read_object(call).items() if value is not None or name not in known}
    for name, value in body.items():
        if name not in known:
            raise _wrong(f"unknown field: {name}")
        if type(value) not in known[name]:
            raise _wrong(f"{name} must be {' or '.join(one.__name__ for one in known[name])}")
    for name in required:
        if name not in body:
            raise _wrong(f"{name} is required")
    return body


def _read_object(call: Call) -> dict[str, Any]:
    try:
        body = read_json(call.body or b"{}")
    except ValueError as error:
        raise _wrong(f"the body is not JSON: {error}") from error
    if not isinstance(body, dict):
        raise _wrong("the body must be a JSON object")
    return body


def _find_chat(world: World, body: dict[str, Any], chat_id: str) -> tuple[Account, Chat]:
    account_id = body.get("account", "acct_demo")
    if not ACCOUNT.fullmatch(account_id):
        raise _wrong("account must look like acct_demo")
    account = world.state.account(account_id)
    chat = account.find_chat(int(chat_id)) if _is_id(chat_id) else None
    if chat is None:
        raise HttpError(404, {"error": f"{account_id} has no chat {chat_id}"})
    return account, chat


def _find_message(chat: Chat, message_id: int | str) -> Message:
    message = chat.messages.get(int(message_id)) if _is_id(message_id) else None
    if message is None:
        raise HttpError(404, {"error": f"the chat has no message {message_id}"})
    return message


def _is_id(value: int | str) -> bool:
    text = str(value)
    return text.isascii() and text.isdigit() and len(text) < 20


def _amount(body: dict[str, Any], default: int) -> int:
    cents = body.get("amountCents", default)
    if not 1 <= cents <= 1_000_000:
        raise _wrong("amountCents must be from 1 to 1000000")
    return cents


def _wrong(message: str) -> HttpError:
    return HttpError(400, {"error": message})
