"""How values look on a page. None of these needs a request: the same text for every viewer, also from a worker."""

from __future__ import annotations

import calendar
import re
import unicodedata
import zlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from app.zones import find_zone

if TYPE_CHECKING:
    from flask import Flask

NOTHING = "–"
DAYS, MONTHS = (
    tuple(calendar.day_name),
    tuple(calendar.month_name),
)  # looked up at each use, they cost as much as all else
IN_CENTS = re.compile(r" \(\d+ to \d+ cents\)")
TINTS = 8  # .tint-0 to .tint-7 in app.css


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(now=lambda: datetime.now(UTC))
    app.jinja_env.filters.update(
        money=money,
        amount=amount,
        number=number,
        plural=plural,
        bytes=in_bytes,
        span=span,
        up_to=up_to,
        when=when,
        clocks=clocks,
        day=day,
        day_name=day_name,
        day_marks=day_marks,
        linked=linked,
        initials=initials,
        tint=tint,
        status_look=status_look,
        outcome_look=outcome_look,
    )


def money(cents: int | Decimal | None) -> str:
    """123450 -> "$1,234.50". Decimal because PostgreSQL sums integers to it; a part of a cent is an error."""
    if cents is None:
        return NOTHING
    if isinstance(cents, float) or cents != int(cents):
        raise ValueError(f"money is whole cents, not {cents!r}")
    dollars, rest = divmod(abs(int(cents)), 100)
    return f"{'-' if cents < 0 else ''}${dollars:,}.{rest:02}"


def without_cents(message: str) -> str:
    """What a price may be is said to programs in cents as well: a person has it before the eyes in dollars."""
    return IN_CENTS.sub("", message)


def amount(cents: int | None, currency: str) -> str:
    """Dollars as everywhere; others with their code."""
    return money(cents) if currency == "USD" or cents is None else f"{money(cents).replace('$', '')} {currency}"


def number(n: int | None) -> str:
    return NOTHING if n is None else f"{n:,}"


def in_bytes(n: int) -> str:
    """1234567 -> "1.2 MB"."""
    for size, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if n >= size:
            return f"{n / size:,.1f} {name}"
    return plural(n, "byte", "bytes")


def span(seconds: float) -> str:
    """75 -> "1 min", 7300 -> "2 h": how long something has taken, by its largest part."""
    for size, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size):,} {name}"
    return f"{int(seconds)} s"


def up_to(n: int, most: int) -> str:
    """A number that was counted no further than to one more: 1,000 of at most 999 -> "999+"."""
    return number(n) if n <= most else f"{number(most)}+"


def plural(n: int, one: str, many: str) -> str:
    """1 -> "1 fan", 1200 -> "1,200 fans"."""
    return f"{number(n)} {one if n == 1 else many}"


def when(moment: datetime | None, zone_name: str, form: str = "short") -> Markup | str:
    """A <time> in the named zone. `form`: "short" ("14:03 CET" today, else with the date), "time", "date", "full", or
    "seconds" ("14:03:27 CET", with the date unless it is today).

    A moment without a zone is UTC, as the database keeps it.
    """
    if moment is None:
        return NOTHING
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    zone = _zone(zone_name)
    local, today = utc.astimezone(zone), datetime.now(zone).date()
    label, clock = _zone_label(local), local.isoformat(timespec="seconds")[11:19]
    full = f"{DAYS[local.weekday()]}, {local.day} {MONTHS[local.month]} {local.year}, {clock} {label} ({zone.key})"
    clock = f"{clock if form == 'seconds' else clock[:5]} {label}"
    day = f"{local.day} {MONTHS[local.month][:3]}" + ("" if local.year == today.year else f" {local.year}")
    if form in ("short", "seconds") and local.date() == today:
        form = "time"
    text = {"time": clock, "date": day, "full": full}.get(form) or f"{day}, {clock}"
    # Made of numbers, and of names that the system's zones have: nothing in it is to be escaped.
    return Markup(f'<time datetime="{utc.isoformat()[:19]}Z" title="{full}">{text}</time>')  # noqa: S704


def clocks(moment: datetime, zone_name: str) -> str:
    """What the clocks of a zone do to a time to come: "That time comes twice that night: …", "The clocks change before then: …".
    Mostly nothing."""
    local, here = _local(moment, zone_name), datetime.now(UTC).astimezone(_zone(zone_name))
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        which = "second" if local.fold else "first"
        return f"That time comes twice that night: the {which} is meant, by {_zone_label(local)}."
    if local.utcoffset() == here.utcoffset():
        return ""
    return f"The clocks change before then: from {_zone_label(here)} to {_zone_label(local)}."


def day(moment: datetime, zone_name: str) -> str:
    """ "2026-11-23", in the named zone."""
    return _local(moment, zone_name).date().isoformat()


def day_name(moment: datetime, zone_name: str) -> str:
    """ "Monday, 23 November", with the year unless it is this one."""
    return _day_name(_local(moment, zone_name))


def day_marks(moment: datetime, zone_name: str) -> Markup:
    """Both, as attributes of a row."""
    local = _local(moment, zone_name)
    return Markup(f'data-day="{local.date().isoformat()}" data-day-name="{_day_name(local)}"')  # noqa: S704 (numbers and names of days)


def _day_name(local: datetime) -> str:
    this_year = datetime.now(local.tzinfo).year
    return f"{DAYS[local.weekday()]}, {local.day} {MONTHS[local.month]}" + (
        "" if local.year == this_year else f" {local.year}"
    )


def _local(moment: datetime, zone_name: str) -> datetime:
    utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return utc.astimezone(_zone(zone_name))


