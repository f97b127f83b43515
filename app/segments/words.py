"""A rule in words, as a person would say it."""

from collections.abc import Mapping

from app.formats import money, plural
from app.segments.rules import FIELDS, OPS, Condition, Group

KINDS = {"tip": "in tips", "message": "on paid messages", "subscription": "on subscriptions"}
FLAGS = {
    "waiting": ("waits for an answer", "does not wait for an answer"),
    "linked": ("is linked to the platform", "is not linked to the platform"),
    "doNotMessage": ("must not be messaged", "may be messaged"),
}


def in_words(rule: Condition | Group, campaigns: Mapping[int, str] | None = None) -> str:
    """campaigns: names by id."""
    if isinstance(rule, Condition):
        return _condition(rule, campaigns or {})
    if not rule.rules:
        return "everybody"
    parts = [in_words(each, campaigns) for each in rule.rules]
    if rule.match == "none":
        plain = len(parts) == 1 and isinstance(rule.rules[0], Condition)
        return f"not {parts[0]}" if plain else f"none of ({'; '.join(parts)})"
    if len(parts) == 1:
        return parts[0]
    brackets = (isinstance(each, Group) and len(each.rules) > 1 and each.match != "none" for each in rule.rules)
    joined = (f"({part})" if bracket else part for part, bracket in zip(parts, brackets, strict=True))
    return (" and " if rule.match == "all" else " or ").join(joined)


def _condition(asked: Condition, campaigns: Mapping[int, str]) -> str:
    field = FIELDS[asked.field]
    op = OPS[field.sort][asked.op]
    match field.sort:
        case "flag":
            return FLAGS[asked.field][0 if asked.value else 1]
        case "tag":
            return f"{'tagged' if asked.op == 'is' else 'not tagged'} {asked.value}"
        case "money":
            among = f" {KINDS[asked.kind]}" if asked.kind else ""
            return f"spent {op} {money(asked.value)}{among}{_in_days(asked.days)}"
        case "number":
            return f"among the best {asked.value:,} by spend"
        case "campaign":
            return f"{op} {campaigns.get(asked.value, f'campaign {asked.value}')}"
        case "moment":
            label = field.label[0].lower() + field.label[1:]
            if asked.value is None:
                return f"{label} {op}"
            unit = asked.unit[:-1]
            return f"{label} {op} {plural(asked.value, unit, f'{unit}s')}"
    label = asked.name if asked.field == "custom" else field.label.lower()
    return f"{label} {op}" + (f" “{asked.value}”" if asked.value is not None else "")


def _in_days(days: int | None) -> str:
    return f" in the last {plural(days, 'day', 'days')}" if days else ""
