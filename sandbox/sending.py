"""POST /api/{account}/chats/{chat}/messages: the one call that limits, faults and idempotency keys are about.

Everything is decided at the moment of arrival, under the lock; a delay only holds the answer back.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from sandbox import clock, events, shapes
from sandbox.calls import DROP, Answer, Call, HttpError, read_json
from sandbox.idempotency import KeyConflictError, KeyMismatchError
from sandbox.journal import Event
from sandbox.message_rules import checked
from sandbox.money import cents_of, dollars
from sandbox.state import Account, Message
from sandbox.world import World

KEY = re.compile(r"[\x20-\x7e]{1,255}")
REFUSAL = {
    "error": "ONLYFANS_COM_ERROR",
    "message": "OnlyFans.com returned an error.",
    "onlyfans_response": {"status": 400, "body": {"error": {"code": 0, "message": "Cannot send message to this user"}}},
}
LIMITED = {"error": "TOO_MANY_REQUESTS", "message": "Too many requests. Please slow down."}
BROKEN = {"error": "SERVER_ERROR", "message": "Something went wrong. The outcome of the request is unknown."}


@dataclass(slots=True)
class Verdict:
    """What becomes of an attempt; `runs` while its key has not been answered yet."""

    outcome: str
    answer: Answer
    violation: bool = False
    runs: bool = False


def send(world: World, call: Call, account_id: str, chat_id: str) -> Answer:
    key = call.headers.get("Idempotency-Key")
    with world.lock:
        at = clock.now()
        attempt = world.sends.arrived(at, account_id, chat_id, key)
        attempt["requestId"] = call.headers.get("X-Request-ID")
        verdict = Attempt(world, account_id, chat_id, key, at).judge(call.body, attempt)
        world.sends.decided(attempt, verdict.outcome, verdict.violation)
        delay = world.faults.delaySeconds if verdict.runs else 0
    if delay:
        world.stopping.wait(delay)
    if verdict.runs and key is not None:
        with world.lock:
            world.state.keys.end(account_id, key)
    if verdict.answer is not DROP:
        attempt["answeredAt"] = clock.now() / clock.SECOND
    return verdict.answer


class Attempt:
    def __init__(self, world: World, account_id: str, chat_id: str, key: str | None, at: int):
        self.world, self.account_id, self.chat_id, self.key, self.at = world, account_id, chat_id, key, at
        self.fingerprint = ""

    def judge(self, raw: bytes, log: dict[str, Any]) -> Verdict:
        try:
            body = _read_body(raw)
        except HttpError as error:
            return Verdict("refused", error.answer)
        _log_body(log, body)
        self.fingerprint = _fingerprint(self.chat_id, body)
        earlier = self._earlier_answer()
        if earlier is not None:
            return earlier
        late = self.world.limiter.wait(self.account_id, self.at)
        if late:
            if self.key is not None:
                self.world.state.keys.end(self.account_id, self.key)
            return Verdict("limited", _limited(-(-late // clock.SECOND)), violation=True)
        return self._with_fault(self.world.dice.draw(), body)

    def _earlier_answer(self) -> Verdict | None:
        if self.key is None:
            return None
        if not KEY.fullmatch(self.key):
            return Verdict(
                "refused", _key_error(400, "IDEMPOTENCY_KEY_INVALID", "1 to 255 printable ASCII characters.")
            )
        try:
            kept = self.world.state.keys.begin(self.account_id, self.key, self.fingerprint, self.at)
        except KeyConflictError:
            return Verdict("replayed", _key_error(409, "IDEMPOTENCY_CONFLICT", "The first request is still running."))
        except KeyMismatchError:
            return Verdict(
                "refused", _key_error(422, "IDEMPOTENCY_KEY_MISMATCH", "The key belongs to another request.")
            )
        return kept and Verdict("replayed", _answer(kept.status, kept.body, replayed=True))

    def _with_fault(self, fault: str | None, body: dict[str, Any]) -> Verdict:
        match fault:
            case "error429":
                return Verdict("limited", _limited(1), runs=True)
            case "error500" | "error503":
                return Verdict("error", Answer(int(fault[5:]), BROKEN), runs=True)
            case "dropBefore":
                return Verdict("dropped_before", DROP, runs=True)
            case "refuse":
                return self._refuse(400, REFUSAL)
        verdict = self._accept(body)
        if fault == "dropAfterAccept" and verdict.outcome == "accepted":
            return Verdict("dropped_after", DROP, runs=True)
        return verdict

    def _accept(self, body: dict[str, Any]) -> Verdict:
        account = self.world.state.account(self.account_id)
        chat = account.find_chat(int(self.chat_id))
        if chat is None:
            return self._refuse(404, {"error": "NOT_FOUND", "message": "Chat not found."})
        fields, errors = checked(account, body)
        if errors:
            return self._refuse(422, {"message": next(iter(errors.values()))[0], "errors": errors})
        message = Message(id=self.world.state.next_id(), at=self.at, mine=True, **fields)
        data = shapes.message(account, chat, message)
        self.world.commit(
            ("message", {"account": account.id, "chat": chat.fan.id, **asdict(message)}),
            *_used(account, body),
            *self._kept(200, data),
        )
        self.world.tell("messages.sent", account.id, events.message_sent(account, chat, message))
        return Verdict("accepted", _answer(200, data), runs=True)

    def _refuse(self, status: int, body: dict[str, Any]) -> Verdict:
        self.world.commit(*self._kept(status, body))
        return Verdict("refused", Answer(status, body), runs=True)

    def _kept(self, status: int, body: dict[str, Any]) -> list[Event]:
        """The first answer is the answer for this key from now on; 429, 5xx and dropped calls never come here."""
        if self.key is None:
            return []
        kept = {"fingerprint": self.fingerprint, "status": status, "body": body, "at": self.at}
        return [("answered", {"account": self.account_id, "key": self.key, **kept})]


def _read_body(raw: bytes) -> dict[str, Any]:
    try:
        body = read_json(raw)
    except ValueError as error:
        raise HttpError(400, {"error": "VALIDATION_ERROR", "message": f"The body is not JSON: {error}"}) from error
    if not isinstance(body, dict):
        raise HttpError(400, {"error": "VALIDATION_ERROR", "message": "The body must be a JSON object."})
    return body


def _log_body(log: dict[str, Any], body: dict[str, Any]) -> None:
    log["text"] = body.get("text")
    price = body.get("price") or 0
    cents = cents_of(price)
    log["price"] = dollars(cents) if cents is not None else str(price)


def _fingerprint(chat_id: str, body: dict[str, Any]) -> str:
    canonical = json.dumps([chat_id, body], sort_keys=True, default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _used(account: Account, body: dict[str, Any]) -> list[Event]:
    used = list(dict.fromkeys(one for one in body.get("mediaFiles") or () if one in account.uploads))
    return [("used", {"account": account.id, "prefixed_ids": used})] if used else []


def _answer(status: int, body: Any, replayed: bool = False) -> Answer:
    headers = {"Idempotent-Replayed": "true"} if replayed else {}
    if status == 200:
        return shapes.enveloped(body, used=0 if replayed else 1, headers=headers)
    return Answer(status, body, headers)


def _key_error(status: int, error: str, message: str) -> Answer:
    return Answer(status, {"error": error, "message": message})


def _limited(seconds: int) -> Answer:
    return Answer(429, {**LIMITED, "retry_after": seconds}, {"Retry-After": str(seconds)})