ADDRESS = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]}]")


def linked(text: str) -> Markup:
    """Text as it is, with web addresses as links that show where they lead and tell nothing of where they were followed."""
    if "://" not in text:
        return escape(text)
    link = Markup('<a href="{0}" rel="noopener noreferrer nofollow ugc" target="_blank">{0}</a>')
    parts, end = [], 0
    for found in ADDRESS.finditer(text):
        parts += [escape(text[end : found.start()]), link.format(found[0])]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def _zone(name: str) -> ZoneInfo:
    return find_zone(name) or ZoneInfo("UTC")


def _zone_label(local: datetime) -> str:
    """ "CET"; where a zone has no letters of its own ("-03"), "UTC-03"."""
    label = local.tzname() or ""
    return label if label[:1].isalpha() else f"UTC{label}"


def initials(name: str | None) -> str:
    """ "Ada Lovelace" -> "AL", "@moon_child" -> "MC", "ada" -> "A"; what holds no letter is "?"."""
    words = "".join(letter if letter.isalnum() else " " for letter in unicodedata.normalize("NFC", name or "")).split()
    chosen = words[:1] + words[-1:] if len(words) > 1 else words
    return "".join(word[0] for word in chosen).upper() or "?"


def tint(name: str | None) -> str:
    """The CSS class of a name's soft colour: the same in every process and for ever."""
    return f"tint-{zlib.crc32((name or '').casefold().encode()) % TINTS}"


# What a state is called, which of app.css's tones it has, and its icon: never a colour alone.
STATUSES = {
    "queued": ("Queued", "calm", "clock"),
    "scheduled": ("Scheduled", "calm", "calendar"),
    "draft": ("Draft", "calm", "edit"),
    "pending": ("Pending", "calm", "clock"),
    "uploaded": ("Uploaded", "calm", "clock"),
    "waiting": ("Waiting", "calm", "hourglass"),
    "sending": ("Sending", "busy", "send"),
    "running": ("Running", "busy", "player-play"),
    "processing": ("Processing", "busy", "refresh"),
    "reading": ("Reading", "busy", "refresh"),
    "checking": ("Checking", "busy", "refresh"),
    "mapping": ("Columns to check", "warn", "help-circle"),
    "rehearsing": ("Rehearsing", "busy", "refresh"),
    "rehearsed": ("Rehearsed", "warn", "eye"),
    "applying": ("Applying", "busy", "refresh"),
    "undoing": ("Undoing", "busy", "arrow-back-up"),
    "sent": ("Sent", "good", "check"),
    "delivered": ("Delivered", "good", "checks"),
    "read": ("Read", "good", "eye"),
    "received": ("Received", "calm", "arrow-down-left"),
    "bought": ("Bought", "good", "coin"),
    "paid": ("Paid", "good", "coin"),
    "completed": ("Completed", "good", "circle-check"),
    "finished": ("Finished", "good", "circle-check"),
    "done": ("Done", "good", "circle-check"),
    "healthy": ("Healthy", "good", "circle-check"),
    "degraded": ("Degraded", "warn", "alert-triangle"),
    "down": ("Down", "bad", "alert-circle"),
    "active": ("Active", "good", "circle-check"),
    "key_refused": ("Key refused", "bad", "alert-circle"),
    "test_failed": ("Test failed", "bad", "alert-triangle"),
    "connected": ("Connected", "good", "plug-connected"),
    "created": ("Created", "good", "plus"),
    "updated": ("Updated", "busy", "edit"),
    "unchanged": ("Unchanged", "calm", "minus"),
    "skipped": ("Skipped", "calm", "minus"),
    "excluded": ("Left out", "calm", "minus"),
    "included": ("Included", "good", "check"),
    "paused": ("Paused", "warn", "player-pause"),
    "unknown": ("Unknown", "warn", "help-circle"),
    "limited": ("Slowed down", "warn", "hourglass"),
    "expired": ("Expired", "warn", "alert-triangle"),
    "deleted": ("Deleted", "calm", "trash"),
    "undone": ("Undone", "calm", "arrow-back-up"),
    "cancelled": ("Cancelled", "calm", "ban"),
    "canceled": ("Cancelled", "calm", "ban"),
    "disconnected": ("Not connected", "calm", "plug-connected-x"),
    "inactive": ("Inactive", "calm", "circle-dashed"),
    "failed": ("Failed", "bad", "alert-circle"),
    "error": ("Error", "bad", "alert-circle"),
    "rejected": ("Rejected", "bad", "circle-x"),
    "blocked": ("Blocked", "bad", "ban"),
}


OUTCOMES = {  # of an attempt to send
    None: ("Under way", "busy", "send"),
    "sent": ("Accepted", "good", "check"),
    "refused": ("Refused", "bad", "ban"),
    "not_sent": ("Not sent", "warn", "circle-x"),
    "limited": ("Told to slow down", "warn", "hourglass"),
    "unknown": ("No certain answer", "warn", "help-circle"),
    "lost": ("The sender stopped", "warn", "alert-triangle"),
    "credentials_expired": ("Key refused", "bad", "alert-circle"),
}


def outcome_look(outcome: str | None) -> tuple[str, str, str]:
    """As status_look, of an attempt."""
    return OUTCOMES.get(outcome) or status_look(outcome)


def status_look(status: object) -> tuple[str, str, str]:
    """The word, tone and icon of a state, given as text or as a StrEnum; one not known here is still shown, calmly."""
    name = str(getattr(status, "value", status)).lower()
    return STATUSES.get(name) or (name.replace("_", " ").capitalize(), "calm", "circle-dashed")
