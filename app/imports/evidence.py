"""What a whole column says about how it is written: the order of its dates, its decimal mark, unit and currency.

Settled for the column or asked for, never row by row.
"""

from dataclasses import dataclass, field

from app.errors import Invalid
from app.imports.moments import ORDERS, read_moment
from app.imports.values import BadCell, Money, is_nothing, read_money

MOST_SHAPES = 10_000
_SHAPES = {ord(digit): "9" for digit in "12345678"}  # what an amount says about its column does not hang on its digits
ENGLISH = frozenset({"$", "US$", "C$", "A$", "£"})


@dataclass(frozen=True)
class Choices:
    """What the person or program said about the file. None: the file must say it."""

    date_order: str | None = None
    decimal: str | None = None
    unit: str | None = None
    currency: str | None = None


@dataclass
class DateEvidence:
    orders: set[str] = field(default_factory=lambda: set(ORDERS))
    example: str = ""
    witnesses: dict[str, str] = field(default_factory=dict)  # a value that only this order explains

    def add(self, text: str) -> None:
        if text[4:5] == "-" and text[:4].isdecimal():
            return  # the year in front leaves nothing open
        try:
            moment = read_moment(text)
        except BadCell:
            return
        days = moment.days()
        if not days or moment.day or (moment.numbers and len(moment.numbers[0]) == 4):
            return
        if moment.dotted and "dmy" in days:
            days = {"dmy": days["dmy"]}
        self.orders &= set(days)
        if len(days) == 1:
            self.witnesses.setdefault(next(iter(days)), text)
        if not self.example and len(set(days.values())) > 1:
            self.example = text

    def settle(self, column: str, choices: Choices) -> str:
        if choices.date_order:
            return choices.date_order
        if not self.orders:
            said = " and ".join(f"{text} ({_ORDER_WORDS[order]})" for order, text in sorted(self.witnesses.items()))
            raise Invalid(("dateOrder", f'Column "{column}" holds dates of two kinds: {said}. {_send(self.witnesses)}'))
        if len(self.orders) > 1 and self.example:
            words = " or ".join(_ORDER_WORDS[order] for order in ORDERS if order in self.orders)
            said = f'Column "{column}" can be read as {words}, for example {self.example}.'
            raise Invalid(("dateOrder", f"{said} {_send(self.orders)}"))
        return min(self.orders)


_ORDER_WORDS = {"dmy": "day/month", "mdy": "month/day", "ymd": "year/month/day"}


def _send(orders: set[str] | dict[str, str]) -> str:
    return f"Send dateOrder={' or '.join(order for order in ORDERS if order in orders) or 'dmy or mdy'}."


@dataclass
class MoneyEvidence:
    marks: dict[str, str] = field(default_factory=dict)  # decimal mark -> a value that only it explains
    open_mark: str = ""
    units: bool = False
    open_unit: str = ""
    currencies: dict[str, str] = field(default_factory=dict)
    shapes: set[tuple[str, str | None]] = field(default_factory=set)  # seen: one more of them says nothing new

    def add(self, text: str, currency: str | None = None) -> None:
        shape = (text.translate(_SHAPES), currency)
        if shape in self.shapes or is_nothing(text):
            return
        if len(self.shapes) < MOST_SHAPES:
            self.shapes.add(shape)
        try:
            money = read_money(text)
        except BadCell:
            return
        self._add_mark(money, text)
        self.units = self.units or not money.is_whole or bool(money.currency)
        if money.is_whole and not money.is_zero and not self.open_unit:
            self.open_unit = text
        found = currency or money.currency
        if found and len(self.currencies) < 5:
            self.currencies.setdefault(found, text)

    def _add_mark(self, money: Money, text: str) -> None:
        marks = money.marks
        if len(marks) == 1:
            self.marks.setdefault(next(iter(marks)), text)
        elif marks and not money.is_whole and not money.is_zero:
            # A sum like $1,234 is written so where the comma parts thousands; elsewhere the sign stands behind.
            if money.symbol.upper() in ENGLISH and "," in money.digits:
                self.marks.setdefault(".", text)
            elif money.digits.replace(" ", "").replace("'", "").replace("’", "").isdecimal():
                return
            else:
                self.open_mark = self.open_mark or text

    def settle_mark(self, column: str, choices: Choices) -> str:
        if choices.decimal:
            return choices.decimal
        if len(self.marks) == 1:
            return next(iter(self.marks))
        if not self.marks and not self.open_mark:
            return "."
        if self.marks:
            said = f'Column "{column}" is written in two ways: {self.marks["."]} and {self.marks[","]}.'
        else:
            said = f'In column "{column}", {self.open_mark} can be read with a decimal mark or with thousands.'
        raise Invalid(("decimal", f"{said} Send decimal=. or decimal=, to say which mark the cents stand behind."))

    def settle_unit(self, column: str, choices: Choices) -> str:
        if choices.unit:
            return choices.unit
        if self.open_unit and not self.units:
            said = f'Column "{column}" holds whole numbers only, for example {self.open_unit}: they may be dollars or cents.'
            raise Invalid(("unit", f"{said} Send unit=units or unit=cents."))
        return "units"

    def settle_currency(self, column: str, choices: Choices) -> str | None:
        if choices.currency:
            return choices.currency
        if len(self.currencies) > 1:
            codes = " and ".join(sorted(self.currencies))
            said = f'Column "{column}" holds {codes}, which cannot be added up.'
            raise Invalid(
                ("currency", f"{said} Send currency={min(self.currencies)} (or the other) to take those rows alone.")
            )
        return next(iter(self.currencies), None)
