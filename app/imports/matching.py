"""Which fan a row is about: looked up for many rows at once, one query for each kind of name."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Text, cast, select

from app.bulk import is_any_of, many
from app.database import run
from app.fans.erased import erased_names, was_erased
from app.fans.keys import name_key
from app.fans.models import Fan, FanTag
from app.imports.row import Person

PLATFORM = "onlyfans"
ERASED = "This person was erased at their own wish, and is not brought back by a file"
_FANS = select(
    Fan.id, Fan.platform_fan_id, Fan.handle, Fan.handle_key, Fan.email, Fan.email_key, Fan.name, Fan.name_key, Fan.phone,
    Fan.avatar_url, Fan.notes, Fan.stated_value_cents, Fan.value_cents,
    Fan.subscription_status, Fan.last_seen_at, Fan.subscribed_at, Fan.subscription_ends_at, Fan.timezone, Fan.do_not_message,
    cast(Fan.custom, Text).label("custom"),  # as JSON: few rows ask for it
)  # fmt: skip


class Clash(Exception):
    """A row that fits two fans. `field` is the name that does not agree."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


class Crowd:
    """The fans that some rows may be about. `has_handle` says whether the file has a row for a handle."""

    def __init__(
        self, has_handle: Callable[[str], bool], account_id: int = 0, erased: frozenset[str] = frozenset()
    ) -> None:
        self._has_handle, self._account_id, self._erased = has_handle, account_id, erased
        self.fans: dict[int, Any] = {}
        self.by_platform_id: dict[str, Any] = {}
        self.by_handle: dict[str, Any] = {}
        self.by_email: dict[str, list[Any]] = defaultdict(list)
        self.by_name: dict[str, list[Any]] = defaultdict(list)

    def add(self, fan: Any) -> None:
        if fan.id in self.fans:
            return
        self.fans[fan.id] = fan
        if fan.platform_fan_id:
            self.by_platform_id[fan.platform_fan_id] = fan
        if fan.handle_key:
            self.by_handle[fan.handle_key] = fan
        if fan.email_key:
            self.by_email[fan.email_key].append(fan)
        if fan.name and not (fan.platform_fan_id or fan.handle_key or fan.email_key):
            self.by_name[fan.name].append(fan)

    def has_email_of(self, person: Person) -> bool:
        """Whether the fan that a row names in a stronger way has its e-mail already."""
        fan = self.owner_of(person)
        return fan is not None and fan.email_key == person.email

    def find(self, person: Person) -> Any | None:
        """By platform id, else handle, else e-mail, else by a name that is all there is. Raises Clash."""
        if was_erased(self._account_id, self._erased, person.platform_id, person.handle, person.email):
            raise Clash("", ERASED)
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


def load_crowd(account_id: int, persons: list[Person], has_handle: Callable[[str], bool]) -> Crowd:
    """All fans that these rows may be about, and those who have a row's e-mail besides."""
    crowd = Crowd(has_handle, account_id, erased_names(account_id))
    mine = _FANS.where(Fan.account_id == account_id)
    nameless = mine.where(Fan.platform_fan_id.is_(None), Fan.handle_key.is_(None), Fan.email_key.is_(None))
    _add(crowd, mine.where(Fan.platform == PLATFORM), Fan.platform_fan_id, {each.platform_id for each in persons})
    _add(crowd, mine, Fan.handle_key, {each.handle for each in persons})
    _add(crowd, mine, Fan.email_key, {each.email for each in persons if not crowd.has_email_of(each)})
    _add(crowd, nameless, Fan.name_key, {name_key(each.name) for each in persons if each.only_name})
    return crowd


def _add(crowd: Crowd, rows: Any, column: Any, keys: set[str | None]) -> None:
    keys.discard(None)
    if keys:
        for fan in run(rows.where(is_any_of(column, "keys")), {"keys": many(keys)}).all():
            crowd.add(fan)


def tags_of(fan_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Each fan's tags by their keys."""
    tags: dict[int, dict[str, str]] = defaultdict(dict)
    rows = select(FanTag.fan_id, FanTag.tag_key, FanTag.tag).where(is_any_of(FanTag.fan_id, "ids"))
    for row in run(rows.order_by(FanTag.fan_id, FanTag.tag_key), {"ids": many(fan_ids)}).all():
        tags[row.fan_id][row.tag_key] = row.tag
    return tags
