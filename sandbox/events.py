"""The payloads of the vendor's webhooks."""

from typing import Any

from sandbox import clock, shapes
from sandbox.money import dollars, label
from sandbox.state import Account, Chat, Fan, Message, Transaction


def message_received(account: Account, chat: Chat, message: Message) -> dict[str, Any]:
    shape = shapes.message(account, chat, message)
    return {**shape, "fromUser": shapes.user(chat.fan), "fanData": shapes.fan_data(chat.fan)}


def message_sent(account: Account, chat: Chat, message: Message) -> dict[str, Any]:
    shape = shapes.message(account, chat, message)
    return {**shape, "toUser": shapes.user(chat.fan), "fanData": shapes.fan_data(chat.fan)}


def ppv_unlocked(account: Account, chat: Chat, message: Message, cents: int, id: int, at: int) -> dict[str, Any]:
    link = f"https://onlyfans.com/my/chats/chat/{chat.fan.id}/?firstId={message.id}"
    return {
        **_notification(account, chat.fan, id, at),
        "type": "paided_message",
        "subType": "subscriber_pay_for_chat_message",
        "text": "purchased your {MESSAGE_LINK} for {AMOUNT}",
        "replacePairs": {
            "{NAME}": chat.fan.name,
            "{MESSAGE_LINK}": f'<a href="{link}">message</a>',
            "{AMOUNT}": label(cents),
        },
    }


def tip_received(account: Account, fan: Fan, cents: int, id: int, at: int) -> dict[str, Any]:
    return {
        **_notification(account, fan, id, at),
        "type": "tip",
        "subType": "new_tips",
        "text": f"paid you a tip of {label(cents)}",
        "amountGross": dollars(cents),
        "amountNet": dollars(shapes.net_of(cents)),
        "replacePairs": {
            "{AMOUNT}": label(cents),
            "{POST_DATA}": "",
            "{POST_BLOCK}": "",
            "{SUBSCRIBER_LINK}": _subscriber_link(fan),
        },
    }


def subscribed(account: Account, fan: Fan, cents: int, id: int, at: int) -> dict[str, Any]:
    return {
        **_notification(account, fan, id, at),
        "type": "subscribed",
        "subType": "new_subscriber",
        "text": "subscribed to your profile!",
        "replacePairs": {"{SUBSCRIBER_LINK}": _subscriber_link(fan), "{PRICE}": label(cents)},
    }


def transaction_new(paid: Transaction) -> dict[str, Any]:
    fan, net = paid.fan, shapes.net_of(paid.cents)
    return {
        "id": paid.id,
        "created_at": clock.plain(paid.at),
        "type": {"messages": "message", "tips": "tip", "subscribes": "subscription"}[paid.kind],
        "tips_source": "chat" if paid.kind == "tips" else None,
        "amount": dollars(paid.cents),
        "vat_amount": 0,
        "tax_amount": 0,
        "net_amount": dollars(net),
        "fee_amount": dollars(paid.cents - net),
        "currency": "USD",
        "description": shapes.description(fan, paid.kind),
        "status": "loading",
        "fan": {"id": str(fan.id), "username": fan.username, "name": fan.name, "display_name": fan.name},
        "fanData": shapes.fan_data(fan),
    }


def _notification(account: Account, fan: Fan, id: int, at: int) -> dict[str, Any]:
    """The part all notifications share; its `user_id` is the creator, the fan is `user`."""
    return {
        "id": str(id),
        "createdAt": clock.iso(at),
        "user_id": str(account.creator_id),
        "user": shapes.user(fan),
        "isRead": False,
        "canGoToProfile": True,
        "fanData": shapes.fan_data(fan),
    }


def _subscriber_link(fan: Fan) -> str:
    return f"<a href='https://onlyfans.com/{fan.username}'>{fan.name}</a>"
