"""What becomes of a row about a fan: new, changed in these fields, unchanged, in conflict, or left out."""

import json
from dataclasses import dataclass
from typing import Any

from app.bulk import reserve_ids
from app.database import table_of
from app.fans.keys import MOST_TAGS, clean_tags, email_key, handle_key, keys_of
from app.fans.models import Fan
from app.imports.decisions import Decisions, text_of
from app.imports.headers import CUSTOM, FAN_MOMENTS
from app.imports.matching import Clash, Crowd, load_crowd, tags_of
from app.imports.models import ImportKind, Outcome
from app.imports.options import NAMES_TO_MATCH, Rules
from app.imports.plan import Column, Plan
from app.imports.repeats import Repeats, keys_left, keys_sought, names_of
from app.imports.row import Person, Reading, person_of, problem_at

PLAIN = frozenset(
    {"name", "handle", "email", "phone", "avatar_url", "platform_fan_id", "notes", "subscription_status", "timezone"}
)  # fmt: skip
STANDS_AS = {name: name for name in (*PLAIN, *FAN_MOMENTS, "do_not_message")} | {"value_cents": "stated_value_cents"}
FIELDS = frozenset({*STANDS_AS, "tags", CUSTOM})
NAMES = ("platform_fan_id", "handle", "email", "name")


@dataclass
class FanRows:
    """Decides about sets of rows, the last of the file first."""

    account_id: int
    plan: Plan
    rules: Rules
    repeats: Repeats

    def names(self, reading: Reading) -> list[str]:
        """What the first pass notes of a row."""
        return names_of(person_of(reading.values))

    def decide(self, readings: list[Reading], decisions: Decisions) -> None:
        """Reads the database, and reserves ids for new fans: inside a unit of work. Does not commit."""
        persons = [person_of(reading.values) for reading in readings]
        crowd = load_crowd(self.account_id, persons, self.repeats.has_handle)
        tags = tags_of(crowd.fans) if "tags" in self._fields() else {}
        new: list[tuple[Reading, dict[str, Any]]] = []
        for reading, person in zip(readings, persons, strict=True):
            try:
                wanted = self._decide(reading, person, crowd, tags, decisions)
            except Clash as clash:
                column = self.plan.fields.get(clash.field) if clash.field else self._naming(reading)
                decisions.skip(reading, Outcome.CONFLICT, problem_at(column, reading, clash.detail))
                continue
            if wanted is not None:
                new.append((reading, wanted))
        for (reading, wanted), fan_id in zip(new, reserve_ids(table_of(Fan), len(new)), strict=True):
            decisions.take(reading, Outcome.NEW, fan_id, new_fan(wanted))

    def _fields(self) -> set[str]:
        return {"tags" if column.field == "tier" else column.field for column in self.plan.columns}

    def _decide(
        self, reading: Reading, person: Person, crowd: Crowd, tags: dict[int, dict[str, str]], decisions: Decisions
    ) -> dict[str, Any] | None:
        """The values of a new fan; None where it is decided. Raises Clash."""
        sought = self._sought(person)
        repeated = self._may_repeat(person, sought)
        try:
            fan = crowd.find(sought)
        except Clash:
            if repeated:
                self._last_word(reading, sought, None)
            raise
        known_otherwise = fan is not None and self._has_other_names(fan, sought)
        if (repeated or known_otherwise) and (later := self._last_word(reading, sought, fan)):
            raise Clash("", f"Row {later} is about the same fan, and the later row counts")
        if left_out := self._left_out_by_mode(fan):
            return decisions.skip(reading, Outcome.REJECTED, problem_at(self._naming(reading), reading, left_out))
        self._check_names(person, fan, crowd)
        if repeated:
            self._claim(reading, person)
        wanted = self._wanted(reading, fan)
        if fan is None:
            _with_tags({}, wanted.get("tags", []), self.rules)
            return wanted
        before, after = changes_of(fan, wanted, tags.get(fan.id, {}), self.rules)
        outcome = Outcome.CHANGED if after else Outcome.UNCHANGED
        return decisions.take(reading, outcome, fan.id, after or None, before or None)

    def _sought(self, person: Person) -> Person:
        """With those names alone by which rows find their fans."""
        match = self.rules.match
        if match == NAMES_TO_MATCH:
            return person
        return person._replace(
            platform_id=person.platform_id if "platform_fan_id" in match else None,
            handle=person.handle if "handle" in match else None,
            email=person.email if "email" in match else None,
        )

    def _may_repeat(self, person: Person, sought: Person) -> bool:
        """Whether another row of the file may have one of these names."""
        own = names_of(person) if sought is person else [*names_of(person), *names_of(sought)]
        return any(map(self.repeats.may_repeat, own))

    def _has_other_names(self, fan: Any, sought: Person) -> bool:
        """Whether another row may know the same fan by a name that this one does not have."""
        theirs = Person(fan.platform_fan_id, fan.handle_key, fan.email_key, fan.name)
        if theirs == sought:
            return False
        own = names_of(sought)
        return any(self.repeats.may_be_there(key) for key in names_of(theirs) if key not in own)

    def _last_word(self, reading: Reading, sought: Person, fan: Any | None) -> int | None:
        """The later row about the same fan, if there is one."""
        fan_id = fan.id if fan else None
        later = self.repeats.find(keys_sought(sought, fan_id))
        self.repeats.keep(keys_left(sought, fan_id), reading.row)
        return later

    def _left_out_by_mode(self, fan: Any | None) -> str | None:
        if fan is None and self.rules.mode == "update":
            return "No such fan, and only known fans were to be updated"
        if fan is not None and self.rules.mode == "create":
            return "This fan is known already, and only new fans were to be added"
        return None

    def _check_names(self, person: Person, fan: Any | None, crowd: Crowd) -> None:
        """A platform id and a handle belong to one fan each; an e-mail is not taken from another. Raises Clash."""
        owner = crowd.owner_of(person)
        if owner is not None and (fan is None or owner.id != fan.id):
            raise Clash(
                "handle" if person.handle == owner.handle_key else "platform_fan_id", "Another fan has this name"
            )
        if fan is not None and person.email and person.email != fan.email_key and crowd.by_email.get(person.email):
            other = crowd.by_email[person.email][0]
            raise Clash("email", f"This is the e-mail of another fan: {other.handle or other.name or other.id}")

    def _claim(self, reading: Reading, person: Person) -> None:
        """A platform id and a handle may be given to a fan by one row of the file only. Raises Clash."""
        for key in filter(self.repeats.may_repeat, names_of(person._replace(email=None, name=None))):
            if later := self.repeats.find([f"given {key}"]):
                raise Clash("handle", f"Row {later} has the same username or platform id, and is about another fan")
            self.repeats.keep([f"given {key}"], reading.row)

    def _wanted(self, reading: Reading, fan: Any | None) -> dict[str, Any]:
        values = {name: value for name, value in reading.values.items() if name in FIELDS}
        if self.plan.kind != ImportKind.DO_NOT_MESSAGE:
            return values
        names = {} if fan else {name: value for name, value in values.items() if name in NAMES}
        return names | {"do_not_message": True}

    def _naming(self, reading: Reading) -> Column | None:
        """The column that names the fan."""
        return next((column for column in self.plan.identity if reading.values.get(column.field)), None)


