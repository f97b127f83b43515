"""Segments that everybody asks for: to use as they are, or to begin one's own with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.segments.rules import Group, parse


@dataclass(frozen=True)
class ReadyMade:
    key: str
    name: str
    rule: Group


def _all(*rules: Mapping[str, Any]) -> Group:
    return parse({"match": "all", "rules": list(rules)})


def _at_least(cents: int) -> dict[str, Any]:
    return {"field": "spend", "op": "atLeast", "value": cents}


def _below(cents: int) -> dict[str, Any]:
    return {"field": "spend", "op": "atMost", "value": cents - 1}


def _moment(field: str, op: str, days: int | None = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if days is None else {"value": days})


_EXPIRED = {"field": "subscriptionStatus", "op": "is", "value": "expired"}
_SUBSCRIBED, _UNKNOWN = _moment("subscribedAt", "inLast", 7), _moment("subscribedAt", "isNotSet")
_NEW = [  # by the platform's word; where it says nothing, by when they came in here
    {"match": "any", "rules": [_SUBSCRIBED, _UNKNOWN]},
    {"match": "any", "rules": [_SUBSCRIBED, _moment("added", "inLast", 7)]},
]
_FREE_OR_SUBSCRIBED = {  # what came by hand or by file may be for anything
    "match": "any",
    "rules": [_below(1), _at_least(1) | {"kind": "subscription"}],
}

READY_MADE = {
    each.key: each
    for each in (
        ReadyMade("best-100", "The best 100", _all({"field": "topSpend", "op": "is", "value": 100})),
        ReadyMade("big-spenders", "Big spenders: $500 or more", _all(_at_least(50_000))),
        ReadyMade("spenders", "Spenders: $50 to $499.99", _all(_at_least(5_000), _below(50_000))),
        ReadyMade("small-spenders", "Small spenders: below $50", _all(_at_least(1), _below(5_000))),
        ReadyMade("never-paid", "Never paid anything", _all(_below(1))),
        ReadyMade("new", "New in 7 days", _all(*_NEW)),
        ReadyMade("expiring", "Subscription ends within 7 days", _all(_moment("subscriptionEnds", "inNext", 7))),
        ReadyMade("expired", "Subscription expired", _all(_EXPIRED)),
        ReadyMade("silent-14", "Silent for 14 days", _all(_moment("lastSeen", "beforeLast", 14))),
        ReadyMade("silent-30", "Silent for 30 days", _all(_moment("lastSeen", "beforeLast", 30))),
        ReadyMade(
            "never-bought",
            "Subscribed for 30 days, never bought",
            _all(_moment("subscribedAt", "beforeLast", 30), _moment("lastPurchase", "isNotSet"), _FREE_OR_SUBSCRIBED),
        ),
    )
}
