"""One row under a Plan: its values by field, or what is wrong with it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from app.fans.keys import email_key, handle_key
from app.imports import values
from app.imports.headers import CUSTOM, LISTS, MOMENTS, MONEY, custom_name
from app.imports.models import ImportKind
from app.imports.moments import read_iso, read_moment, utc_of, zone_of
from app.imports.options import Rules
from app.imports.plan import Column, Plan, clean, code_in
from app.imports.values import BadCell

DOLLARS = frozenset({"USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"})
KINDS = {
    "tip": ("tip", "donation", "coffee", "gift"),
    "message": ("message", "ppv", "chat", "unlock", "post"),
    "subscription": ("subscription", "membership", "rebill", "recurring", "renewal", "monthly"),
}
NO_MONEY = (
    "fail",
    "denied",
    "declined",
    "cancel",
    "pending",
    "requires",
    "expired",
    "void",
    "unpaid",
    "blocked",
    "incomplete",
)
TAKEN_BACK = ("reverse", "chargeback", "refund")


@dataclass(frozen=True)
class Problem:
    column: str | None
    value: str | None
    error: str


class Person(NamedTuple):
    """What names a fan in a row, folded as the database folds it."""

    platform_id: str | None
    handle: str | None
    email: str | None
    name: str | None

    @property
    def only_name(self) -> bool:
        return not (self.platform_id or self.handle or self.email)


def person_of(given: dict[str, Any]) -> Person:
    return Person(
        given.get("platform_fan_id"), handle_key(given.get("handle")), email_key(given.get("email")), given.get("name")
    )


@dataclass(slots=True)
class Reading:
    """`fault` is what keeps the row out whatever the policy; `problems` are bad cells, whose values are left out."""

    row: int
    cells: list[str]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    fault: Problem | None = None

    def refusal(self, policy: str) -> Problem | None:
        """Why this row is skipped; None where it comes in."""
        if self.problems and policy == "reject":
            first, *more = self.problems
            also = "".join(f" Also {each.column}: {each.error}." for each in more)
            return Problem(first.column, first.value, first.error + (f".{also}" if also else ""))
        return self.fault


CLEARABLE = frozenset(
    {
        "name",
        "email",
        "phone",
        "avatar_url",
        "notes",
        "subscription_status",
        "last_seen_at",
        "value_cents",
        "tags",
        CUSTOM,
    }
)  # by an empty cell, where that is wanted; what links a fan to the platform is not


class RowReader:
    def __init__(self, plan: Plan, rules: Rules) -> None:
        self.plan = plan
        self.clears = rules.empty == "clear"
        self.code = plan.fields.get("currency")
        self.zone = ZoneInfo(plan.zone)
        self.width = len(plan.header)
        self.readers = [
            (column, self._reader(column))
            for column in plan.columns
            if column.field not in ("time", "zone", "currency")
        ]

    def read(self, row: int, cells: list[str]) -> Reading:
        reading = Reading(row, cells)
        if len(cells) > self.width and any(cell.strip() for cell in cells[self.width :]):
            reading.fault = self._too_wide(len(cells))
            return reading
        for column, read in self.readers:
            self._read_cell(cells, reading, column, read)
        given = reading.values
        _join_names(given)
        if self.plan.kind == ImportKind.TRANSACTIONS:
            _finish_payment(reading, self.plan)
        elif not (given.get("handle") or given.get("email") or given.get("platform_fan_id") or given.get("name")):
            reading.fault = self._nobody(reading)
        return reading

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

    def _read_cell(
        self, cells: list[str], reading: Reading, column: Column, read: Callable[[str, list[str]], Any]
    ) -> None:
        text = clean(cells[column.index]) if column.index < len(cells) else ""
        if not text:
            if self.clears:
                self._clear(reading.values, column)
            return
        try:
            value = read(text, cells)
        except BadCell as bad:
            cell = cells[column.index]
            reading.problems.append(Problem(column.header, cell[:1000].replace("\0", "\ufffd"), str(bad)))
            return
        if column.field in LISTS:
            _add_to_list(reading.values, column, value)
        elif value is not None:
            reading.values[column.field] = value

    def _clear(self, given: dict[str, Any], column: Column) -> None:
        if column.field == CUSTOM:
            given.setdefault(CUSTOM, {})[custom_name(column.header)] = None
        elif column.field == "tags":
            given.setdefault("tags", [])
        elif column.field in CLEARABLE:
            given[column.field] = 0 if column.field == "value_cents" else None

    def _reader(self, column: Column) -> Callable[[str, list[str]], Any]:
        if column.field in MONEY:
            return self._money_reader(column)
        if column.field in MOMENTS:
            return self._moment_reader(column)
        read = _reader(column)
        return lambda text, _cells: read(text)

    def _money_reader(self, column: Column) -> Callable[[str, list[str]], int | None]:
        plain = values.plain_cents(column.mark, column.unit, column.currency)
        if self.code:
            return lambda text, cells: self._cents(text, column, cells)
        return lambda text, cells: cents if (cents := plain(text)) is not None else self._cents(text, column, cells)

    def _cents(self, text: str, column: Column, cells: list[str]) -> int | None:
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

    def _moment_reader(self, column: Column) -> Callable[[str, list[str]], datetime | None]:
        zone = zone_of(column.zone) or self.zone
        if column.field == "at" and {"time", "zone"} & set(self.plan.fields):
            return lambda text, cells: self._moment_of_parts(text, column, zone, cells)
        return lambda text, _cells: read_iso(text, zone) or self._moment(text, column, zone)

    def _moment(self, text: str, column: Column, zone: tzinfo) -> datetime | None:
        return None if values.is_nothing(text) else utc_of(read_moment(text), column.order, zone)

    def _moment_of_parts(self, text: str, column: Column, zone: tzinfo, cells: list[str]) -> datetime | None:
        if values.is_nothing(text):
            return None
        clock, named = (clean(self._cell(cells, name)) for name in ("time", "zone"))
        text = f"{text} {clock}" if clock and ":" not in text else text
        return utc_of(read_moment(text), column.order, zone_of(named) or zone)

    def _cell(self, cells: list[str], name: str) -> str:
        column = self.plan.fields.get(name)
        return cells[column.index] if column and column.index < len(cells) else ""


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
        "do_not_message": values.read_flag,
        "subscription_status": lambda text: _read_status(text, column.header),
    }.get(column.field, values.read_text)


def _read_address(text: str) -> str:
    if not text.startswith("https://"):
        raise BadCell("Not an https:// address")
    return values.read_text(text, 2000)


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


def _finish_payment(reading: Reading, plan: Plan) -> None:
    """Brings amount, fee, refund and status together. What lacks an amount or a date moved no money that we know of."""
    given = reading.values
    status, kind = str(given.get("status", "")).casefold(), str(given.get("type", "")).casefold()
    gross = given.get("gross", given.get("net"))
    for name, value in (("gross", gross), ("at", given.get("at"))):
        if value is None:
            column = plan.fields.get(name) or plan.fields["net"]
            bad = next((each for each in reading.problems if each.column == column.header), None)
            what = "amount" if name == "gross" else "date"
            reading.fault = reading.fault or bad or Problem(column.header, "", f"The payment has no {what}")
    if any(word in status for word in NO_MONEY):
        reading.fault = Problem(plan.fields["status"].header, given["status"], "No money moved with this status")
    if plan.identity and not any(given.get(column.field) for column in plan.identity) and not given.get("name"):
        reading.fault = reading.fault or Problem(plan.identity[0].header, "", "The row does not say who paid")
    if reading.fault or gross is None:
        return
    gross -= given.get("refunded", 0)
    net = given.get("net", gross - abs(given["fee"]) if "fee" in given else None)
    if "reverse" in status or "chargeback" in status or any(word in kind for word in TAKEN_BACK):
        gross, net = -abs(gross), None if net is None else -abs(net)
    money = plan.fields.get("gross") or plan.fields["net"]
    given |= {"gross": gross, "net": net, "kind": _kind(kind)}
    given["currency"] = code_in(reading.cells, plan.fields.get("currency")) or money.currency or "USD"


def _kind(text: str) -> str:
    return next((name for name, words in KINDS.items() if any(word in text for word in words)), "other")
