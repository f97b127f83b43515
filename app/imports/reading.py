"""One row under a Plan: its values by field, or what is wrong with it."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.imports import values
from app.imports.headers import CUSTOM, FAN_MOMENTS, LISTS, MOMENTS, MONEY, custom_name
from app.imports.models import ImportKind
from app.imports.moments import has_clock, read_iso, read_moment, utc_of, zone_of
from app.imports.options import Rules
from app.imports.payments import finish_payment
from app.imports.plan import Column, Plan, clean, code_in
from app.imports.row import Problem, Reading
from app.imports.values import BadCell
from app.zones import find_zone

DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"})
CLEARABLE = frozenset(
    {
        "name",
        "email",
        "phone",
        "avatar_url",
        "notes",
        "subscription_status",
        "timezone",
        *FAN_MOMENTS,
        "value_cents",
        "tags",
        CUSTOM,
    }
)  # by an empty cell, where that is wanted; what links a fan to the platform is not


class _Cell(NamedTuple):
    """How a column's cells are read."""

    column: Column
    at: int
    field: str
    read: Callable[..., Any]
    looks_around: bool


class RowReader:
    def __init__(self, plan: Plan, rules: Rules) -> None:
        self.plan = plan
        self.clears = rules.empty == "clear"
        self.code = plan.fields.get("currency")
        self.zone = ZoneInfo(plan.zone)
        self.width = len(plan.header)
        self.cells = [
            _Cell(column, column.index, column.field, *self._reader(column))
            for column in plan.columns
            if column.field not in ("time", "zone", "currency")
        ]

    def read(self, row: int, cells: list[str]) -> Reading:
        reading = Reading(row, cells)
        if len(cells) > self.width and any(cell.strip() for cell in cells[self.width :]):
            reading.fault = self._too_wide(len(cells))
            return reading
        self._read_cells(cells, reading)
        given = reading.values
        _join_names(given)
        if self.plan.kind == ImportKind.TRANSACTIONS:
            finish_payment(reading, self.plan)
            self._mark_day(reading)
        elif not (given.get("handle") or given.get("email") or given.get("platform_fan_id") or given.get("name")):
            reading.fault = self._nobody(reading)
        return reading

    def _read_cells(self, cells: list[str], reading: Reading) -> None:
        """In one function, since it runs for every cell of a file."""
        given, width = reading.values, len(cells)
        for column, index, name, read, looks_around in self.cells:
            text = clean(cells[index]) if index < width else ""
            if not text:
                if self.clears:
                    self._clear(given, column)
                continue
            try:
                value = read(text, cells) if looks_around else read(text)
            except BadCell as bad:
                reading.problems.append(Problem(column.header, cells[index][:1000].replace("\0", "\ufffd"), str(bad)))
                continue
            if name in LISTS:
                _add_to_list(given, column, value)
            elif value is not None:
                given[name] = value

    def _too_wide(self, width: int) -> Problem:
        mark = _MARK_NAMES.get(self.plan.form.delimiter, "delimiter")
        said = f"The row has {width} cells, the header {self.width}. A cell that holds a {mark} needs quotes around it"
        return Problem(None, None, said)

    def _nobody(self, reading: Reading) -> Problem:
        if reading.problems:
            return reading.problems[0]
        return Problem(
            self.plan.identity[0].header, "", "The row names no fan: no username, name, e-mail or platform id"
        )

    def _clear(self, given: dict[str, Any], column: Column) -> None:
        if column.field == CUSTOM:
            given.setdefault(CUSTOM, {})[custom_name(column.header)] = None
        elif column.field == "tags":
            given.setdefault("tags", [])
        elif column.field in CLEARABLE:
            given[column.field] = 0 if column.field == "value_cents" else None

    def _reader(self, column: Column) -> tuple[Callable[..., Any], bool]:
        """And whether it needs the row's other cells as well."""
        if column.field in MONEY:
            return self._money_reader(column)
        if column.field in MOMENTS:
            return self._moment_reader(column)
        return _reader(column), False

    def _money_reader(self, column: Column) -> tuple[Callable[..., int | None], bool]:
        plain = values.plain_cents(column.mark, column.unit, column.currency)
        if self.code:
            return lambda text, cells: self._cents(text, column, cells), True
        return lambda text: cents if (cents := plain(text)) is not None else self._cents(text, column, ()), False

    def _cents(self, text: str, column: Column, cells: Sequence[str]) -> int | None:
        if values.is_nothing(text):
            return None
        money = values.read_money(text)
        code = code_in(cells, self.code) or money.currency
        bare_dollar = money.currency == "USD" and code == "USD" and column.currency in DOLLARS
        if code and column.currency and code != column.currency and not bare_dollar:
            raise BadCell(f"In {code}, while this import takes {column.currency}")
        cents = values.cents_of(money, column.mark, column.unit)
        if cents < 0 and column.field == "value_cents":
            raise BadCell("What a fan spent cannot be below zero")
        return cents

    def _moment_reader(self, column: Column) -> tuple[Callable[..., datetime | None], bool]:
        zone = zone_of(column.zone) or self.zone
        if column.field == "at" and {"time", "zone"} & set(self.plan.fields):
            return lambda text, cells: self._moment_of_parts(text, column, zone, cells), True

        def read(text: str) -> datetime | None:
            return read_iso(text, zone) or self._moment(text, column, zone)

        read_day = lru_cache(maxsize=4096)(read)  # days repeat, times do not
        return lambda text: read_day(text) if len(text) <= len("2026-01-31") else read(text), False

    def _moment(self, text: str, column: Column, zone: tzinfo) -> datetime | None:
        return None if values.is_nothing(text) else utc_of(read_moment(text), column.order, zone)

    def _moment_of_parts(self, text: str, column: Column, zone: tzinfo, cells: list[str]) -> datetime | None:
        if values.is_nothing(text):
            return None
        clock, named = (clean(self._cell(cells, name)) for name in ("time", "zone"))
        text = f"{text} {clock}" if clock and ":" not in text else text
        return utc_of(read_moment(text), column.order, zone_of(named) or zone)

    def _mark_day(self, reading: Reading) -> None:
        """A date without a time is any moment of its day."""
        at, column = reading.values.get("at"), self.plan.fields.get("at")
        if (
            at is None
            or column is None
            or has_clock(" ".join(self._cell(reading.cells, name) for name in ("at", "time")))
        ):
            return
        named = clean(self._cell(reading.cells, "zone"))
        reading.values["day_ends_at"] = _next_day(at, zone_of(named) or zone_of(column.zone) or self.zone)

    def _cell(self, cells: list[str], name: str) -> str:
        column = self.plan.fields.get(name)
        return cells[column.index] if column and column.index < len(cells) else ""


