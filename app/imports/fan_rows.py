"""What becomes of a row about a fan: new, changed in these fields, unchanged, in conflict, or left out."""

import json
from dataclasses import dataclass
from typing import Any

from app.bulk import reserve_ids
from app.database import table_of
from app.fans.keys import MOST_TAGS, clean_handle, clean_tags, email_key, handle_key, keys_of
from app.fans.models import Fan
from app.imports.decisions import Decisions, text_of
from app.imports.headers import CUSTOM
from app.imports.matching import Clash, Crowd, load_crowd, tags_of
from app.imports.models import ImportKind, Outcome
from app.imports.options import NAMES_TO_MATCH, Rules
from app.imports.plan import Plan
from app.imports.reading import Person, Problem, Reading, person_of
from app.imports.repeats import Repeats, keys_left, keys_sought, names_of

PLAIN = ("name", "handle", "email", "phone", "avatar_url", "platform_fan_id", "notes", "subscription_status")
FIELDS = (*PLAIN, "value_cents", "last_seen_at", "do_not_message", "tags", CUSTOM)
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
        new: list[Reading] = []
        for reading, person in zip(readings, persons, strict=True):
            try:
                fan = self._decide(reading, person, crowd, tags, decisions)
            except Clash as clash:
                decisions.skip(reading, Outcome.CONFLICT, self._problem(reading, clash))
                continue
            if fan is NOBODY:
                new.append(reading)
        for reading, fan_id in zip(new, reserve_ids(table_of(Fan), len(new)) if new else (), strict=True):
            decisions.take(reading, Outcome.NEW, fan_id, new_fan(self._wanted(reading, None)))

    def _fields(self) -> set[str]:
        return {"tags" if column.field == "tier" else column.field for column in self.plan.columns}

    def _decide(
        self, reading: Reading, person: Person, crowd: Crowd, tags: dict[int, dict[str, str]], decisions: Decisions
    ) -> Any:
        """NOBODY where a new fan is to be made. Raises Clash."""
        sought = self._sought(person)
        try:
            fan = crowd.find(sought)
        except Clash:
            self._last_word(reading, sought, None)
            raise
        later = self._last_word(reading, sought, fan)
        if later:
            raise Clash("", f"Row {later} is about the same fan, and the later row counts")
        if left_out := self._left_out_by_mode(fan):
            return decisions.skip(reading, Outcome.REJECTED, Problem(*self._named(reading), left_out))
        self._check_names(reading, person, fan, crowd)
        wanted = self._wanted(reading, fan)
        if fan is None:
            _with_tags({}, wanted.get("tags", []), self.rules)
            return NOBODY
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

    def _last_word(self, reading: Reading, person: Person, fan: Any | None) -> int | None:
        """The later row about the same fan, if there is one."""
        if not self._may_repeat(person, fan):
            return None
        fan_id = fan.id if fan else None
        later = self.repeats.find(keys_sought(person, fan_id))
        self.repeats.keep(keys_left(person, fan_id), reading.row)
        return later

    def _may_repeat(self, person: Person, fan: Any | None) -> bool:
        own = names_of(person)
        if any(map(self.repeats.may_repeat, own)):
            return True
        if fan is None:
            return False
        # Another row may know the same fan by a name that this one does not have.
        theirs = names_of(Person(fan.platform_fan_id, fan.handle_key, fan.email_key, fan.name))
        return any(self.repeats.may_be_there(key) for key in theirs if key not in own)

    def _left_out_by_mode(self, fan: Any | None) -> str | None:
        if fan is None and self.rules.mode == "update":
            return "No such fan, and only known fans were to be updated"
        if fan is not None and self.rules.mode == "create":
            return "This fan is known already, and only new fans were to be added"
        return None

    def _check_names(self, reading: Reading, person: Person, fan: Any | None, crowd: Crowd) -> None:
        """A platform id and a handle belong to one fan each; an e-mail is not taken from another. Raises Clash."""
        owner = crowd.owner_of(person)
        if owner is not None and (fan is None or owner.id != fan.id):
            raise Clash(
                "handle" if person.handle == owner.handle_key else "platform_fan_id", "Another fan has this name"
            )
        if fan is not None and person.email and person.email != fan.email_key and crowd.by_email.get(person.email):
            other = crowd.by_email[person.email][0]
            raise Clash("email", f"This is the e-mail of another fan: {other.handle or other.name or other.id}")
        self._claim(reading, person._replace(email=None, name=None))

    def _claim(self, reading: Reading, person: Person) -> None:
        """A platform id and a handle may be given to a fan by one row of the file only. Raises Clash."""
        for key in filter(self.repeats.may_repeat, names_of(person)):
            if later := self.repeats.find([f"given {key}"]):
                raise Clash("handle", f"Row {later} has the same username or platform id, and is about another fan")
            self.repeats.keep([f"given {key}"], reading.row)

    def _wanted(self, reading: Reading, fan: Any | None) -> dict[str, Any]:
        values = {name: value for name, value in reading.values.items() if name in FIELDS}
        if self.plan.kind != ImportKind.DO_NOT_MESSAGE:
            return values
        names = {} if fan else {name: value for name, value in values.items() if name in NAMES}
        return names | {"do_not_message": True}

    def _named(self, reading: Reading) -> tuple[str | None, str | None]:
        """The column that names the fan, and its cell."""
        column = next((column for column in self.plan.identity if reading.values.get(column.field)), None)
        return (column.header, reading.cells[column.index].strip()) if column else (None, None)

    def _problem(self, reading: Reading, clash: Clash) -> Problem:
        if not clash.field:
            return Problem(*self._named(reading), clash.detail)
        column = self.plan.fields.get(clash.field)
        value = reading.cells[column.index].strip() if column and column.index < len(reading.cells) else None
        return Problem(column.header if column else None, value, clash.detail)


NOBODY = object()


def new_fan(values: dict[str, Any]) -> dict[str, Any]:
    """A new fan's values, with the keys drawn from them."""
    handle = clean_handle(values.get("handle") or "")
    kept = {name: values[name] for name in PLAIN if values.get(name)}
    if handle:
        kept["handle"] = handle
    if values.get("value_cents"):
        kept["value_cents"] = values["value_cents"]
    if values.get("last_seen_at"):
        kept["last_seen_at"] = text_of(values["last_seen_at"])
    if values.get("do_not_message"):
        kept["do_not_message"] = True
    tags = clean_tags(values.get("tags") or [])
    kept["tags"] = {tag.casefold(): tag for tag in tags}
    kept[CUSTOM] = {name: text for name, text in (values.get(CUSTOM) or {}).items() if text}
    return kept | keys_of(kept.get("name"), handle, kept.get("email"))


def changes_of(
    fan: Any, values: dict[str, Any], tags: dict[str, str], rules: Rules
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What of the values is not so already: the former values and the new ones, by field. Raises Clash.

    An import adds a block and never lifts one.
    """
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, value in values.items():
        if name in PLAIN and value == getattr(fan, name):
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
    if name == "last_seen_at":
        return text_of(fan.last_seen_at), text_of(value)
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
    wanted = {tag.casefold(): tag for tag in clean_tags(given)}
    merged = {key: tags.get(key, tag) for key, tag in wanted.items()} if rules.tags == "replace" else wanted | tags
    if len(merged) > max(MOST_TAGS, len(tags)):
        raise Clash("tags", f"A fan has at most {MOST_TAGS} tags")
    return merged