def new_fan(values: dict[str, Any]) -> dict[str, Any]:
    """A new fan's values, with the keys drawn from them."""
    kept = {name: value for name, value in values.items() if value and name in STANDS_AS}
    kept |= {name: text_of(kept[name]) for name in FAN_MOMENTS if name in kept}
    kept["tags"] = _by_key(values.get("tags") or [])
    kept[CUSTOM] = {name: text for name, text in (values.get(CUSTOM) or {}).items() if text}
    return kept | keys_of(kept.get("name"), kept.get("handle"), kept.get("email"))


def changes_of(
    fan: Any, values: dict[str, Any], tags: dict[str, str], rules: Rules
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of the values is not so already: the former values and the new ones, by field. Raises Clash.

    An import adds a block and never lifts one.
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, value in values.items():
        if name in STANDS_AS and value == getattr(fan, STANDS_AS[name]):
            continue
        was, will = _compare(fan, name, value, tags, rules)
        if was != will:
            before[name], after[name] = was, will
    return before, after


def _compare(fan: Any, name: str, value: Any, tags: dict[str, str], rules: Rules) -> tuple[Any, Any]:
    """What stands and what would stand, equal where only the spelling differs."""
    if name == "tags":
        return tags, _with_tags(tags, value, rules)
    if name == CUSTOM:
        custom = json.loads(fan.custom)
        merged = custom | value
        return custom, {key: text for key, text in merged.items() if text}
    if name == "value_cents":  # what payments add up to and the file says as well is no news
        return fan.stated_value_cents, fan.stated_value_cents if value == fan.value_cents else value
    if name in FAN_MOMENTS:
        return text_of(getattr(fan, name)), text_of(value)
    if name == "do_not_message":
        return fan.do_not_message, bool(value or fan.do_not_message)
    was = getattr(fan, name)
    if name == "notes":
        return was, value or ""
    if name == "handle" and handle_key(value) == fan.handle_key:
        return was, was
    if name == "email" and email_key(value) == fan.email_key:
        return was, was
    return was, value


def _with_tags(tags: dict[str, str], given: list[str], rules: Rules) -> dict[str, str]:
    wanted = _by_key(given)
    merged = {key: tags.get(key, tag) for key, tag in wanted.items()} if rules.tags == "replace" else wanted | tags
    if len(merged) > max(MOST_TAGS, len(tags)):
        raise Clash("tags", f"A fan has at most {MOST_TAGS} tags")
    return merged


def _by_key(tags: list[str]) -> dict[str, str]:
    if len(tags) == 1:
        return {tags[0].casefold(): tags[0]}
    return {tag.casefold(): tag for tag in clean_tags(tags)}
