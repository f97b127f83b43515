"""How fans, chats, messages and money look on the vendor's wire."""

import html
from itertools import count
from typing import Any
from urllib.parse import urlencode

from sandbox import clock
from sandbox.calls import Answer, Call
from sandbox.money import dollars
from sandbox.state import Account, Chat, Fan, Message, Transaction

CANCEL_SECONDS = 86_400
RATE_LIMITS = {"limit_minute": 5000, "limit_day": None, "remaining_minute": 4999, "remaining_day": None}
_credits = count(1)


def enveloped(data: Any, next_page: str | None = None, used: int = 1, headers: dict[str, str] | None = None) -> Answer:
    balance = 1_000_000 - next(_credits)
    meta = {
        "_credits": {"used": used, "balance": balance, "note": "Always"},
        "_cache": {"is_cached": False, "note": "Cache disabled for this endpoint"},
        "_rate_limits": RATE_LIMITS,
    }
    spent = {"x-ofapi-credits-used": str(used), "x-ofapi-credits-balance": str(balance)}
    body = {"data": data, "_pagination": {"next_page": next_page}, "_meta": meta}
    return Answer(200, body, {**spent, "x-ofapi-is-cached": "false", **(headers or {})})


def page_address(call: Call, **parameters: Any) -> str:
    asked = {**call.query, **{name: str(value) for name, value in parameters.items()}}
    return f"{call.base}{call.path}?{urlencode(asked)}"


def html_text(text: str) -> str:
    lines = html.escape(text).replace("\r\n", "\n").split("\n")
    return "<p>" + "<br />\n".join(lines) + "</p>"


def user(fan: Fan) -> dict[str, Any]:
    """A fan as the user of an event or chat."""
    return {
        "id": fan.id,
        "name": fan.name,
        "username": fan.username,
        "displayName": fan.name,
        "avatar": None,
        "avatarThumbs": None,
        "isVerified": False,
        "isBlocked": False,
        "isRestricted": False,
        "isPerformer": False,
        "tipsMin": 5,
        "tipsMax": 200,
        "subscribedOn": fan.active,
        "subscribedOnExpiredNow": not fan.active,
        "canReceiveChatMessage": True,
        "listsStates": [],
        "lastSeen": fan.last_seen,
        "view": "s",
    }


def fan(fan: Fan) -> dict[str, Any]:
    """A fan in a list: with what they spent, in dollars."""
    return {
        **user(fan),
        "subscribedOnData": {
            "price": 0,
            "regularPrice": 0,
            "status": None if fan.active else "Expired",
            **_spell(fan),
            "totalSumm": dollars(sum(fan.spent.values())),
            "messagesSumm": dollars(fan.spent["messages"]),
            "tipsSumm": dollars(fan.spent["tips"]),
            "subscribesSumm": dollars(fan.spent["subscribes"]),
            "postsSumm": 0,
            "streamsSumm": 0,
            "lastActivity": fan.last_seen,
            "subscribes": [],
        },
    }


def _spell(fan: Fan) -> dict[str, str]:
    """Since when they are subscribed, and until when: told from their id, the same each day."""
    today = clock.now() // clock.DAY * clock.DAY
    ends = today + (fan.id % 30 + 1 if fan.active else -(fan.id % 60) - 1) * clock.DAY
    return {"subscribeAt": clock.iso(ends - (fan.id % 12 + 1) * 30 * clock.DAY), "expiredAt": clock.iso(ends)}


def fan_data(fan: Fan) -> dict[str, Any]:
    spending = {kind: dollars(cents) for kind, cents in fan.spent.items()}
    total = dollars(sum(fan.spent.values()))
    return {
        "available": True,
        "last_updated_at": clock.iso_micros(clock.now()),
        "spending": {"total": total, **spending, "posts": 0, "streams": 0},
        "previous_reply_at": None,
    }


def message(account: Account, chat: Chat, message: Message) -> dict[str, Any]:
    unpaid = message.price > 0 and not message.bought
    return {
        "responseType": "message",
        "id": message.id,
        "text": html_text(message.text),
        "createdAt": clock.iso(message.at),
        "changedAt": clock.iso(message.at),
        "price": dollars(message.price),
        "isFree": message.price == 0,
        "isTip": message.tip,
        "isOpened": message.opened,
        "isNew": not message.opened if message.mine else message.id > chat.read_to,
        "isLiked": False,
        "isPinned": False,
        "isSentByMe": message.mine,
        "isFromQueue": False,
        "queueId": None,
        "isMediaReady": True,
        "mediaCount": len(message.media),
        "media": [media(item) for item in message.media],
        "previews": message.previews,
        "lockedText": message.locked,
        "giphyId": None,
        "canPurchase": unpaid and not message.mine,
        "canPurchaseReason": "purchased" if message.bought else "opened" if unpaid else "free",
        "cancelSeconds": _cancel_seconds(message),
        "canReport": not message.mine,
        "canBePinned": True,
        "isReportedByMe": False,
        "isCouplePeopleMedia": False,
        "isMarkdownDisabled": True,
        "releaseForms": [],
        "replyToMessage": {"id": message.reply_to} if message.reply_to else None,
        "fromUser": {"id": account.creator_id if message.mine else chat.fan.id, "_view": "s"},
    }


def _cancel_seconds(message: Message) -> int:
    age = (clock.now() - message.at) // clock.SECOND
    return max(0, CANCEL_SECONDS - age) if message.mine else 0


def media(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": item["id"],
        "type": item["type"],
        "convertedToVideo": False,
        "canView": True,
        "hasError": False,
        "createdAt": None,
        "isReady": True,
        "files": {"full": {"url": f"https://cdn2.onlyfans.com/sandbox/{item['id']}", "size": 0, "sources": []}},
        "duration": 0,
        "hasCustomPreview": False,
        "releaseForms": [],
    }


def chat(account: Account, chat: Chat) -> dict[str, Any]:
    newest = next(reversed(chat.messages.values()))
    unread = [one for one in chat.messages.values() if not one.mine and one.id > chat.read_to]
    return {
        "fan": fan(chat.fan),
        "lastMessage": message(account, chat, newest),
        "unreadMessagesCount": len(unread),
        "lastReadMessageId": chat.read_to,
        "canSendMessage": True,
        "canNotSendReason": False,
        "canGoToProfile": True,
        "hasUnreadTips": any(one.tip for one in unread),
        "isMutedNotifications": False,
        "countPinnedMessages": 0,
        "hasPurchasedFeed": False,
    }


DESCRIPTIONS = {"messages": "Payment for message from", "tips": "Tip from", "subscribes": "Subscription from"}


def description(fan: Fan, kind: str) -> str:
    return f'{DESCRIPTIONS[kind]} <a href="https://onlyfans.com/{fan.username}">{html.escape(fan.name)}</a>'


def transaction(paid: Transaction) -> dict[str, Any]:
    net = net_of(paid.cents)
    return {
        "id": paid.id,
        "amount": dollars(paid.cents),
        "fee": dollars(paid.cents - net),
        "net": dollars(net),
        "vatAmount": 0,
        "taxAmount": 0,
        "currency": "USD",
        "createdAt": clock.iso(paid.at),
        "description": description(paid.fan, paid.kind),
        "status": "loading",
        "payoutPendingDays": 7,
        "user": {"id": paid.fan.id, "name": paid.fan.name, "username": paid.fan.username},
    }


def net_of(cents: int) -> int:
    """The creator's 80 %, the platform's share rounded up."""
    return cents * 80 // 100
