"""The log of every send attempt, in order of arrival, and what it adds up to. Memory only."""

from collections import Counter, defaultdict
from typing import Any

from sandbox import clock

OUTCOMES = ("accepted", "replayed", "limited", "error", "refused", "dropped_before", "dropped_after")


class Sends:
    def __init__(self):
        self.forget()

    def forget(self) -> None:
        self._log: list[dict[str, Any]] = []
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def arrived(self, at: int, account: str, chat: str, key: str | None) -> dict[str, Any]:
        attempt = {
            "receivedAt": at / clock.SECOND,
            "answeredAt": None,
            "account": account,
            "chatId": chat,
            "text": None,
            "price": 0,
            "idempotencyKey": key,
            "outcome": None,
        }
        self._log.append(attempt)
        return attempt

    def decided(self, attempt: dict[str, Any], outcome: str, violation: bool = False) -> None:
        attempt["outcome"] = outcome
        counts = self._counts[attempt["account"]]
        counts[outcome] += 1
        counts["violations"] += violation

    def listed(self, account: str | None) -> list[dict[str, Any]]:
        return [attempt for attempt in self._log if account in (None, attempt["account"])]

    def stats(self) -> dict[str, Any]:
        accounts = {account: _summed(counts) for account, counts in sorted(self._counts.items())}
        return {**_summed(sum(self._counts.values(), Counter())), "accounts": accounts}


def _summed(counts: Counter[str]) -> dict[str, int]:
    summed = {outcome: counts[outcome] for outcome in OUTCOMES}
    return {**summed, "total": sum(summed.values()), "violations": counts["violations"]}