@lru_cache(maxsize=4096)
def _next_day(at: datetime, zone: tzinfo) -> datetime:
    return datetime.combine(at.astimezone(zone).date() + timedelta(days=1), time(), zone).astimezone(UTC)


_MARK_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "|"}


def _reader(column: Column) -> Callable[[str], Any]:
    return {
        "handle": values.read_handle,
        "email": lambda text: None if values.is_nothing(text) else values.read_email(text),
        "platform_fan_id": lambda text: None if values.is_nothing(text) else values.read_id(text),
        "transaction_id": values.read_id,
        "phone": lambda text: None if values.is_nothing(text) else values.read_text(text, 50),
        "tier": lambda text: None if values.is_nothing(text) else values.read_tags(text, one=True),
        "tags": values.read_tags,
        "notes": lambda text: values.read_text(text, 10_000),
        CUSTOM: lambda text: values.read_text(text, 1000),
        "avatar_url": _read_address,
        "timezone": _read_zone,
        "do_not_message": values.read_flag,
        "subscription_status": lambda text: _read_status(text, column.header),
    }.get(column.field, values.read_text)


def _read_address(text: str) -> str:
    if not text.startswith("https://"):
        raise BadCell("Not an https:// address")
    return values.read_text(text, 2000)


def _read_zone(text: str) -> str | None:
    if values.is_nothing(text):
        return None
    if find_zone(text) is None:
        raise BadCell("Not a time zone like Europe/Paris")
    return text


def _read_status(text: str, header: str) -> str | None:
    if values.is_nothing(text):
        return None
    if "active" in header.casefold() and text.casefold() in values.YES | values.NO:
        return "active" if text.casefold() in values.YES else "inactive"
    return values.read_text(text, 100)


def _add_to_list(given: dict[str, Any], column: Column, value: Any) -> None:
    if column.field == CUSTOM:
        given.setdefault(CUSTOM, {})[custom_name(column.header)] = value
    elif value is not None:
        given.setdefault("tags", []).extend(value)


def _join_names(given: dict[str, Any]) -> None:
    if "first_name" not in given and "last_name" not in given:
        return
    parts = [given.pop(name, None) for name in ("first_name", "last_name")]
    if "name" not in given and any(parts):
        given["name"] = " ".join(filter(None, parts))[:255]
