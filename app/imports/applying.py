"""A set of rows into the database, in the caller's unit of work: fans, and do-not-message lists."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy import text as sql_text

from app.database import db, on_postgresql, utcnow
from app.fans import actions as fans
from app.fans.keys import MOST_TAGS, clean_tags, email_key, handle_key
from app.fans.models import Fan
from app.imports.mapping import Plan
from app.imports.matching import Clash, Crowd, handles_of_emails, load_crowd
from app.imports.models import ImportKind, ImportRow, Severity
from app.imports.reading import Person, Problem, Reading, person_of
from app.imports.repeats import RowKeys, keys_sought

NAMES = ("platform_fan_id", "handle", "email", "name")


@dataclass
class Tally:
    """What became of a set of rows."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    notes: list[dict[str, Any]] = field(default_factory=list)  # of ImportRow

    def skip(self, reading: Reading, problem: Problem) -> None:
        self.skipped += 1
        self._note(reading, problem, Severity.ERROR)

    def warn(self, reading: Reading) -> None:
        for problem in reading.problems:
            self._note(reading, problem, Severity.WARNING)

    def _note(self, reading: Reading, problem: Problem, severity: Severity) -> None:
        cells = [cell.replace("\0", "\ufffd") for cell in reading.cells] if severity == Severity.ERROR else []
        said = {"column": problem.column, "value": problem.value, "error": problem.error}
        self.notes.append({"row": reading.row, "severity": severity, "cells": cells} | said)

    def store(self, account_id: int, import_id: int) -> None:
        """Does not commit."""
        owner = {"account_id": account_id, "import_id": import_id}
        if self.notes:
            db.session.execute(insert(ImportRow), [owner | note for note in self.notes])


class Newcomers:
    """New fans of one set of rows. Does not commit."""

    def __init__(self, account_id: int) -> None:
        self._account_id = account_id
        self._last_id: int | None = None

    def add(self, values: dict[str, Any]) -> Fan:
        fan = Fan(account_id=self._account_id)
        fans.apply_values(fan, values)
        if not on_postgresql():
            fan.id = self._next_id()
        db.session.add(fan)
        return fan

    def _next_id(self) -> int:
        """SQLite's own next number, safe under its write lock. SQLAlchemy inserts rows that ask for theirs one by one there."""
        if self._last_id is None:
            newest = db.session.scalar(sql_text("SELECT seq FROM sqlite_sequence WHERE name = 'fans'"))
            self._last_id = int(newest or 0)
        self._last_id += 1
        return self._last_id


def named_in_file(account_id: int, persons: list[Person], keys: RowKeys) -> frozenset[str]:
    """These rows' handles, and those known under these rows' e-mails that the file has rows for."""
    known = handles_of_emails(account_id, persons)
    found = keys.last_rows(f"h|{handle}" for handle in known)
    return frozenset(key[2:] for key in found) | {person.handle for person in persons if person.handle}


def apply_fans(account_id: int, readings: list[Reading], plan: Plan, policy: str, keys: RowKeys) -> Tally:
    tally = Tally()
    good = [(reading, person_of(reading.values)) for reading in admitted(readings, policy, tally)]
    persons = [person for _, person in good]
    crowd = load_crowd(account_id, persons, select(Fan), named_in_file(account_id, persons, keys))
    before = {id(reading): _find_quietly(crowd, person) for reading, person in good}
    sought = {
        id(reading): list(keys_sought(person, fan.id if (fan := before[id(reading)]) else None))
        for reading, person in good
    }
    newcomers = Newcomers(account_id)
    last = keys.last_rows(key for each in sought.values() for key in each)
    for reading, person in good:
        later = max((last.get(key, 0) for key in sought[id(reading)]), default=0)
        if later > reading.row:
            tally.skip(reading, repeated(reading, plan, f"Row {later} is about the same fan, and the later row counts"))
        else:
            _apply_one(newcomers, reading, person, plan, crowd, tally)
    return tally


def admitted(readings: list[Reading], policy: str, tally: Tally) -> list[Reading]:
    """The rows that come in under the policy; the others are skipped with their reason."""
    good = []
    for reading in readings:
        if refusal := reading.refusal(policy):
            tally.skip(reading, refusal)
        else:
            good.append(reading)
    return good


def repeated(reading: Reading, plan: Plan, detail: str) -> Problem:
    column = next((column for column in plan.identity if reading.values.get(column.field)), None)
    if column is None:
        return Problem(None, None, detail)
    return Problem(column.header, reading.cells[column.index].strip(), detail)


def _find_quietly(crowd: Crowd, person: Person) -> Fan | None:
    try:
        return crowd.find(person)
    except Clash:
        return None


def _apply_one(newcomers: Newcomers, reading: Reading, person: Person, plan: Plan, crowd: Crowd, tally: Tally) -> None:
    try:
        fan = crowd.find(person)
        values = changes_of(fan, _wanted(reading, plan, fan))
    except Clash as clash:
        tally.skip(reading, clash_problem(reading, plan, clash))
        return
    tally.warn(reading)
    if fan is None:
        crowd.add(newcomers.add(values))
        tally.inserted += 1
    elif values:
        crowd.remove(fan)
        fans.apply_values(fan, values)
        fan.updated_at = utcnow()
        crowd.add(fan)
        tally.updated += 1
    else:
        tally.unchanged += 1


def clash_problem(reading: Reading, plan: Plan, clash: Clash) -> Problem:
    column = plan.fields.get(clash.field)
    value = reading.cells[column.index].strip() if column and column.index < len(reading.cells) else None
    return Problem(column.header if column else None, value, clash.detail)


def _wanted(reading: Reading, plan: Plan, fan: Fan | None) -> dict[str, Any]:
    values = {name: value for name, value in reading.values.items() if name in fans.WRITABLE}
    if plan.kind != ImportKind.DO_NOT_MESSAGE:
        return values
    names = {} if fan else {name: value for name, value in values.items() if name in NAMES}
    return names | {"do_not_message": True}


def changes_of(fan: Fan | None, values: dict[str, Any]) -> dict[str, Any]:
    """What of the values is not so already. An import adds tags and blocks; it takes neither away. Raises Clash."""
    if fan is None:
        return values
    changes = {name: value for name, value in values.items() if name != "tags" and _differs(fan, name, value)}
    if values.get("tags"):
        tags = clean_tags([*fan.tags, *values["tags"]])
        if len(tags) > max(MOST_TAGS, len(fan.tag_rows)):
            raise Clash("tags", f"A fan has at most {MOST_TAGS} tags")
        if len(tags) > len(fan.tag_rows):
            changes["tags"] = tags
    return changes


def _differs(fan: Fan, name: str, value: Any) -> bool:
    if name == "handle":
        return handle_key(value) != fan.handle_key
    if name == "email":
        return email_key(value) != fan.email_key
    if name == "value_cents":
        return value != fan.stated_value_cents
    if name == "do_not_message":
        return value and not fan.do_not_message
    return value != getattr(fan, name)
