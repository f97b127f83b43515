"""Signed deliveries, in order per endpoint, from one background thread each."""

import hashlib
import hmac
import json
import queue
import secrets
import sys
import threading
from collections import deque
from dataclasses import dataclass
from typing import Any

import httpx

EVENTS = (
    "messages.received",
    "messages.sent",
    "messages.deleted",
    "messages.ppv.unlocked",
    "tips.received",
    "transactions.new",
    "subscriptions.new",
    "subscriptions.renewed",
    "accounts.session_expired",
    "accounts.authentication_failed",
)
TIMEOUT_SECONDS = 15
PAUSES_SECONDS = (0.5, 1, 2, 4, 8)
HISTORY = 10_000


@dataclass(frozen=True, slots=True)
class Delivery:
    hook_id: str
    id: str
    body: bytes


class Webhooks:
    def __init__(self, stopping: threading.Event):
        self._stopping = stopping
        self._endpoints: dict[str, Endpoint] = {}
        self._history: deque[Delivery] = deque(maxlen=HISTORY)

    def register(self, hook: dict[str, Any]) -> None:
        """Begin to deliver to a hook, or go on under its changed settings."""
        if hook["id"] in self._endpoints:
            self._endpoints[hook["id"]].hook = hook
        else:
            self._endpoints[hook["id"]] = Endpoint(hook, self._stopping)

    def remove(self, hook_id: str) -> None:
        self._endpoints.pop(hook_id).queue.put(None)

    def deliver(self, event: str, account: str, payload: Any) -> None:
        body = None
        for endpoint in self._endpoints.values():
            if _wants(endpoint.hook, event, account):
                body = body or json.dumps({"event": event, "account_id": account, "payload": payload}).encode()
                delivery = Delivery(endpoint.hook["id"], f"evt_{secrets.token_hex(20)}", body)
                self._history.append(delivery)
                endpoint.queue.put(delivery)

    def redeliver(self, last: int) -> int:
        """Send the last deliveries again, same ids and bytes; those of removed hooks are left out."""
        again = [one for one in list(self._history)[-last:] if one.hook_id in self._endpoints]
        for delivery in again:
            self._endpoints[delivery.hook_id].queue.put(delivery)
        return len(again)


class Endpoint:
    def __init__(self, hook: dict[str, Any], stopping: threading.Event):
        self.hook = hook
        self.queue: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._stopping = stopping
        threading.Thread(target=self._run, name=f"webhook-{hook['id']}", daemon=True).start()

    def _run(self) -> None:
        # A proxy named in the environment has no business with deliveries on this machine.
        with httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            while (delivery := self.queue.get()) is not None and not self._stopping.is_set():
                self._insist(client, delivery)

    def _insist(self, client: httpx.Client, delivery: Delivery) -> None:
        trouble = self._post(client, delivery)
        for pause in PAUSES_SECONDS:
            if trouble is None or self._stopping.wait(pause):
                return
            trouble = self._post(client, delivery)
        if trouble is not None:
            print(f"sandbox: webhook {delivery.id} not delivered to {self.hook['url']}: {trouble}", file=sys.stderr)

    def _post(self, client: httpx.Client, delivery: Delivery) -> str | None:
        """What went wrong, or None."""
        headers = {"Content-Type": "application/json", "X-OFAPI-Idempotency-Key": delivery.id}
        if secret := self.hook["signing_secret"]:
            headers["Signature"] = hmac.new(secret.encode(), delivery.body, hashlib.sha256).hexdigest()
        try:
            response = client.post(self.hook["url"], content=delivery.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return repr(error)
        return None if response.is_success else f"answered {response.status_code}"


def _wants(hook: dict[str, Any], event: str, account: str) -> bool:
    if not hook["enabled"] or event not in hook["events"]:
        return False
    if hook["account_scope"] == "global":
        return True
    return (account in hook["account_ids"]) == (hook["account_scope"] == "inclusive")
