"""Periods of whole days of a time zone, and the steps that a trend shows them in."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from math import gcd
from typing import Protocol
from zoneinfo import ZoneInfo

from app.errors import Invalid
from app.zones import find_zone

DAY = timedelta(days=1)
USUAL_DAYS = 30
EARLIEST, LATEST = date(1900, 1, 1), date(2999, 12, 31)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
LENGTHS = {"day": 1, "week": 7, "month": 28, "year": 365}  # days, at least
MOST_STEPS = 400
STEPS = ((62, "day"), (200, "week"), (7320, "month"))  # up to so many days
LOOKS = timedelta(days=14)  # a zone that changes its clocks keeps them so for longer than this


class Span(Protocol):
    """From its start to before its end."""

    @property
    def start(self) -> datetime: ...

    @property
    def end(self) -> datetime: ...


@dataclass(frozen=True)
class Period:
    """From the first day to before `after`, as the zone's calendar has them."""

    first: date
    after: date
    zone: ZoneInfo
    by: str = field(default="", compare=False)  # the step that somebody chose for its trend

    @property
    def start(self) -> datetime:
        return moment_of(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """Exclusive."""
        return moment_of(self.after, self.zone)

    @property
    def last(self) -> date:
        return self.after - DAY

    @property
    def days(self) -> int:
        return (self.after - self.first).days

    @property
    def previous(self) -> "Period":
        """Of the same number of days, right before."""
        return Period(self.first - (self.after - self.first), self.first, self.zone)

    @property
    def step(self) -> str:
        """What a trend over it goes by: day, week, month or year."""
        return self.by if self.by in self.choices else next((name for most, name in STEPS if self.days <= most), "year")

    @property
    def choices(self) -> list[str]:
        """The steps of which it has some, but not too many to be seen."""
        return [name for name, days in LENGTHS.items() if days < self.days <= days * MOST_STEPS]

    def steps(self) -> list["Period"]:
        """Its days, weeks (from Monday), months or years: the first and the last perhaps not whole."""
        found, first = [], self.first
        while first < self.after:
            after = min(_step_after(first, self.step), self.after)
            found.append(Period(first, after, self.zone))
            first = after
        return found

    def hours(self, weekday: int, hour: int) -> list[tuple[datetime, datetime]]:
        """Its hours of that name on that day of the week (Monday is 1), each from its start to before its end. One that
        the clocks leave out is missing, one that they repeat is as long as both."""
        found = []
        for number in range(self.days):
            day = self.first + number * DAY
            if day.isoweekday() == weekday:
                found += _hour_of(day, hour, self.zone, self.slot_seconds)
        return found

    @cached_property
    def slot_seconds(self) -> int:
        """The longest part of an hour that no day of the zone in this period begins inside of: of nearly all zones, the hour."""
        seconds, at = 3600, self.start
        while at < self.end:
            seconds = gcd(seconds, _offset(at, self.zone))
            at += LOOKS
        return gcd(seconds, _offset(self.end, self.zone))


def number_at(moment: datetime, seconds: int) -> int:
    """Of the stretch of so many seconds in which the moment lies, counted since 1970."""
    return int(moment.timestamp() // seconds)


def slots_of(span: Span, seconds: int) -> range:
    """The stretches of so many seconds that it touches."""
    return range(number_at(span.start, seconds), -int(-span.end.timestamp() // seconds))


def moment_of(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins, in UTC. Where the clocks leave midnight out, it begins when they do."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _hour_of(day: date, hour: int, zone: ZoneInfo, slot_seconds: int) -> list[tuple[datetime, datetime]]:
    slot, at, ends = timedelta(seconds=slot_seconds), moment_of(day, zone), moment_of(day + DAY, zone)
    slots = []
    while at < ends:
        if at.astimezone(zone).hour == hour:
            slots.append(at)
        at += slot
    return [(slots[0], slots[-1] + slot)] if slots else []


def read_period(first: str | None, after: str | None, timezone: str | None, account_zone: str, now: datetime) -> Period:
    """As `from`, `to` and `timezone` of an address say; by default the last 30 days, today among them.

    Raises Invalid, naming the field.
    """
    zone = find_zone(timezone or account_zone)
    if zone is None:
        raise Invalid(
            ("timezone", f"There is no time zone {timezone or account_zone!r}. Use a name like Europe/Paris.")
        )
    until = _read_day("to", after) if after else now.astimezone(zone).date() + DAY
    since = _read_day("from", first) if first else max(until - timedelta(days=USUAL_DAYS), EARLIEST)
    if since >= until:
        if not first:
            raise Invalid(("to", f"must lie after {EARLIEST}."))
        raise Invalid(("from", "must lie before the end of the period."))
    return Period(since, until, zone)


def _read_day(name: str, text: str) -> date:
    try:
        day = date.fromisoformat(text) if DATE.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise Invalid((name, "must be a date like 2026-11-30."))
    if not EARLIEST <= day <= LATEST:
        raise Invalid((name, f"must lie between {EARLIEST} and {LATEST}."))
    return day


def _step_after(day: date, step: str) -> date:
    if step == "day":
        return day + DAY
    if step == "week":
        return day + timedelta(days=7 - day.weekday())
    if step == "month":
        return date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return date(day.year + 1, 1, 1)


def _offset(at: datetime, zone: ZoneInfo) -> int:
    offset = at.astimezone(zone).utcoffset() or timedelta()
    return int(offset.total_seconds())


PRESETS = {
    "7": "7 days", "30": "30 days", "90": "90 days", "this-month": "This month", "last-month": "Last month",
}  # fmt: skip


def preset(name: str, zone: ZoneInfo, now: datetime) -> Period:
    """One of PRESETS, as it lies today. Raises KeyError."""
    today = now.astimezone(zone).date()
    month = today.replace(day=1)
    if name == "this-month":
        return Period(month, today + DAY, zone)
    if name == "last-month":
        return Period((month - DAY).replace(day=1), month, zone)
    return Period(today + DAY - timedelta(days={"7": 7, "30": 30, "90": 90}[name]), today + DAY, zone)
