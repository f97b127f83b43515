"""What a person types into the search field, as what is looked for: `from:fan has:ppv "last night" roses`."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.conversations.words import Phrase, words_in

LONGEST_SEARCH = 200
_CHUNK = re.compile(r'(?:(?P<name>[^\W\d_]+):(?!//))?(?:"(?P<quoted>[^"]*)"?|(?P<bare>\S*))')
_AMOUNT = re.compile(r"(?P<sign>>=|<=|>|<)\$?(?P<dollars>\d{1,9})(?:\.(?P<cents>\d{1,2}))?")
STATES = ("unread", "unanswered", "archived", "snoozed")
SENDERS = ("fan", "us", "me")


@dataclass(frozen=True)
class Wanted:
    """What is looked for. All of it must be true of a message."""

    phrases: tuple[Phrase, ...] = ()
    words: tuple[str, ...] = ()  # as they were typed: names of fans are found by them
    sender: str = ""  # one of SENDERS
    fan: str = ""  # an @handle, or a part of a name
    ppv: bool = False
    media: bool = False
    bought: bool | None = None
    states: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    least_cents: int | None = None
    most_cents: int | None = None
    since: datetime | None = None
    until: datetime | None = None  # not itself
    problems: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_nothing(self) -> bool:
        return self == Wanted()

    @property
    def is_about_messages(self) -> bool:
        """Something is said that only a message has."""
        said = (
            self.sender,
            self.fan,
            self.ppv,
            self.media,
            self.bought is not None,
            self.states,
            self.since,
            self.until,
        )
        return any(said)


def read_words(said: str) -> Wanted:
    """Words alone, the last of them perhaps only begun; what stands in quotation marks stands side by side."""
    wanted = Wanted()
    for found in _CHUNK.finditer(said):
        if found[0]:
            wanted = _with_words(wanted, found["quoted"] or found[0], is_quoted=found["quoted"] is not None)
    return wanted


def read(said: str, zone: str) -> Wanted:
    """With operators. What is not understood is left out, and said in `problems`; days are those of the zone."""
    wanted = Wanted()
    for found in _CHUNK.finditer(said[:LONGEST_SEARCH].replace("\0", "")):
        if not found[0]:
            continue
        name, is_quoted = found["name"], found["quoted"] is not None
        value = found["quoted"] if is_quoted else found["bare"]
        if name is None:
            wanted = _with_words(wanted, value, is_quoted=is_quoted)
            continue
        try:
            wanted = _with_operator(wanted, name.lower(), value.strip(), ZoneInfo(zone))
        except ValueError as error:
            wanted = replace(wanted, problems=(*wanted.problems, str(error)))
    return wanted


def _with_words(wanted: Wanted, text: str, *, is_quoted: bool) -> Wanted:
    """Only the last word of all may be a beginning, and none in quotation marks."""
    words = tuple(words_in(text))
    earlier = tuple(replace(phrase, is_beginning=False) for phrase in wanted.phrases)
    phrases = (*earlier, Phrase(words, is_beginning=not is_quoted)) if words else earlier
    return replace(wanted, phrases=phrases, words=(*wanted.words, text) if text.strip() else wanted.words)


def _with_operator(wanted: Wanted, name: str, value: str, zone: ZoneInfo) -> Wanted:
    if name not in _OPERATORS:
        known = ", ".join(f"{each}:" for each in _OPERATORS)
        raise ValueError(f"“{name}:” is not known here, so it was left out. Known are {known}.")
    return _OPERATORS[name](wanted, value, zone)


def _from(wanted: Wanted, value: str, _zone: ZoneInfo) -> Wanted:
    if not value.lstrip("@"):
        raise ValueError('“from:” needs somebody: from:fan, from:us, from:me, from:@handle or from:"a name".')
    if value.lower() in SENDERS:
        return replace(wanted, sender=value.lower())
    return replace(wanted, sender="fan", fan=value)


def _has(wanted: Wanted, value: str, _zone: ZoneInfo) -> Wanted:
    if value.lower() not in ("ppv", "media"):
        raise ValueError(f"“has:{value}” is not known: has:ppv finds paid messages, has:media those with files.")
    return replace(wanted, ppv=True) if value.lower() == "ppv" else replace(wanted, media=True)


def _is(wanted: Wanted, value: str, _zone: ZoneInfo) -> Wanted:
    if value.lower() not in STATES:
        raise ValueError(f"“is:{value}” is not known: a conversation is {', '.join(STATES[:-1])} or {STATES[-1]}.")
    return replace(wanted, states=wanted.states | {value.lower()})


def _tag(wanted: Wanted, value: str, _zone: ZoneInfo) -> Wanted:
    if not value:
        raise ValueError('“tag:” needs a tag, as in tag:vip or tag:"big spender".')
    return replace(wanted, tags=wanted.tags | {value.casefold()})


def _spent(wanted: Wanted, value: str, _zone: ZoneInfo) -> Wanted:
    found = _AMOUNT.fullmatch(value.replace(",", ""))
    if not found:
        raise ValueError("“spent:” needs more or less than dollars, as in spent:>100 or spent:<50.")
    cents = int(Decimal(f"{found['dollars']}.{found['cents'] or 0}") * 100)
    match found["sign"]:
        case ">":
            return replace(wanted, least_cents=max(cents + 1, wanted.least_cents or 0))
        case ">=":
            return replace(wanted, least_cents=max(cents, wanted.least_cents or 0))
        case sign:
            most = cents if sign == "<=" else cents - 1
            return replace(wanted, most_cents=most if wanted.most_cents is None else min(most, wanted.most_cents))


def _bought(wanted: Wanted, value: str, _zone: ZoneInfo) -> Wanted:
    if value.lower() not in ("yes", "no"):
        raise ValueError("“bought:” is answered by yes or no, as in bought:yes.")
    return replace(wanted, bought=value.lower() == "yes", ppv=True)


def _before(wanted: Wanted, value: str, zone: ZoneInfo) -> Wanted:
    at = _start_of_day("before", value, zone)
    return replace(wanted, until=min(at, wanted.until or at))


def _after(wanted: Wanted, value: str, zone: ZoneInfo) -> Wanted:
    at = _start_of_day("after", value, zone)
    return replace(wanted, since=max(at, wanted.since or at))


def _start_of_day(name: str, value: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(value), time(), zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"“{name}:” needs a day, as in {name}:2026-05-01.") from None


_OPERATORS: dict[str, Callable[[Wanted, str, ZoneInfo], Wanted]] = {
    "from": _from,
    "has": _has,
    "is": _is,
    "tag": _tag,
    "spent": _spent,
    "bought": _bought,
    "before": _before,
    "after": _after,
}
