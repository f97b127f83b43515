"""What the platform tells of, as its vendor posts it."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from app.conversations import incoming
from app.database import db
from app.platforms.models import Connection, StoredEvent
from tests.people import Person

FAN = {"id": 100000001, "username": "fan1", "name": "Fan One", "displayName": "Fan One", "subscribedOn": True}


class Platform:
    """Posts as the vendor does."""

    def __init__(self, person: Person, connection_id: int) -> None:
        self.person, self.path = person, f"/webhooks/{connection_id}"
        with person.app.app_context():
            self.secret = db.session.get_one(Connection, connection_id).webhook_secret

    def post(self, event: str, payload: object, key: str = "evt_1", signature: str | None = None):
        body = json.dumps({"event": event, "account_id": "acct_demo", "payload": payload}).encode()
        signed = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"Signature": signature if signature is not None else signed, "X-OFAPI-Idempotency-Key": key}
        return self.person.app.test_client().post(self.path, data=body, headers=headers)

    def tell(self, event: str, payload: object, key: str = "evt_1") -> None:
        assert self.post(event, payload, key).status_code == 204
        self.work()

    def work(self, after: int = 0) -> int:
        """On what came after the event of this id. Returns the newest's."""
        with self.person.app.app_context():
            ids = db.session.scalars(
                select(StoredEvent.id).where(StoredEvent.id > after).order_by(StoredEvent.id)
            ).all()
            for event_id in ids:
                incoming.handle_event(event_id)
        return max(ids, default=after)


def said(text: str = "<p>Hi &amp; hello<br />you</p>", message_id: int = 9007199254740993) -> dict:
    return {
        "id": message_id,
        "text": text,
        "fromUser": FAN,
        "createdAt": "2026-11-01T12:00:00+00:00",
        "price": 0,
        "media": [],
    }


def paid(payment: Mapping[str, Any]) -> tuple[str, dict]:
    """The event of a payment, and what it says. payment: its `number`, `kind`, `cents` gross, `fan` (a number too) and `at`."""
    fan = {"id": 100_000_000 + payment["fan"], "username": f"fan{payment['fan']}", "name": f"Fan {payment['fan']}"}
    payload = {"id": str(9000 + payment["number"]), "createdAt": payment["at"].isoformat(), "user": fan}
    cents = payment["cents"]
    spelled = f"${cents / 100:,.2f}"
    match payment["kind"]:
        case "tip":
            return "tips.received", payload | {"amountGross": cents / 100, "amountNet": net(cents) / 100}
        case "message":
            return "messages.ppv.unlocked", payload | {"replacePairs": {"{AMOUNT}": spelled}}
        case "renewal":
            return "subscriptions.renewed", payload | {"replacePairs": {"{PRICE}": spelled}}
    return "subscriptions.new", payload | {"replacePairs": {"{PRICE}": spelled}}


def net(cents: int) -> int:
    """What remains after the platform's fifth."""
    return cents * 80 // 100
