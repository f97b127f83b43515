"""OnlyFansAPI (docs.onlyfansapi.com): HTTP with a bearer key, dollars as numbers, HTML texts, ids as text or numbers."""

import json
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from urllib.parse import quote

import httpx

from app.platforms import wire
from app.platforms.gateway import (
    Chat,
    CredentialsLost,
    Endpoint,
    MessageDeleted,
    MessageReceived,
    MessageSent,
    MoneyMoved,
    OutcomeUnknown,
    OutgoingMessage,
    PlatformEvent,
    PlatformFan,
    PlatformMessage,
    Refused,
)
from app.platforms.html_text import html_to_text

FANS_PER_PAGE = 20  # the most that the vendor gives
EVENTS = (
    "messages.received", "messages.sent", "messages.deleted", "messages.ppv.unlocked", "tips.received",
    "subscriptions.new", "subscriptions.renewed", "accounts.session_expired", "accounts.authentication_failed",
)  # fmt: skip


class OnlyFansAPI:
    honours_idempotency_keys = True

    def __init__(self, endpoint: Endpoint) -> None:
        self._root = endpoint.base_url.rstrip("/")
        self._account = endpoint.account
        self._headers = {"Authorization": f"Bearer {endpoint.api_key}"}

    def check(self) -> str:
        body = self._call("GET", "fans/all", params={"limit": 1})
        if not isinstance(body, dict):
            raise Refused("The platform's answer was not understood.")
        return self._account

    def send(self, message: OutgoingMessage) -> str:
        content: dict[str, Any] = {"text": message.text}
        if message.media:
            content["mediaFiles"] = list(message.media)
        if message.price_cents:  # a free message leaves the price out: 0 with media was seen refused
            content["price"] = dollars(message.price_cents)
            if message.previews:
                content["previews"] = list(message.previews)
        answer = self._call(
            "POST",
            f"chats/{quote(message.chat_id, safe='')}/messages",
            json=content,
            headers={"Idempotency-Key": message.idempotency_key},
        )
        try:
            return str(answer["data"]["id"])
        except (KeyError, TypeError) as error:
            raise OutcomeUnknown("The platform's answer was not understood.") from error

    def upload(self, name: str, content_type: str, content: bytes) -> str:
        answer = self._call("POST", "media/upload", files={"file": (name, content, content_type)})
        try:
            return str(answer["prefixed_id"])
        except (KeyError, TypeError) as error:
            raise Refused("The platform did not say under which id it keeps the file.") from error

    def read_chat(self, chat_id: str, limit: int, before: str | None = None) -> Chat:
        path = f"chats/{quote(chat_id, safe='')}/messages"
        asked = {"limit": limit, "order": "desc"} | ({"first_id": before} if before else {})
        response = wire.call("GET", self._url(path), headers=self._headers, params=asked)
        found = [_message(each, chat_id) for each in _read(response)["data"]]
        # The cursor's own message comes once more.
        return Chat([each for each in found if each.id != before], wire.moment_of(response))

    def recent_chats(self, limit: int, offset: int = 0) -> list[tuple[PlatformFan, PlatformMessage]]:
        answer = self._call("GET", "chats", params={"limit": limit, "offset": offset, "order": "recent"})
        chats = [(_fan(each["fan"]), each.get("lastMessage")) for each in answer["data"]]
        return [(fan, _message(last, fan.id)) for fan, last in chats if last]

    def fans_page(self, offset: int) -> tuple[list[PlatformFan], int | None]:
        answer = self._call("GET", "fans/all", params={"limit": FANS_PER_PAGE, "offset": offset})
        data = answer["data"]
        rows = data["list"] if isinstance(data, dict) else data
        # A short page is not the last one: only the platform's own word ends the list.
        return [_fan(row) for row in rows], offset + FANS_PER_PAGE if _has_more(answer) else None

    def register_webhook(self, url: str, secret: str) -> None:
        content = {
            "endpoint_url": url,
            "signing_secret": secret,
            "events": EVENTS,
            "account_scope": "inclusive",
            "account_ids": [self._account],
        }
        self._request("POST", f"{self._root}/api/webhooks", json=content)

    def read_events(self, body: dict[str, Any]) -> list[PlatformEvent]:
        payload = body["payload"]
        match body["event"]:
            case "messages.received":
                fan = _fan(payload["fromUser"])
                return [MessageReceived(_message(payload, fan.id), fan)]
            case "messages.sent":
                fan = _fan(payload["toUser"])
                return [MessageSent(_message(payload | {"isSentByMe": True}, fan.id), fan)]
            case "messages.deleted":
                return [MessageDeleted(str(int(payload)))]
            case "messages.ppv.unlocked":
                return [_purchase(payload)]
            case "tips.received":
                return [_tip(payload)]
            case "subscriptions.new":
                return [_subscription(payload, "subscription")]
            case "subscriptions.renewed":
                return [_subscription(payload, "renewal")]
            case "accounts.session_expired" | "accounts.authentication_failed":
                return [CredentialsLost("The platform lost the creator's session: connect it again there.")]
        # transactions.new repeats what messages.ppv.unlocked and tips.received said: counting it would double the money.
        return []

    def _call(self, method: str, path: str, **options: Any) -> Any:
        return self._request(method, self._url(path), **options)

    def _url(self, path: str) -> str:
        return f"{self._root}/api/{quote(self._account, safe='')}/{path}"

    def _request(self, method: str, url: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        return _read(wire.call(method, url, headers=self._headers | (headers or {}), **options))


def dollars(cents: int) -> int | float:
    """For this wire alone: the shortest decimal that names these cents."""
    return cents // 100 if cents % 100 == 0 else float(Decimal(cents) / 100)


def cents(amount: Decimal | int | str | None) -> int:
    """From dollars as the vendor writes them: a number, or a text like "$1,012.00". Raises ValueError for others."""
    text = re.sub(r"[$,\s]", "", str(amount or 0))
    if not re.fullmatch(r"\d{1,9}(\.\d+)?", text):
        raise ValueError(f"not an amount: {str(amount)[:40]!r}")
    return int((Decimal(text) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _read(response: httpx.Response) -> Any:
    body = _parse(response)
    if isinstance(body, dict) and (body.get("success") is False or body.get("hasError") is True):
        raise Refused(str(body.get("message") or "The platform refused."))
    return body


def _parse(response: httpx.Response) -> Any:
    try:
        return wire.readable(json.loads(response.content, parse_float=Decimal)) if response.content else {}
    except (ValueError, RecursionError) as error:
        raise OutcomeUnknown("The platform's answer was not understood.") from error


def _has_more(answer: dict[str, Any]) -> bool:
    data = answer["data"]
    if isinstance(data, dict) and "hasMore" in data:
        return bool(data["hasMore"])
    return bool((answer.get("_pagination") or {}).get("next_page"))


def _message(item: dict[str, Any], chat_id: str) -> PlatformMessage:
    return PlatformMessage(
        id=str(item["id"]),
        chat_id=chat_id,
        text=html_to_text(item.get("text") or ""),
        sent_by_us=bool(item.get("isSentByMe")),
        created_at=_moment(item.get("createdAt")),
        opened=bool(item.get("isOpened")),
        price_cents=cents(item.get("price")),
        attachments=tuple(map(_attachment, item.get("media") or [])),
    )


def _attachment(medium: dict[str, Any]) -> dict[str, str]:
    found = medium.get("url") or (medium.get("full") or {}).get("url") or f"platform:{medium.get('id', '')}"
    return {"type": str(medium.get("type") or "file"), "url": str(found), "name": ""}


def _fan(user: dict[str, Any]) -> PlatformFan:
    spell = user.get("subscribedOnData") or {}
    expired = bool(user.get("subscribedOnExpiredNow"))
    return PlatformFan(
        id=str(user["id"]),
        handle=str(user.get("username") or ""),
        name=str(user.get("displayName") or user.get("name") or ""),
        avatar_url=str(user.get("avatar") or ""),
        subscription_status="expired" if expired else "active" if user.get("subscribedOn") or spell else "",
        subscribed_at=_moment(spell["subscribeAt"]) if spell.get("subscribeAt") else None,
        subscription_ends_at=_moment(spell["expiredAt"]) if spell.get("expiredAt") else None,
        last_seen_at=_moment(user["lastSeen"]) if user.get("lastSeen") else None,
    )


def _purchase(payload: dict[str, Any]) -> MoneyMoved:
    pairs = payload["replacePairs"]
    link = re.search(r"firstId=(\d+)", str(pairs.get("{MESSAGE_LINK}", "")))
    return _money(payload, "message", cents(pairs["{AMOUNT}"]), None, link[1] if link else None)


def _tip(payload: dict[str, Any]) -> MoneyMoved:
    return _money(payload, "tip", cents(payload["amountGross"]), cents(payload["amountNet"]))


def _subscription(payload: dict[str, Any], kind: str) -> MoneyMoved:
    return _money(payload, kind, cents((payload.get("replacePairs") or {}).get("{PRICE}")), None)


def _money(
    payload: dict[str, Any], kind: str, gross_cents: int, net_cents: int | None, message_id: str | None = None
) -> MoneyMoved:
    # In these events `user_id` is the creator; the fan is `user`.
    return MoneyMoved(
        transaction_id=str(payload["id"]),
        kind=kind,
        fan=_fan(payload["user"]),
        gross_cents=gross_cents,
        net_cents=net_cents,
        at=_moment(payload.get("createdAt")),
        message_id=message_id,
    )


def _moment(text: Any) -> datetime:
    """A text without a zone is in UTC; nothing at all is now."""
    if not text:
        return datetime.now(UTC)
    moment = datetime.fromisoformat(str(text))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
