"""Fans' fields set to what a row says, or back to what they were; one that somebody changed meanwhile is left alone."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError

from app.bulk import is_any_of, many
from app.database import db, insert, run, table_of, utcnow
from app.fans.keys import keys_of
from app.fans.models import Fan, FanTag
from app.imports import sets
from app.imports.decisions import moment_of, text_of
from app.imports.headers import FAN_MOMENTS, LABELS
from app.imports.matching import tags_of
from app.imports.models import ImportRow
from app.imports.sets import RowSet

_fans, _tags = table_of(Fan), table_of(FanTag)
_PLAIN = (
    "name", "handle", "email", "phone", "avatar_url", "platform_fan_id", "notes", "subscription_status", "timezone",
    "custom", "do_not_message",
)  # fmt: skip
_COLUMNS = (
    *_PLAIN,
    "name_key",
    "handle_key",
    "email_key",
    "search_text",
    "stated_value_cents",
    "value_cents",
    *FAN_MOMENTS,
)
_UPDATE = (
    update(_fans)
    .where(_fans.c.id == bindparam("of_fan"))
    .values({name: bindparam(f"new_{name}") for name in (*_COLUMNS, "updated_at")})
)
_LOAD = select(_fans.c.id, _fans.c.earned_cents, *(_fans.c[name] for name in _COLUMNS))


def change_fans(done: RowSet) -> int:
    """From `before` to `after`, a row as a whole. Returns how many rows; the others say why not. Does not commit."""
    wishes, left = [], []
    rows = done.rows()
    fans = _Fans(done.account_id, rows)
    for row in rows:
        meanwhile = fans.fields_that_are_not(row.fan_id, row.before)
        if meanwhile:
            left.append((row.row, f"Changed after the rehearsal: {_words(meanwhile)}"))
        else:
            wishes.append((row.row, row.fan_id, row.after))
    left += fans.set(wishes)
    _say(done, ImportRow.not_applied, left)
    return done.count - len(left)


def restore_fans(done: RowSet) -> int:
    """From `after` back to `before`, field by field. Returns how many rows were restored whole. Does not commit."""
    wishes, left = [], []
    rows = [row for row in done.rows() if row.row not in _not_applied(done)]
    fans = _Fans(done.account_id, rows)
    for row in rows:
        meanwhile = fans.fields_that_are_not(row.fan_id, row.after)
        if meanwhile:
            left.append((row.row, f"Changed since the import, and kept: {_words(meanwhile)}"))
        back = {name: value for name, value in row.before.items() if name not in meanwhile}
        if back and fans.has(row.fan_id):
            wishes.append((row.row, row.fan_id, back))
    left += fans.set(wishes)
    _say(done, ImportRow.not_undone, left)
    return len(rows) - len(left)


def _not_applied(done: RowSet) -> set[int]:
    return set(db.session.scalars(select(ImportRow.row).where(done.holds(), ImportRow.not_applied.is_not(None))))


def _words(names: Iterable[str]) -> str:
    return ", ".join(LABELS.get(name, "the fan") for name in names)


def _say(done: RowSet, column: Any, left: list[tuple[int, str]]) -> None:
    for row, words in left:
        sets.say(column, words, done.holds() & (ImportRow.row == row))


class _Fans:
    """The fans of a set of rows, locked in the order of their ids: two imports that lock alike cannot wait for each other."""

    def __init__(self, account_id: int, rows: list[Any]) -> None:
        ids = {row.fan_id for row in rows}
        mine = _LOAD.where(_fans.c.account_id == account_id, is_any_of(_fans.c.id, "ids")).order_by(_fans.c.id)
        found = run(mine.with_for_update(of=_fans, key_share=True), {"ids": many(ids)})
        self._fans = {fan.id: fan._asdict() for fan in found}
        self._tags = tags_of(self._fans) if any("tags" in row.after for row in rows) else {}
        self._account_id = account_id

    def has(self, fan_id: int) -> bool:
        return fan_id in self._fans

    def fields_that_are_not(self, fan_id: int, values: dict[str, Any]) -> list[str]:
        """Of the fan, the fields that do not stand as given. A fan who is gone has none of them."""
        fan = self._fans.get(fan_id)
        return [name for name, value in values.items() if fan is None or self._value(fan, name) != value]

    def _value(self, fan: dict[str, Any], name: str) -> Any:
        if name == "tags":
            return self._tags.get(fan["id"], {})
        if name == "value_cents":
            return fan["stated_value_cents"]
        return text_of(fan[name]) if name in FAN_MOMENTS else fan[name]

    def set(self, wishes: list[tuple[int, int, dict[str, Any]]]) -> list[tuple[int, str]]:
        """Rows, fans, and their new values. Returns the rows that could not be set, and why."""
        changes = [(row, self._changed(self._fans[fan_id], values)) for row, fan_id, values in wishes]
        left = _update([(row, values) for row, values in changes])
        refused = {row for row, _ in left}
        self._set_tags([wish for wish in wishes if "tags" in wish[2] and wish[0] not in refused])
        return left

    def _changed(self, fan: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        new = fan | {name: value for name, value in values.items() if name in _PLAIN}
        new |= {name: moment_of(values[name]) for name in FAN_MOMENTS if name in values}
        if "value_cents" in values:
            new["stated_value_cents"] = values["value_cents"]
            new["value_cents"] = values["value_cents"] if fan["earned_cents"] is None else fan["earned_cents"]
        new |= keys_of(new["name"], new["handle"], new["email"])
        return {f"new_{name}": new[name] for name in _COLUMNS} | {"of_fan": fan["id"], "new_updated_at": utcnow()}

    def _set_tags(self, wishes: list[tuple[int, int, dict[str, Any]]]) -> None:
        gone, come = [], []
        for _, fan_id, values in wishes:
            have, want = self._tags.get(fan_id, {}), values["tags"]
            gone += [{"of_fan": fan_id, "key": key} for key in have if key not in want]
            come += [
                {"fan_id": fan_id, "tag_key": key, "tag": tag, "account_id": self._account_id}
                for key, tag in want.items()
                if key not in have
            ]
        if gone:
            run(delete(_tags).where(_tags.c.fan_id == bindparam("of_fan"), _tags.c.tag_key == bindparam("key")), gone)
        if come:
            run(insert(_tags).on_conflict_do_nothing(), come)


def _update(changes: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, str]]:
    """All at once; one by one where a name was taken meanwhile."""
    if not changes:
        return []
    try:
        with db.session.begin_nested():
            run(_UPDATE, [values for _, values in changes])
    except IntegrityError:
        if len(changes) == 1:
            return [(changes[0][0], "Another fan has this username or platform id by now")]
        half = len(changes) // 2
        return _update(changes[:half]) + _update(changes[half:])
    return []
