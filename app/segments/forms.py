"""A rule as a page has it: groups of conditions, all of which must hold. What is entered stays as entered until it is a rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from app.errors import Invalid
from app.segments.rules import AS_NUMBER, FIELDS, ON_A_DAY, OPS, PRESENCE, Condition, Group, parse

MOST_GROUPS = 10
MOST_CONDITIONS = 20  # of a group
PARTS = ("field", "op", "value", "days", "kind", "unit", "name")
FIRST = {"field": "tag", "op": "is"}
_WORDS = {
    "money": "Enter an amount in dollars, 0 or more.",
    "campaign": "Choose a campaign.",
    "file": "Choose a file.",
    "tag": "Which tag?",
}


@dataclass
class Line:
    """A condition as it was entered; all texts."""

    said: dict[str, str]
    error: str = ""

    @property
    def sort(self) -> str:
        return FIELDS[self.said["field"]].sort

    @property
    def ops(self) -> dict[str, str]:
        return OPS[self.sort]

    @property
    def wants_value(self) -> bool:
        return self.said["op"] not in PRESENCE

    @property
    def on_a_day(self) -> bool:
        return self.said["op"] in ON_A_DAY

    @property
    def is_amount(self) -> bool:
        return self.sort == "own" and self.said["op"] in AS_NUMBER

    @property
    def value_words(self) -> str:
        """What to enter, where nothing sensible is."""
        return "Choose a day." if self.on_a_day else _WORDS.get(self.sort, "")

    def rule(self) -> dict[str, Any]:
        said: dict[str, Any] = {}
        said |= {name: value for name, value in self.said.items() if value and name in ("field", "op", "name")}
        if self.wants_value:
            read = str if self.on_a_day else _amount if self.is_amount else _VALUES.get(self.sort, str)
            said["value"] = read(self.said.get("value", ""))
        for name in {"money": ("days", "kind"), "moment": ("unit",)}.get(self.sort, ()):
            if text := self.said.get(name):
                said[name] = _number(text) if name == "days" else text
        if self.said["field"] != "custom":
            said.pop("name", None)
        return said


def _number(text: str) -> int | str:
    return int(text) if text.strip().isdecimal() and len(text) < 19 else text


def _amount(text: str) -> float | str:
    try:
        return float(text.strip())
    except ValueError:
        return text


def _cents(text: str) -> int | str:
    try:
        cents = Decimal(text.replace(",", "").replace("$", "").strip()) * 100
        return int(cents) if cents == int(cents) else text
    except (InvalidOperation, ValueError, OverflowError):
        return text


_VALUES: dict[str, Any] = {
    "money": _cents, "moment": _number, "number": _number, "campaign": _number, "file": _number,
    "flag": lambda text: text != "no",
}  # fmt: skip


@dataclass
class Block:
    match: str
    lines: list[Line]


@dataclass
class RuleForm:
    name: str = ""
    blocks: list[Block] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    def rule(self) -> Group:
        """Raises Invalid."""
        groups = [{"match": block.match, "rules": [line.rule() for line in block.lines]} for block in self.blocks]
        return parse({"match": "all", "rules": groups})

    def show_errors(self, *, also_of_empty: bool) -> None:
        """Beside each line what is wrong with it. One that was only just begun is not wrong yet."""
        for line in (line for block in self.blocks for line in block.lines):
            try:
                parse({"rules": [line.rule()]})
            except Invalid as invalid:
                place, words = invalid.errors[0]
                if also_of_empty or line.said.get("value"):
                    line.error = (line.value_words or words) if place.endswith("value") else words

    def do(self, what: str) -> None:
        """A button of the page: group | line:2 | drop:2:0, with numbers of groups and lines."""
        verb, *numbers = what.split(":")
        at = [int(each) for each in numbers if each.isdecimal()]
        if verb == "group" and len(self.blocks) < MOST_GROUPS:
            self.blocks.append(Block("all", [Line(dict(FIRST))]))
        elif verb == "line" and at and at[0] < len(self.blocks) and len(self.blocks[at[0]].lines) < MOST_CONDITIONS:
            self.blocks[at[0]].lines.append(Line(dict(FIRST)))
        elif verb == "drop" and len(at) == 2 and at[0] < len(self.blocks) and at[1] < len(self.blocks[at[0]].lines):
            del self.blocks[at[0]].lines[at[1]]
            if not self.blocks[at[0]].lines:
                del self.blocks[at[0]]


def entered(form: Mapping[str, str]) -> RuleForm:
    """From the fields `group-0`, `line-0-1-field`, `line-0-1-op` and so on."""
    blocks = []
    for group in range(MOST_GROUPS):
        lines = [line for number in range(MOST_CONDITIONS) if (line := _line(form, f"line-{group}-{number}"))]
        if lines:
            match = form.get(f"group-{group}", "all")
            blocks.append(Block(match if match in ("all", "any", "none") else "all", lines))
    return RuleForm(form.get("name", "").replace("\0", ""), blocks)


def _line(form: Mapping[str, str], prefix: str) -> Line | None:
    said = {part: form.get(f"{prefix}-{part}", "").replace("\0", "") for part in PARTS}
    if said["field"] not in FIELDS:
        return None
    ops = OPS[FIELDS[said["field"]].sort]
    if said["op"] not in ops:  # another field was chosen: what was said of the one before does not fit it
        said = {"field": said["field"], "op": next(iter(ops))}
    return Line(said)


def form_of(name: str, rule: Group) -> RuleForm | None:
    """None for a rule with groups in groups, which a program has made: no page can show it."""
    plain = tuple(each for each in rule.rules if isinstance(each, Condition))
    groups = [Group("all", plain)] if plain else []
    groups += [each for each in rule.rules if isinstance(each, Group)]
    if rule.match != "all":
        groups = [rule] if rule.rules else []
    if any(isinstance(each, Group) for group in groups for each in group.rules):
        return None
    return RuleForm(name, [Block(group.match, [_shown(each) for each in group.rules]) for group in groups])


def _shown(condition: Condition | Group) -> Line:
    assert isinstance(condition, Condition)
    value = condition.value
    if condition.field == "spend":
        value = f"{Decimal(value) / 100:f}"
    elif isinstance(value, float):
        value = f"{value:g}"
    elif isinstance(value, bool):
        value = "yes" if value else "no"
    said = {
        "value": value,
        "days": condition.days,
        "kind": condition.kind,
        "unit": condition.unit,
        "name": condition.name,
    }
    return Line(
        {"field": condition.field, "op": condition.op}
        | {key: str(text) for key, text in said.items() if text not in (None, "")}
    )
