"""Which fan a row is about: looked up for many rows at once, one query for each kind of name."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select

from app.database import db
from app.fans.keys import name_key
from app.fans.models import Fan
from app.imports.reading import Person

PLATFORM = "onlyfans"
ONLY_KEYS: Any = select(
    Fan.id, Fan.platform_fan_id, Fan.handle, Fan.handle_key, Fan.email, Fan.email_key, Fan.name, Fan.name_key
)


class Clash(Exception):
    """A row that fits two fans. `field` is the name that does not agree."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


class Crowd:
    """The fans that some rows may be about. `named` are the handles that the file has a row for; None: not known yet."""

    def __init__(self, named: frozenset[str] | None) -> None:
        self.named = named
        self.by_platform_id: dict[str, Any] = {}
        self.by_handle: dict[str, Any] = {}
        self.by_email: dict[str, dict[int, Any]] = defaultdict(dict)
        self.by_name: dict[str, dict[int, Any]] = defaultdict(dict)

    def add(self, fan: Any) -> None:
        if fan.platform_fan_id:
            self.by_platform_id[fan.platform_fan_id] = fan
        if fan.handle_key:
            self.by_handle[fan.handle_key] = fan
        if fan.email_key:
            self.by_email[fan.email_key][id(fan)] = fan
        if fan.name and not (fan.platform_fan_id or fan.handle_key or fan.email_key):
            self.by_name[fan.name][id(fan)] = fan

    def remove(self, fan: Any) -> None:
        """Before a fan's names change; add it again after."""
        for names, key in ((self.by_platform_id, fan.platform_fan_id), (self.by_handle, fan.handle_key)):
            if names.get(key) is fan:
                del names[key]
        self.by_email[fan.email_key or ""].pop(id(fan), None)
        self.by_name[fan.name or ""].pop(id(fan), None)

    def find(self, person: Person) -> Any | None:
        """By platform id, else handle, else e-mail, else by a name that is all there is. Raises Clash."""
        by_id = self.by_platform_id.get(person.platform_id or "")
        by_handle = self.by_handle.get(person.handle or "")
        if by_id is not None:
            if by_handle is not None and by_handle is not by_id:
                raise Clash("handle", "The platform id and the username belong to two different fans")
            return by_id
        if by_handle is not None:
            if person.platform_id and by_handle.platform_fan_id:
                raise Clash("platform_fan_id", f"@{person.handle} has another platform id: {by_handle.platform_fan_id}")
            return by_handle
        if person.email:
            return self._only(
                self._by_email(person), "email", "Several fans have this e-mail, so the row fits more than one"
            )
        if person.only_name:
            fans = list(self.by_name.get(person.name or "", {}).values())
            return self._only(
                fans, "name", "Several fans have this name and nothing else, so the row fits more than one"
            )
        return None

    def _by_email(self, person: Person) -> list[Any]:
        """A fan under another handle has changed it, unless the file has a row for that handle too."""
        return [
            fan
            for fan in self.by_email.get(person.email or "", {}).values()
            if not (person.platform_id and fan.platform_fan_id)
            and not (person.handle and fan.handle_key and (self.named is None or fan.handle_key in self.named))
        ]

    @staticmethod
    def _only(fans: list[Any], field: str, detail: str) -> Any | None:
        if len(fans) > 1:
            raise Clash(field, detail)
        return fans[0] if fans else None


def handles_of_emails(account_id: int, persons: Iterable[Person]) -> set[str]:
    """The handles under which the e-mails of these rows are known now."""
    emails = {person.email for person in persons if person.email}
    rows = select(Fan.handle_key).where(
        Fan.account_id == account_id, Fan.email_key.in_(emails), Fan.handle_key.is_not(None)
    )
    return {handle for handle in db.session.scalars(rows) if handle} if emails else set()


def load_crowd(account_id: int, persons: list[Person], rows: Select[Any], named: frozenset[str] | None) -> Crowd:
    """`rows` selects Fan, or ONLY_KEYS where nothing else is wanted; `named` is as in Crowd."""
    crowd = Crowd(named)
    seen: set[int] = set()
    wanted = (
        (Fan.platform_fan_id, {person.platform_id for person in persons}),
        (Fan.handle_key, {person.handle for person in persons}),
        (Fan.email_key, {person.email for person in persons}),
        (Fan.name_key, {name_key(person.name) for person in persons if person.only_name}),
    )
    for column, keys in wanted:
        keys.discard(None)
        if not keys:
            continue
        found = rows.where(Fan.account_id == account_id, column.in_(keys))
        if column is Fan.platform_fan_id:
            found = found.where(Fan.platform == PLATFORM)
        if column is Fan.name_key:
            found = found.where(Fan.platform_fan_id.is_(None), Fan.handle_key.is_(None), Fan.email_key.is_(None))
        for row in db.session.execute(found.order_by(Fan.id)):
            fan = row[0] if len(row) == 1 else row
            if fan.id not in seen:
                seen.add(fan.id)
                crowd.add(fan)
    return crowd
