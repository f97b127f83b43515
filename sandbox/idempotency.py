"""Idempotency keys as the vendor documents them: the first answer is kept for 24 hours, per account."""

from dataclasses import dataclass
from typing import Any

from sandbox import clock


@dataclass(frozen=True, slots=True)
class Kept:
    fingerprint: str
    status: int
    body: Any
    at: int


class KeyConflictError(Exception):
    """The first request with this key is still running."""


class KeyMismatchError(Exception):
    """The key was used for another body or chat."""


class Keys:
    def __init__(self):
        self._kept: dict[tuple[str, str], Kept] = {}
        self._running: dict[tuple[str, str], str] = {}

    def begin(self, account: str, key: str, fingerprint: str, at: int) -> Kept | None:
        """The kept answer, or None: then the key runs until `end`."""
        slot = (account, key)
        kept = self._kept.get(slot)
        if kept is not None and at - kept.at >= clock.DAY:
            del self._kept[slot]
            kept = None
        first = self._running.get(slot) or (kept and kept.fingerprint)
        if first and first != fingerprint:
            raise KeyMismatchError
        if slot in self._running:
            raise KeyConflictError
        if kept is None:
            self._running[slot] = fingerprint
        return kept

    def end(self, account: str, key: str) -> None:
        self._running.pop((account, key), None)

    def keep(self, account: str, key: str, kept: Kept) -> None:
        self._kept[account, key] = kept
