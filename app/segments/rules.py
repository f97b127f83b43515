"""The language of rules: groups of conditions over fans. Read and checked here; no database, no web.

    {"match": "all", "rules": [
        {"field": "spend", "op": "atLeast", "value": 50000},
        {"match": "none", "rules": [{"field": "tag", "op": "is", "value": "VIP"}]}]}

A group matches where all, any or none of its rules do; an empty one matches everybody. `none` excludes. What each field
is compared with is in the table below. Spend is in cents; it may be of the last `days` and of one `kind` of payment.
Moments are so many `days` or, with `"unit": "hours"`, hours away; or before a day ("2026-10-01"), or on it or after it, as the
account's clock has it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.database import LARGEST_ID
from app.errors import Invalid

MATCHES = ("all", "any", "none")
DEEPEST = 5
MOST_RULES = 100
LONGEST_TEXT = 500
LARGEST_CENTS = 10**12
MOST_DAYS = 36_500

PRESENCE = ("isSet", "isNotSet")
ON_A_DAY = ("since", "before")
AS_NUMBER = ("atLeast", "atMost")  # of a field of one's own
_TEXT = {"is": "is", "isNot": "is not", "contains": "contains", "isSet": "is known", "isNotSet": "is not known"}
OPS = {  # by the sort of a field; what each is called
    "text": _TEXT,
    "own": _TEXT | {"atLeast": "is a number of at least", "atMost": "is a number of at most"},
    "tag": {"is": "has", "isNot": "has not"},
    "money": {"atLeast": "at least", "atMost": "at most"},
    "moment": {
        "inLast": "in the last", "beforeLast": "longer ago than", "inNext": "in the next", "since": "on or after",
        "before": "before", "isSet": "at some time", "isNotSet": "never",
    },
    "flag": {"is": "is"},
    "campaign": {"got": "got", "notGot": "did not get", "bought": "bought from", "notBought": "did not buy from"},
    "number": {"is": "is"},
    "file": {"is": "is", "isNot": "is not"},
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    sort: str  # one of OPS
    label: str


IDS = {"campaign": "a campaign", "file": "an import"}
FIELDS: Mapping[str, Field] = {
    "tag": Field("tag", "Tag"),
    "spend": Field("money", "Spent"),
    "topSpend": Field("number", "Among the best, by spend"),
    "lastPurchase": Field("moment", "Bought"),
    "lastSeen": Field("moment", "Was seen"),
    "subscriptionStatus": Field("text", "Subscription"),
    "subscribedAt": Field("moment", "Subscribed"),
    "subscriptionEnds": Field("moment", "Subscription ends"),
    "campaign": Field("campaign", "Campaign"),
    "waiting": Field("flag", "Waits for an answer"),
    "weWrote": Field("moment", "Was written to"),
    "fanWrote": Field("moment", "Wrote"),
    "added": Field("moment", "Was added here"),
    "changed": Field("moment", "Was changed here"),
    "file": Field("file", "The file they came with"),
    "name": Field("text", "Name"),
    "handle": Field("text", "Handle"),
    "email": Field("text", "E-mail"),
    "phone": Field("text", "Phone"),
    "notes": Field("text", "Notes"),
    "timezone": Field("text", "Time zone"),
    "custom": Field("own", "A field of your own"),
    "platform": Field("text", "Platform"),
    "platformFanId": Field("text", "Id on the platform"),
    "linked": Field("flag", "Linked to the platform"),
    "doNotMessage": Field("flag", "Must not be messaged"),
}


@dataclass(frozen=True)
class Condition:
    field: str
    op: str
    value: Any = None
    days: int | None = None  # of spend: within so many days
    kind: str | None = None  # of spend: tip | message | subscription
    unit: str = "days"  # of moments
    name: str = ""  # of a custom field


@dataclass(frozen=True)
class Group:
    match: str = "all"
    rules: tuple["Condition | Group", ...] = ()


EVERYBODY = Group()


def parse(raw: Any, place: str = "rule") -> Group:
    """Raises Invalid, naming the part that is wrong by its place, like rule.rules.0.value."""
    group = _group(raw, place, 1)
    if _size(group) > MOST_RULES:
        raise Invalid((place, f"A rule has at most {MOST_RULES} conditions."))
    return group


def _size(rule: Condition | Group) -> int:
    return sum(map(_size, rule.rules)) if isinstance(rule, Group) else 1


def _group(raw: Any, place: str, depth: int) -> Group:
    if not isinstance(raw, dict):
        raise Invalid((place, "Must be an object with match and rules."))
    _only(raw, ("match", "rules"), place)
    match, rules = raw.get("match", "all"), raw.get("rules")
    if match not in MATCHES:
        raise Invalid((f"{place}.match", "Must be all, any or none."))
    if not isinstance(rules, list):
        raise Invalid((f"{place}.rules", "Must be a list."))
    if depth > DEEPEST:
        raise Invalid((place, f"Groups stand at most {DEEPEST} deep in each other."))
    return Group(match, tuple(_rule(each, f"{place}.rules.{n}", depth) for n, each in enumerate(rules)))


def _rule(raw: Any, place: str, depth: int) -> Condition | Group:
    if isinstance(raw, dict) and "field" not in raw:
        return _group(raw, place, depth + 1)
    return _condition(raw, place)


def _condition(raw: Any, place: str) -> Condition:
    if not isinstance(raw, dict):
        raise Invalid((place, "Must be a condition or a group."))
    field = FIELDS.get(raw["field"]) if isinstance(raw["field"], str) else None
    if field is None:
        raise Invalid((f"{place}.field", f"Must be one of {', '.join(FIELDS)}."))
    if raw.get("op") not in OPS[field.sort]:
        raise Invalid((f"{place}.op", f"Must be one of {', '.join(OPS[field.sort])}."))
    more = {"money": ("days", "kind"), "moment": ("unit",)}.get(field.sort, ())
    _only(raw, ("field", "op", "value", *more, *(("name",) if raw["field"] == "custom" else ())), place)
    if errors := list(_wrong(raw, field, place)):
        raise Invalid(*errors)
    value = None if raw["op"] in PRESENCE else raw["value"]
    return Condition(raw["field"], raw["op"], value, **{name: raw[name] for name in (*more, "name") if raw.get(name)})


def _only(raw: Mapping[str, Any], known: tuple[str, ...], place: str) -> None:
    if unknown := sorted(str(name) for name in raw if name not in known):
        raise Invalid(*((f"{place}.{name}", "Is not known here.") for name in unknown))


def _wrong(raw: Mapping[str, Any], field: Field, place: str) -> Iterator[tuple[str, str]]:
    value = raw.get("value")
    if raw["op"] not in PRESENCE and (wrong := _wrong_value(value, field.sort, raw["op"])):
        yield f"{place}.value", wrong
    if raw.get("days") is not None and not _is_number(raw["days"], MOST_DAYS):
        yield f"{place}.days", f"Must be from 1 to {MOST_DAYS}."
    if raw.get("kind") not in (None, "tip", "message", "subscription"):
        yield f"{place}.kind", "Must be tip, message or subscription."
    if raw.get("unit") not in (None, "days", "hours"):
        yield f"{place}.unit", "Must be days or hours."
    if raw["field"] == "custom" and not _is_text(raw.get("name")):
        yield f"{place}.name", "Name the field."


def _wrong_value(value: Any, sort: str, op: str) -> str:
    if op in ON_A_DAY:
        return "" if _is_day(value) else "Must be a day like 2026-10-01."
    if sort == "own" and op in AS_NUMBER:
        return "" if _is_amount(value) else "Must be a number."
    if sort in ("text", "own", "tag"):
        return "" if _is_text(value) else f"Must be a text of 1 to {LONGEST_TEXT} characters."
    if sort == "flag":
        return "" if isinstance(value, bool) else "Must be true or false."
    if sort == "money":
        return "" if value == 0 or _is_number(value, LARGEST_CENTS) else "Must be a whole number of cents, 0 or more."
    if sort in ("campaign", "file"):
        return "" if _is_number(value, LARGEST_ID) else f"Must be the id of {IDS[sort]}."
    return "" if _is_number(value, MOST_DAYS) else f"Must be from 1 to {MOST_DAYS}."


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value.strip()) > 0 and len(value) <= LONGEST_TEXT and "\0" not in value


def _is_day(value: Any) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST_CENTS


def _is_number(value: Any, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def as_json(rule: Condition | Group) -> dict[str, Any]:
    """As `parse` reads it."""
    if isinstance(rule, Group):
        return {"match": rule.match, "rules": [as_json(each) for each in rule.rules]}
    said = {"field": rule.field, "op": rule.op}
    if rule.value is not None:
        said["value"] = rule.value
    said |= {name: value for name in ("days", "kind", "name") if (value := getattr(rule, name))}
    return said | ({"unit": rule.unit} if rule.unit != "days" else {})
