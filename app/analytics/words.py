"""How periods, shares and times are said on the pages."""

from datetime import UTC, date, datetime
from math import ceil

from app.analytics.periods import Period
from app.formats import NOTHING

MINUTE, HOUR, DAY = 60, 3600, 86_400
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SHADES = 8  # .heat-0 to .heat-8 in app.css


def percent(share: float | None) -> str:
    """0.8421 -> "84.2%"."""
    return NOTHING if share is None else f"{100 * share:.1f}%"


def lasting(seconds: float | None) -> str:
    """3725 -> "1 h 2 min"."""
    if seconds is None:
        return NOTHING
    seconds = round(seconds)
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min"
    if seconds < DAY:
        return _two(seconds // HOUR, "h", seconds % HOUR // MINUTE, "min")
    return _two(seconds // DAY, "d", seconds % DAY // HOUR, "h")


def _two(whole: int, unit: str, rest: int, smaller: str) -> str:
    return f"{whole} {unit} {rest} {smaller}" if rest else f"{whole} {unit}"


def in_percent(value: int, before: int) -> str:
    """Of nothing, or of less than nothing, there is no percentage."""
    if value == before:
        return "as before"
    return f"{100 * (value - before) / before:+,.0f}%" if before > 0 else ""


def in_points(value: float, before: float) -> str:
    points = round(100 * (value - before), 1)
    return f"{points:+.1f} points" if points else "as before"


def in_time(value: int, before: int) -> str:
    if value == before:
        return "as before"
    return f"{lasting(abs(value - before))} {'slower' if value > before else 'quicker'}"


def days(period: Period) -> str:
    """ "Sunday, 1 November" for a day; "1 – 30 November"; with years unless they are this one."""
    year = datetime.now(UTC).astimezone(period.zone).year
    first, last = period.first, period.last
    if first == last:
        return f"{first:%A}, {_day(first, year)}"
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} – {_day(last, year)}"
    return f"{_day(first, last.year if last.year == first.year else 0)} – {_day(last, year)}"


def _day(day: date, known_year: int) -> str:
    return f"{day.day} {day:%B}" + ("" if day.year == known_year else f" {day.year}")


def mark(step: Period, kind: str) -> str:
    """Beneath a bar of a chart: "1 Nov", "Nov 2026" or "2026"."""
    forms = {"month": f"{step.first:%b %Y}", "year": f"{step.first.year}"}
    return forms.get(kind, f"{step.first.day} {step.first:%b}")


def hour_of_week(weekday: int, hour: int) -> str:
    """Monday is 1: "Mon 09:00"."""
    return f"{WEEKDAYS[weekday - 1]} {hour:02}:00"


def shade(n: int, most: int) -> int:
    """0 for none, SHADES for the most."""
    return ceil(SHADES * n / most) if most else 0


def compact(n: int) -> str:
    """1234 -> "1.2k": to stand in a narrow cell."""
    if n < 1000:
        return str(n)
    return f"{n / 1000:.1f}k" if n < 10_000 else f"{n // 1000}k"
