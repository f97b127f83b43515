from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from textwrap import shorten
from typing import Any

from blinker import Signal
from sqlalchemy import Select, delete, exists, func, literal, select, update
from sqlalchemy.exc import IntegrityError

from app.database import db, execute, insert, utcnow, write
from app.errors import Conflict, Invalid
from app.fans import keys, queries
from app.fans.models import Fan, FanTag
from app.formats import money

LONGEST_NOTES, LONGEST_SHOWN = 20_000, 200
WRITTEN = (
    "name", "handle", "email", "phone", "platform_fan_id", "subscription_status", "timezone", "avatar_url", "notes",
)  # fmt: skip
looks_changed = Signal()  # sent by a fan who has another name or picture, after the commit
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
        "timezone",
        "subscribed_at",
        "subscription_ends_at",
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


def change_fan(account_id: int, fan_id: int, values: dict[str, Any], shown: Mapping[str, Any] | None = None) -> Fan:
    """shown: values as the writer had them before them, like `said_of` says them. What they left so stays as it stands by now.

    Raises NotFound; Invalid, with the status 409 where somebody changed the same value meanwhile; Conflict where handle or
    platform id is taken.
    """
    with _taken_is_conflict(), write():
        fan = queries.find_fan(account_id, fan_id, to_change=True)
        looked = fan.display_name, fan.avatar_url
        apply_values(fan, _changed(fan, values, shown) if shown else values)
        if not (fan.name or fan.handle):
            raise Invalid(("name", "A fan needs a name or a handle."))
        fan.updated_at = utcnow()
    if looked != (fan.display_name, fan.avatar_url):
        looks_changed.send(fan)
    return fan


def said_of(fan: Fan) -> dict[str, Any]:
    """What a person may write about the fan, as it stands."""
    plain = {name: getattr(fan, name) or "" for name in WRITTEN}
    return plain | {"tags": fan.tags, "value_cents": fan.stated_value_cents, "do_not_message": fan.do_not_message}


def _changed(fan: Fan, values: dict[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """The values that are not what was shown; of tags, those that stand with what was added and taken away."""
    said = said_of(fan)
    changed = {name: value for name, value in values.items() if name not in shown or value != shown[name]}
    if "tags" in changed and "tags" in shown:
        given, taken = ({tag.casefold() for tag in tags} for tags in (changed["tags"], shown["tags"]))
        stay = [tag for tag in said["tags"] if tag.casefold() in given or tag.casefold() not in taken]
        changed["tags"] = stay + [tag for tag in changed["tags"] if tag.casefold() not in taken]
    elsewhere = [
        name
        for name in changed
        if name != "tags" and name in shown and said[name] != shown[name] and said[name] != changed[name]
    ]
    if elsewhere:
        raise Invalid(*((name, _meanwhile(name, said[name])) for name in elsewhere), status=409)
    return changed


def _meanwhile(name: str, value: Any) -> str:
    words = money(value) if name == "value_cents" else shorten(value, LONGEST_SHOWN, placeholder=" …")
    return f"Somebody changed this meanwhile, to: {words or 'nothing'}. Save again to keep yours."


def change_notes(account_id: int, fan_id: int, text: str, version: str) -> Fan:
    """Only while they say what the writer had before them, by its version. Raises NotFound, Conflict, Invalid."""
    if len(text) > LONGEST_NOTES:
        raise Invalid(("notes", f"Notes have at most {LONGEST_NOTES:,} characters, these have {len(text):,}."))
    with write():
        fan = queries.find_fan(account_id, fan_id, to_change=True)
        if version != fan.notes_version and fan.notes != text:
            raise Conflict("Somebody changed these notes meanwhile.")
        fan.notes, fan.updated_at = text, utcnow()
    return fan


def tag_fan(account_id: int, fan_id: int, tag: str) -> Fan:
    """Raises NotFound, Invalid."""
    fan = queries.find_fan(account_id, fan_id)
    if len(fan.tags) >= keys.MOST_TAGS:
        raise Invalid(("tag", f"A fan has at most {keys.MOST_TAGS} tags."))
    tag_fans(account_id, select(Fan.id).where(Fan.id == fan_id), tag)
    return queries.find_fan(account_id, fan_id)


def tag_fans(account_id: int, ids: Select[Any], tag: str) -> int:
    """All that a query of ids finds in this account; those that have as many tags as may be are passed over.
    Returns how many have it now who had it not. Raises Invalid."""
    with write():
        return give_tag(account_id, ids, tag)


def give_tag(account_id: int, ids: Select[Any], tag: str) -> int:
    """As tag_fans. Does not commit."""
    tag = clean_tag(tag)
    number = select(func.count()).where(FanTag.fan_id == Fan.id).correlate(Fan).scalar_subquery()
    which = (Fan.account_id == account_id) & Fan.id.in_(ids) & ~has_tag(tag) & (number < keys.MOST_TAGS)
    values = select(Fan.id, literal(tag.casefold()), literal(tag), literal(account_id)).where(which)
    execute(update(Fan).where(which).values(updated_at=utcnow()))
    row = insert(FanTag).from_select(["fan_id", "tag_key", "tag", "account_id"], values)
    changed = execute(row.on_conflict_do_nothing())
    db.session.expire_all()
    return changed


def take_tag(account_id: int, ids: Select[Any], tag: str) -> int:
    """From all that a query of ids finds in this account. Returns how many had it. Does not commit. Raises Invalid."""
    which = (Fan.account_id == account_id) & Fan.id.in_(ids) & has_tag(tag := clean_tag(tag))
    execute(update(Fan).where(which).values(updated_at=utcnow()))
    theirs = (FanTag.account_id == account_id) & (FanTag.tag_key == tag.casefold()) & FanTag.fan_id.in_(ids)
    changed = execute(delete(FanTag).where(theirs))
    db.session.expire_all()
    return changed


def has_tag(tag: str) -> Any:
    """Whether a row of fans has it."""
    return exists().where(FanTag.fan_id == Fan.id, FanTag.tag_key == tag.casefold()).correlate(Fan)


def clean_tag(text: str) -> str:
    """Raises Invalid."""
    tag = text.strip()
    if not tag or len(tag) > keys.LONGEST_TAG or "," in tag:
        raise Invalid(("tag", f"A tag has 1 to {keys.LONGEST_TAG} characters, and no comma."))
    return tag


def as_written(account_id: int, tag: str) -> str:
    """A tag with the capitals that it has here."""
    theirs = select(FanTag.tag).where(FanTag.account_id == account_id, FanTag.tag_key == tag.casefold())
    return db.session.scalar(theirs.order_by(FanTag.fan_id).limit(1)) or tag


def untag_fan(account_id: int, fan_id: int, tag: str) -> Fan:
    """Raises NotFound."""
    with write() as session:
        fan = queries.find_fan(account_id, fan_id, to_change=True)
        if execute(delete(FanTag).where(FanTag.fan_id == fan.id, FanTag.tag_key == tag.strip().casefold())):
            fan.updated_at = utcnow()
        session.flush()
        session.expire(fan)
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
        for column, which in (("platform_fan_id", "platform id"), ("handle_key", "handle")):
            if column in str(error.orig):
                raise Conflict(f"Another fan has this {which} already.") from error
        raise
