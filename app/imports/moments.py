"""The text of a date or time to a moment in UTC. The order of its numbers is given where the text leaves it open."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from app.imports.values import SPACES, BadCell
from app.zones import find_zone

ORDERS = {"dmy": (2, 1, 0), "mdy": (2, 0, 1), "ymd": (0, 1, 2)}  # where year, month and day stand
_NUMERIC = re.compile(r"(\d{1,4})([/.\-])(\d{1,2})\2(\d{1,4})(?:(?:T|,?\s+)(.*))?")
_ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ISO = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_MONTH_FIRST = re.compile(
    r"(?:[a-z]{3,9}\.?,?\s+)?([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?:,?\s+(.*))?", re.I
)
_DAY_FIRST = re.compile(
    r"(?:[a-z]{3,9}\.?,?\s+)?(\d{1,2})(?:st|nd|rd|th)?\.?[\s\-]+([a-z]{3,9})\.?,?[\s\-]+(\d{4})(?:,?\s+(.*))?", re.I
)
_TIME = re.compile(
    r"(?:at\s+)?(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*([ap]\.?m\.?)?\s*(z|[+-]\d{2}:?\d{2}|[a-z]{2,5})?",
    re.I,
)
_MONTHS = {
    name: at
    for at, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
ZONES = {"z": 0, "utc": 0, "gmt": 0, "bst": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3}
ZONES |= {"est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7}
FIRST_YEAR, LAST_YEAR = 1900, 2100
NOT_A_DATE = "Not a date"


@dataclass(frozen=True)
class Moment:
    """A moment as written: three numbers whose order may be open, or a day that is plain."""

    numbers: tuple[str, str, str] | None
    day: date | None
    clock: tuple[int, int, int, int] = (0, 0, 0, 0)
    zone: tzinfo | None = None
    dotted: bool = False

    def days(self) -> dict[str, date]:
        """What day it is, for each order that makes one."""
        if self.day:
            return dict.fromkeys(ORDERS, self.day)
        assert self.numbers
        if len(self.numbers[0]) == 4:
            day = _day(self.numbers, "ymd")
            return {"ymd": day} if day else {}
        return {order: day for order in ORDERS if (day := _day(self.numbers, order))}


def read_iso(text: str, zone: tzinfo) -> datetime | None:
    """The quick way for what most files hold; None where the text is anything else."""
    if not _ISO.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def read_moment(text: str) -> Moment:
    """Raises BadCell."""
    if _ISO_DAY.fullmatch(text):
        return Moment((text[:4], text[5:7], text[8:]), None)
    text = " ".join(text.translate(SPACES).split())[:80]
    if text.isascii() and text.isdecimal() and len(text) in (10, 13):
        return _from_unix(int(text) // (1000 if len(text) == 13 else 1))
    if found := _NUMERIC.fullmatch(text):
        first, mark, second, third, rest = found.groups()
        return Moment((first, second, third), None, *_read_clock(rest), dotted=mark == ".")
    if found := _MONTH_FIRST.fullmatch(text):
        month, day, year, rest = found.groups()
    elif found := _DAY_FIRST.fullmatch(text):
        day, month, year, rest = found.groups()
    else:
        raise BadCell(NOT_A_DATE)
    plain = _valid_day(int(year), _MONTHS.get(month[:3].lower(), 0), int(day))
    if plain is None:
        raise BadCell(NOT_A_DATE)
    return Moment(None, plain, *_read_clock(rest))


def _from_unix(seconds: int) -> Moment:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return Moment(None, at.date(), (at.hour, at.minute, at.second, 0), UTC)


def has_clock(text: str) -> bool:
    """Of a date as a file writes it. Seconds since 1970 tell the time as well."""
    text = text.strip()
    return ":" in text or (text.isascii() and text.isdecimal())


def names_its_zone(text: str) -> bool:
    """Of a date with its time, as a file writes it."""
    text = " ".join(text.translate(SPACES).split())
    clock = _TIME.search(text)
    return clock is None or clock[6] is not None


def _read_clock(text: str | None) -> tuple[tuple[int, int, int, int], tzinfo | None]:
    if not text:
        return (0, 0, 0, 0), None
    found = _TIME.fullmatch(text)
    if not found:
        raise BadCell(NOT_A_DATE)
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    half = (found[5] or "")[:1].lower()
    if half:
        if not 1 <= hour <= 12:
            raise BadCell(NOT_A_DATE)
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise BadCell(NOT_A_DATE)
    return (hour, minute, second, int((found[4] or "0").ljust(6, "0")[:6])), zone_of(found[6])


def zone_of(text: str | None) -> tzinfo | None:
    """A zone by its offset, its letters or its IANA name; None for no text. Raises BadCell."""
    if not text:
        return None
    if text[0] in "+-":
        hours, minutes = int(text[1:3]), int(text[-2:])
        if hours > 14 or minutes > 59:
            raise BadCell("Not a time zone")
        offset = timedelta(hours=hours, minutes=minutes)
        return timezone(-offset if text[0] == "-" else offset)
    if text.casefold() in ZONES:
        return timezone(timedelta(hours=ZONES[text.casefold()]))
    zone = find_zone(text)
    if zone is None:
        raise BadCell("Not a time zone")
    return zone


def _day(numbers: tuple[str, str, str], order: str) -> date | None:
    year, month, day = (numbers[at] for at in ORDERS[order])
    if len(year) not in (2, 4) or len(month) > 2 or len(day) > 2:
        return None
    return _valid_day(int(year) + (2000 if len(year) == 2 else 0), int(month), int(day))


def _valid_day(year: int, month: int, day: int) -> date | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def utc_of(moment: Moment, order: str, zone: tzinfo) -> datetime:
    """Raises BadCell where the numbers make no day in that order."""
    days = moment.days()
    day = days.get(order)
    if day is None and len(set(days.values())) == 1 and "ymd" in days:
        day = days["ymd"]  # a year of four digits in front leaves nothing open
    if day is None:
        raise BadCell(NOT_A_DATE)
    hour, minute, second, micro = moment.clock
    local = datetime(day.year, day.month, day.day, hour, minute, second, micro, tzinfo=moment.zone or zone)
    return local.astimezone(UTC)
