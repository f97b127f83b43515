"""A rule in words, as a person would say it."""

from collections.abc import Mapping
from datetime import date

from app.formats import money, plural
from app.segments.rules import FIELDS, ON_A_DAY, OPS, Condition, Group

Names = Mapping[str, Mapping[int, str]]  # by the sort of a field: of each id
NAMELESS: Names = {"campaign": {}, "file": {}}
KINDS = {"tip": "in tips", "message": "on paid messages", "subscription": "on subscriptions"}
FLAGS = {
    "waiting": ("waits for an answer", "does not wait for an answer"),
    "linked": ("is linked to the platform", "is not linked to the platform"),
    "doNotMessage": ("must not be messaged", "may be messaged"),
}


def in_words(rule: Condition | Group, names: Names = NAMELESS) -> str:
    if isinstance(rule, Condition):
        return _condition(rule, names)
    if not rule.rules:
        return "everybody"
    parts = [in_words(each, names) for each in rule.rules]
    if rule.match == "none":
        plain = len(parts) == 1 and isinstance(rule.rules[0], Condition)
        return f"not {parts[0]}" if plain else f"none of ({'; '.join(parts)})"
    if len(parts) == 1:
        return parts[0]
    brackets = (isinstance(each, Group) and len(each.rules) > 1 and each.match != "none" for each in rule.rules)
    joined = (f"({part})" if bracket else part for part, bracket in zip(parts, brackets, strict=True))
    return (" and " if rule.match == "all" else " or ").join(joined)


def _condition(asked: Condition, names: Names) -> str:
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
            return f"{op} {names['campaign'].get(asked.value, f'campaign {asked.value}')}"
        case "file":
            file = names["file"].get(asked.value, f"file {asked.value}")
            return f"{'came' if asked.op == 'is' else 'did not come'} with {file}"
        case "moment":
            label = field.label[0].lower() + field.label[1:]
            if asked.value is None:
                return f"{label} {op}"
            if asked.op in ON_A_DAY:
                return f"{label} {op} {_day(asked.value)}"
            unit = asked.unit[:-1]
            return f"{label} {op} {plural(asked.value, unit, f'{unit}s')}"
    label = asked.name if asked.field == "custom" else field.label.lower()
    if isinstance(asked.value, int | float):
        return f"{label} {op} {asked.value:g}"
    return f"{label} {op}" + (f" “{asked.value}”" if asked.value is not None else "")


def _day(value: str) -> str:
    day = date.fromisoformat(value)
    return f"{day.day} {day:%b %Y}"


def _in_days(days: int | None) -> str:
    return f" in the last {plural(days, 'day', 'days')}" if days else ""
