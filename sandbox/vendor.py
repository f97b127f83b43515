"""The vendor's calls about accounts, fans, chats and money. Each runs under the lock and answers in its envelope."""

from typing import Any

from sandbox import clock, shapes
from sandbox.calls import Answer, Call, HttpError
from sandbox.state import Account, Chat, Fan, Message
from sandbox.world import World

# Every 20th place of the fan list is empty, as where a fan deleted their profile: pages of 19 that are not the last.
PLACES_PER_HOLE = 19


def list_accounts(world: World, call: Call) -> Answer:
    return Answer(200, [_account_shape(account) for account in world.state.accounts.values()])


def list_fans(world: World, call: Call, account_id: str, which: str) -> Answer:
    limit, offset = _number(call, "limit", 10, 1, 20), _number(call, "offset", 0, 0, 10**9)
    places = _fan_places(world.state.account(account_id), which, call.query.get("query", "").lower())
    page = [fan for fan in places[offset : offset + limit] if fan is not None]
    more = offset + limit < len(places)
    next_page = shapes.page_address(call, limit=limit, offset=offset + limit) if more else None
    return shapes.enveloped({"list": [shapes.fan(fan) for fan in page], "hasMore": more}, next_page)


def list_chats(world: World, call: Call, account_id: str) -> Answer:
    account = world.state.account(account_id)
    limit, offset = _number(call, "limit", 10, 1, 100), _number(call, "offset", 0, 0, 10**9)
    wanted = call.query.get("query", "").lower()
    chats = [chat for chat in account.chats.values() if chat.messages and _matches(chat.fan, wanted)]
    chats.sort(key=lambda chat: next(reversed(chat.messages)), reverse=call.query.get("order", "recent") != "old")
    more = offset + limit < len(chats)
    next_page = shapes.page_address(call, limit=limit, offset=offset + limit) if more else None
    return shapes.enveloped([shapes.chat(account, chat) for chat in chats[offset : offset + limit]], next_page)


def list_messages(world: World, call: Call, account_id: str, chat_id: str) -> Answer:
    """The cursor is inclusive: a page begins with the row that the one before it ended with."""
    account, chat = find_chat(world, account_id, chat_id)
    limit = _number(call, "limit", 10, 1, 100)
    descending = call.query.get("order", "desc") != "asc"
    name = "first_id" if descending else "last_id"
    cursor = _number(call, name, -1, 0, 10**18)
    messages = list(chat.messages.values())
    if descending:
        rows = [one for one in reversed(messages) if cursor < 0 or one.id <= cursor]
    else:
        rows = [one for one in messages if one.id >= cursor]
    page = rows[:limit]
    next_page = shapes.page_address(call, limit=limit, **{name: page[-1].id}) if len(rows) > limit else None
    return shapes.enveloped([shapes.message(account, chat, one) for one in page], next_page)


def get_message(world: World, call: Call, account_id: str, chat_id: str, message_id: str) -> Answer:
    account, chat = find_chat(world, account_id, chat_id)
    return shapes.enveloped(shapes.message(account, chat, find_message(chat, message_id)))


def delete_message(world: World, call: Call, account_id: str, chat_id: str, message_id: str) -> Answer:
    account, chat = find_chat(world, account_id, chat_id)
    message = find_message(chat, message_id)
    if not message.mine or clock.now() - message.at >= clock.DAY:
        raise HttpError(400, _refusal("Message can not be deleted"))
    world.commit(("deleted", {"account": account.id, "chat": chat.fan.id, "id": message.id}))
    world.tell("messages.deleted", account.id, message.id)
    return shapes.enveloped({"success": True})


def show_typing(world: World, call: Call, account_id: str, chat_id: str) -> Answer:
    find_chat(world, account_id, chat_id)
    return shapes.enveloped({"success": True}, used=0)


def mark_as_read(world: World, call: Call, account_id: str, chat_id: str) -> Answer:
    account, chat = find_chat(world, account_id, chat_id)
    newest = next(reversed(chat.messages), 0)
    world.commit(("read", {"account": account.id, "chat": chat.fan.id, "to": newest}))
    return shapes.enveloped({"success": True})


def list_transactions(world: World, call: Call, account_id: str) -> Answer:
    paid = world.state.account(account_id).transactions[::-1]
    limit, marker = _number(call, "limit", 10, 1, 100), _number(call, "marker", 0, 0, 10**9)
    more = marker + limit < len(paid)
    next_page = shapes.page_address(call, limit=limit, marker=marker + limit) if more else None
    page = [shapes.transaction(one) for one in paid[marker : marker + limit]]
    following = marker + limit if more else None
    return shapes.enveloped({"list": page, "hasMore": more, "marker": marker, "nextMarker": following}, next_page)


def find_chat(world: World, account_id: str, chat_id: str) -> tuple[Account, Chat]:
    account = world.state.account(account_id)
    chat = account.find_chat(int(chat_id))
    if chat is None:
        raise HttpError(404, {"error": "NOT_FOUND", "message": "Chat not found."})
    return account, chat


def find_message(chat: Chat, message_id: str) -> Message:
    message = chat.messages.get(int(message_id))
    if message is None:
        raise HttpError(404, {"error": "NOT_FOUND", "message": "Message not found."})
    return message


def _account_shape(account: Account) -> dict[str, Any]:
    username = account.id.removeprefix("acct_")
    return {
        "id": account.id,
        "display_name": username.replace("_", " ").title(),
        "onlyfans_id": account.creator_id,
        "onlyfans_username": username,
        "is_authenticated": True,
        "authentication_progress": "authenticated",
        "onlyfans_user_data": {"id": account.creator_id, "name": username, "username": username, "avatar": None},
    }


def _fan_places(account: Account, which: str, wanted: str) -> list[Fan | None]:
    fans = [fan for fan in account.fans.values() if which == "all" or fan.active == (which == "active")]
    if wanted:
        return [fan for fan in fans if _matches(fan, wanted)]
    places: list[Fan | None] = []
    for start in range(0, len(fans), PLACES_PER_HOLE):
        places += [*fans[start : start + PLACES_PER_HOLE], None]
    return places


def _matches(fan: Fan, wanted: str) -> bool:
    return wanted in fan.username.lower() or wanted in fan.name.lower()


def _number(call: Call, name: str, default: int, least: int, most: int) -> int:
    text = call.query.get(name, "")
    if text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        message = f"The {name} field must be between {least} and {most}."
        raise HttpError(422, {"message": message, "errors": {name: [message]}})
    return int(text)


def _refusal(message: str) -> dict[str, Any]:
    response = {"status": 400, "body": {"error": {"code": 0, "message": message}}}
    return {"error": "ONLYFANS_COM_ERROR", "message": message, "onlyfans_response": response}
