from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.exc import IntegrityError

from app.database import utcnow, write
from app.errors import Conflict, Invalid
from app.fans import keys, queries
from app.fans.models import Fan, FanTag

WRITABLE = frozenset(
    [
        "name",
        "handle",
        "email",
        "phone",
        "avatar_url",
        "platform_fan_id",
        "tags",
        "notes",
        "value_cents",
        "subscription_status",
        "last_seen_at",
        "do_not_message",
    ]
)


def add_fan(account_id: int, values: dict[str, Any]) -> Fan:
    """A new fan from any of WRITABLE. Raises Invalid, or Conflict where handle or platform id is taken."""
    fan = Fan(account_id=account_id)
    with _taken_is_conflict(), write() as session:
        apply_values(fan, values)
        if not (fan.name or fan.handle):
            raise Invalid(("name", "A fan needs a name or a handle."))
        session.add(fan)
    return fan


def change_fan(account_id: int, fan_id: int, values: dict[str, Any]) -> Fan:
    """Raises NotFound, Invalid, or Conflict where handle or platform id is taken."""
    with _taken_is_conflict(), write():
        fan = queries.find_fan(account_id, fan_id)
        apply_values(fan, values)
        if not (fan.name or fan.handle):
            raise Invalid(("name", "A fan needs a name or a handle."))
        fan.updated_at = utcnow()
    return fan


def apply_values(fan: Fan, values: dict[str, Any]) -> None:
    """Sets the values and the keys drawn from them. Does not commit."""
    for name, value in values.items():
        if name not in WRITABLE:
            raise ValueError(f"{name} is not writable")
        _SETTERS.get(name, _set_plain(name))(fan, value)
    for name, key in keys.keys_of(fan.name, fan.handle, fan.email).items():
        setattr(fan, name, key)


def _set_plain(name: str) -> Callable[[Fan, Any], None]:
    def set_value(fan: Fan, value: Any) -> None:
        setattr(fan, name, (value.strip() or None) if isinstance(value, str) else value)

    return set_value


def _set_handle(fan: Fan, value: str | None) -> None:
    fan.handle = keys.clean_handle(value or "")


def _set_tags(fan: Fan, value: list[str]) -> None:
    """Rows that stay are kept: replacing one by its equal would break its key."""
    wanted = {tag.casefold(): tag for tag in keys.clean_tags(value)}
    fan.tag_rows[:] = [row for row in fan.tag_rows if row.tag_key in wanted]
    have = {row.tag_key for row in fan.tag_rows}
    fan.tag_rows += [
        FanTag(tag_key=key, tag=tag, account_id=fan.account_id) for key, tag in wanted.items() if key not in have
    ]


def _set_value(fan: Fan, value: int) -> None:
    fan.stated_value_cents = value
    fan.value_cents = value if fan.earned_cents is None else fan.earned_cents


_SETTERS: dict[str, Callable[[Fan, Any], None]] = {
    "handle": _set_handle,
    "tags": _set_tags,
    "value_cents": _set_value,
    "notes": lambda fan, value: setattr(fan, "notes", value or ""),
    "do_not_message": lambda fan, value: setattr(fan, "do_not_message", bool(value)),
}


@contextmanager
def _taken_is_conflict() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        which = "platform id" if "platform_fan_id" in str(error.orig) else "handle"
        raise Conflict(f"Another fan has this {which} already.") from error
