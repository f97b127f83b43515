"""Texts with placeholders: `Hi {{first_name|love}}`. Parsed once, filled in for each fan. No database, no web.

`{{name}}` stands for what is known of the fan, `{{name|love}}` gives the words behind the bar where nothing is. A
placeholder for which there is neither stays as it was written, so that nobody is greeted with a hole. What has a
backslash before it, `\\{{name}}`, is no placeholder and comes out without the backslash.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from app.formats import money

CUSTOM = "custom."  # and the name of a field of the account's own
_PLACEHOLDER = re.compile(r"(\\?)\{\{([^{}|\n]*)(\|[^{}]*)?\}\}")
_HANDLE_LIKE = re.compile(r"[\d_@]|\w\.\w{2}")


class Facts(Protocol):
    """What is asked of a fan: the model itself, or a row that is cheaper to read. (The model's types say Mapped.)"""

    name: Any  # str | None
    handle: Any  # str | None
    tags: Any  # Sequence[str]
    value_cents: Any  # int
    last_seen_at: Any  # datetime | None
    subscribed_at: Any  # datetime | None
    last_purchase_at: Any  # datetime | None
    custom: Any  # Mapping[str, str] | None


class Rendered(NamedTuple):
    text: str
    empty: list[str]  # as written, once each: nothing is known, and no words stand behind the bar


Value = Callable[[Facts, datetime], str]


@dataclass(frozen=True, slots=True)
class Placeholder:
    written: str
    value: Value | None  # None: no such name is known
    fallback: str | None


@dataclass(frozen=True, slots=True)
class Template:
    parts: tuple[str | Placeholder, ...]

    @property
    def unknown(self) -> list[str]:
        """Those whose names mean nothing, as written, once each."""
        return _once(part.written for part in self.parts if isinstance(part, Placeholder) and part.value is None)

    def render(self, fan: Facts, now: datetime) -> Rendered:
        texts: list[str] = []
        empty: dict[str, None] = {}
        for part in self.parts:
            if isinstance(part, str):
                texts.append(part)
            elif part.value is None:
                texts.append(part.written)
            elif value := part.value(fan, now):
                texts.append(value)
            elif part.fallback is not None:
                texts.append(part.fallback)
            else:
                texts.append(part.written)
                empty[part.written] = None
        return Rendered("".join(texts), list(empty))


def parse(text: str) -> Template:
    parts: list[str | Placeholder] = []
    behind = 0
    for found in _PLACEHOLDER.finditer(text):
        parts.append(text[behind : found.start()])
        parts.append(_read(found))
        behind = found.end()
    parts.append(text[behind:])
    return Template(tuple(part for part in parts if part))


def written_in(text: str) -> list[str]:
    """The placeholders of known names that a text holds, as written, once each: what was meant to be filled in."""
    return _once(part.written for part in parse(text).parts if isinstance(part, Placeholder) and part.value)


def _once(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _read(found: re.Match[str]) -> str | Placeholder:
    escaped, name, fallback = found.groups()
    if escaped:
        return found[0][1:]
    if not name.strip():
        return found[0]
    return Placeholder(found[0], _value_of(name.strip()), None if fallback is None else fallback[1:].strip())


def _value_of(name: str) -> Value | None:
    folded = name.casefold()
    if folded.startswith(CUSTOM) and folded != CUSTOM:
        return _custom(name[len(CUSTOM) :].strip())
    return _VALUES.get(folded)


def _custom(field: str) -> Value:
    """The field of that name, whatever its case; blanks, dashes and underscores count as one."""
    wanted = _plain(field)

    def value(fan: Facts, _now: datetime) -> str:
        custom = fan.custom or {}
        text = custom.get(field)
        if text is None:
            text = next((text for name, text in custom.items() if _plain(name) == wanted), "")
        return str(text).strip()

    return value


@lru_cache(maxsize=4096)
def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name.casefold()).strip()


def say_name(fan: Facts, _now: datetime | None = None) -> str:
    """The fan's name as one would say it; nothing where it is none.

    None is: what holds no letter (emoji, numbers); what is spelled exactly as the handle; a single word with a digit, an
    underscore, an @ or a dot inside (u12345678, moon_child, ada@example.com).
    """
    name = " ".join((fan.name or "").split())
    if not any(map(str.isalpha, name)) or name.lstrip("@") == (fan.handle or "").lstrip("@"):
        return ""
    return "" if " " not in name and _HANDLE_LIKE.search(name) else name


def say_first_name(fan: Facts, _now: datetime | None = None) -> str:
    """The first word of the name, without what stands around it ("🔥Mike🔥" is Mike); nothing where it is an initial."""
    name = say_name(fan)
    first = next((bare for word in name.split() if (bare := _bare(word))), "")
    is_initial = len(first) == 1 and first.lower() != first.upper()
    return "" if is_initial else first


def _bare(word: str) -> str:
    """From its first letter to its last, with the marks that belong to that one."""
    letters = [at for at, char in enumerate(word) if char.isalpha()]
    if not letters:
        return ""
    end = letters[-1] + 1
    while end < len(word) and unicodedata.category(word[end]).startswith("M"):
        end += 1
    return word[letters[0] : end]


def _tier(fan: Facts, _now: datetime) -> str:
    """A tier comes in as a tag. Of several tags nobody can say which one is the tier."""
    return fan.tags[0] if len(fan.tags) == 1 else ""


def _days_since(moment: str) -> Value:
    def value(fan: Facts, now: datetime) -> str:
        then: datetime | None = getattr(fan, moment)
        return "" if then is None else str(max(0, (now - then).days))

    return value


_VALUES: dict[str, Value] = {
    "name": say_name,
    "first_name": say_first_name,
    "handle": lambda fan, _: fan.handle or "",
    "tier": _tier,
    "spent": lambda fan, _: money(fan.value_cents) if fan.value_cents else "",
    "days_since_last_seen": _days_since("last_seen_at"),
    "days_since_subscribed": _days_since("subscribed_at"),
    "days_since_purchase": _days_since("last_purchase_at"),
}
KEYS = (*_VALUES, CUSTOM)
NAMES: Mapping[str, str] = {
    "name": "The name. Nothing where it is only a handle, a number or emoji.",
    "first_name": "The first word of the name.",
    "handle": "The handle, with its @.",
    "tier": "The tag of a fan who has exactly one.",
    "spent": "What they have spent, as $1,234.50. Nothing where it is nothing.",
    "days_since_last_seen": "Whole days, as a number.",
    "days_since_subscribed": "Since the subscription that runs, or ran last, began.",
    "days_since_purchase": "Since they last bought something, or tipped.",
    f"{CUSTOM}birthday": "A field of your own, by its name.",
}
