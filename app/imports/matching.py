"""Which fan a row is about: looked up for many rows at once, one query for each kind of name."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import select

from app.database import db, is_any_of, run
from app.fans.keys import name_key
from app.fans.models import Fan, FanTag
from app.imports.reading import Person

PLATFORM = "onlyfans"
_FANS = select(
    Fan.id, Fan.platform_fan_id, Fan.handle, Fan.handle_key, Fan.email, Fan.email_key, Fan.name, Fan.name_key, Fan.phone,
    Fan.avatar_url, Fan.notes, Fan.stated_value_cents, Fan.value_cents,
    Fan.subscription_status, Fan.last_seen_at, Fan.do_not_message, Fan.custom,
)  # fmt: skip


class Clash(Exception):
    """A row that fits two fans. `field` is the name that does not agree."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


class Crowd:
    """The fans that some rows may be about. `has_handle` says whether the file has a row for a handle."""

    def __init__(self, has_handle: Callable[[str], bool]) -> None:
        self._has_handle = has_handle
        self.by_platform_id: dict[str, Any] = {}
        self.by_handle: dict[str, Any] = {}
        self.by_email: dict[str, list[Any]] = defaultdict(list)
        self.by_name: dict[str, list[Any]] = defaultdict(list)

    def add(self, fan: Any) -> None:
        if fan.platform_fan_id:
            self.by_platform_id[fan.platform_fan_id] = fan
        if fan.handle_key:
            self.by_handle[fan.handle_key] = fan
        if fan.email_key:
            self.by_email[fan.email_key].append(fan)
        if fan.name and not (fan.platform_fan_id or fan.handle_key or fan.email_key):
            self.by_name[fan.name].append(fan)

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
            fans = self.by_name.get(person.name or "", [])
            return self._only(
                fans, "name", "Several fans have this name and nothing else, so the row fits more than one"
            )
        return None

    def owner_of(self, person: Person) -> Any | None:
        """Another fan who has this row's platform id or handle, which must stay theirs alone."""
        return self.by_platform_id.get(person.platform_id or "") or self.by_handle.get(person.handle or "")

    def _by_email(self, person: Person) -> list[Any]:
        """A fan under another handle has changed it, unless the file has a row for that handle too."""
        return [
            fan
            for fan in self.by_email.get(person.email or "", ())
            if not (person.platform_id and fan.platform_fan_id)
            and not (person.handle and fan.handle_key and self._has_handle(fan.handle_key))
        ]

    @staticmethod
    def _only(fans: list[Any], field: str, detail: str) -> Any | None:
        if len(fans) > 1:
            raise Clash(field, detail)
        return fans[0] if fans else None


def load_crowd(account_id: int, persons: Iterable[Person], has_handle: Callable[[str], bool]) -> Crowd:
    crowd = Crowd(has_handle)
    seen: set[int] = set()
    persons = list(persons)
    wanted = (
        (Fan.platform_fan_id, {person.platform_id for person in persons}, [Fan.platform == PLATFORM]),
        (Fan.handle_key, {person.handle for person in persons}, []),
        (Fan.email_key, {person.email for person in persons}, []),
        (
            Fan.name_key,
            {name_key(person.name) for person in persons if person.only_name},
            [Fan.platform_fan_id.is_(None), Fan.handle_key.is_(None), Fan.email_key.is_(None)],
        ),
    )
    for column, keys, besides in wanted:
        keys.discard(None)
        if not keys:
            continue
        for fan in run(_FANS.where(Fan.account_id == account_id, is_any_of(column, keys), *besides)):
            if fan.id not in seen:
                seen.add(fan.id)
                crowd.add(fan)
    return crowd


def tags_of(fan_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Each fan's tags by their keys."""
    tags: dict[int, dict[str, str]] = defaultdict(dict)
    rows = select(FanTag.fan_id, FanTag.tag_key, FanTag.tag).where(is_any_of(FanTag.fan_id, fan_ids))
    for fan_id, key, tag in db.session.execute(rows.order_by(FanTag.fan_id, FanTag.tag_key)):
        tags[fan_id][key] = tag
    return tags
