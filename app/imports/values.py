"""The text of one cell to a value: money in whole cents, e-mails, handles, ids. No guessing here: what a cell alone
leaves open is given."""

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from email_validator import EmailNotValidError, validate_email

from app.fans.keys import LONGEST_TAG, clean_handle

SPACES = dict.fromkeys(map(ord, "\u00a0\u202f\u2009\u2007\u2002\u2003\u2008"), " ")
NOTHING = frozenset({"", "-", "–", "—", "--", "n/a", "na", "#n/a", "none", "null", "nil", "never"})
SYMBOLS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₽": "RUB", "₩": "KRW", "₴": "UAH"}
SYMBOLS |= {"C$": "CAD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD", "R$": "BRL", "zł": "PLN", "ZŁ": "PLN"}
MOST_CENTS = 10**15


class BadCell(Exception):
    """What is wrong with a cell, in the words for its owner."""


def is_nothing(text: str) -> bool:
    return text.casefold() in NOTHING


# --- Money ---

_SIGN = r"([-+−]?)\s*"
_UNIT = r"([A-Za-z]{0,3}[$€£¥₹₽₩₴]|zł|[A-Za-z]{3})?\s*"
_MONEY = re.compile(rf"{_SIGN}{_UNIT}{_SIGN}(\d[\d.,'’ ]*|[.,]\d+)\s*(-?)\s*{_UNIT}", re.IGNORECASE)
_NUMBER = {
    mark: re.compile(
        rf"(?:(?P<grouped>[1-9]\d{{0,2}}(?P<group>[{other}'’ ])\d{{2,3}}(?:(?P=group)\d{{2,3}})*(?<=\d{{3}}))|(?P<plain>\d*))"
        rf"(?:[{mark}](?P<part>\d*))?"
    )
    for mark, other in (".,", ",.")
}


@dataclass(frozen=True)
class Money:
    """An amount as written; which of its marks is the decimal one may be open."""

    negative: bool
    digits: str
    currency: str | None
    symbol: str

    @property
    def marks(self) -> frozenset[str]:
        """The decimal marks under which the digits make a number."""
        return _marks(self.digits)

    @property
    def is_whole(self) -> bool:
        return self.digits.isdecimal()

    @property
    def is_zero(self) -> bool:
        return not self.digits.strip("0., '’")


def read_money(text: str) -> Money:
    """Raises BadCell."""
    text = text.translate(SPACES).strip()
    if not text.isascii() and any(char.isdigit() and not char.isascii() for char in text):
        raise BadCell("Not an amount of money")
    inner = text[1:-1].strip() if text.startswith("(") and text.endswith(")") else text
    found = _MONEY.fullmatch(inner) if len(inner) <= 60 else None
    if not found:
        raise BadCell("Not an amount of money")
    first, before, second, digits, last, after = (part or "" for part in found.groups())
    signs = [sign for sign in (first, second, last) if sign]
    if len(signs) > 1 or (before and after and _code(before) != _code(after)):
        raise BadCell("Not an amount of money")
    negative = inner is not text or any(sign in "-−" for sign in signs)
    symbol = before or after
    return Money(negative, digits.strip(), _code(symbol), before)


def _code(symbol: str) -> str | None:
    return SYMBOLS.get(symbol) or SYMBOLS.get(symbol.upper()) or (symbol.upper() if symbol.isalpha() else None)


@lru_cache(maxsize=4096)
def _marks(digits: str) -> frozenset[str]:
    return frozenset(mark for mark in ".," if _split(digits, mark))


def _split(digits: str, mark: str) -> tuple[str, str] | None:
    found = _NUMBER[mark].fullmatch(digits)
    if not found or (found["plain"] == "" and not found["part"]):
        return None
    whole = found["grouped"] or found["plain"] or "0"
    return re.sub(r"\D", "", whole), found["part"] or ""


def cents_of(money: Money, mark: str, unit: str) -> int:
    """Whole cents; `unit` is what the digits count. Raises BadCell."""
    parts = _split(money.digits, mark)
    if parts is None:
        raise BadCell(f'Not an amount of money with the decimal mark "{mark}"')
    whole, part = parts[0], parts[1].rstrip("0")
    if len(part) > (0 if unit == "cents" else 2):
        raise BadCell("Parts of a cent cannot be kept")
    cents = int(whole) if unit == "cents" else int(whole) * 100 + int(part.ljust(2, "0"))
    if cents > MOST_CENTS:
        raise BadCell("This amount is too large")
    return -cents if money.negative else cents


def plain_cents(mark: str, unit: str, currency: str | None) -> Callable[[str], int | None]:
    """The quick way for amounts like 1234.50 and $1,234.50: whole cents; None where the text is anything else."""
    if unit == "cents":
        return lambda text: int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None
    other = "," if mark == "." else "."
    sign = r"\$?" if currency in (None, "USD") else ""
    pattern = re.compile(rf"{sign}([0-9]{{1,12}}|[1-9][0-9]{{0,2}}(?:\{other}[0-9]{{3}}){{1,3}})\{mark}([0-9]{{2}})")

    def read(text: str) -> int | None:
        found = pattern.fullmatch(text)
        return int(found[1].replace(other, "")) * 100 + int(found[2]) if found else None

    return read


# --- Words ---

_PLAIN_EMAIL = re.compile(
    r"[a-z0-9_%+-]+(?:\.[a-z0-9_%+-]+)*@(?:[a-z0-9]+(?:-+[a-z0-9]+)*\.)+(?:com|net|org|io|de|fr|uk)", re.I
)
_PLAIN_HANDLE = re.compile(r"@?[a-z_][a-z0-9_.-]{0,99}", re.I | re.A)
_MANGLED = re.compile(r"\d+([.,]\d+)?e\+\d+", re.I)
_MANGLED_ADVICE = "A spreadsheet has shortened this number. Format the column as text and export again"
YES = frozenset({"yes", "y", "true", "1", "x", "on"})
NO = frozenset({"no", "n", "false", "0", "off"})


def read_text(text: str, longest: int = 255) -> str:
    if len(text) > longest:
        raise BadCell(f"Too long: at most {longest:,} characters")
    if "\0" in text:
        raise BadCell("Holds a character that cannot be kept")
    return text


def read_email(text: str) -> str:
    read_text(text, 320)
    if _PLAIN_EMAIL.fullmatch(text) and len(text) <= 64:
        return text
    try:
        validate_email(text, check_deliverability=False)
    except (EmailNotValidError, ValueError) as error:
        raise BadCell("Invalid email format") from error
    return text


def read_handle(text: str) -> str:
    if _PLAIN_HANDLE.fullmatch(text):
        return text if text[0] == "@" else f"@{text}"
    handle = clean_handle(read_text(text, 255))
    if handle is None or len(handle.split()) != 1:
        raise BadCell("Not a username: it may not hold spaces")
    if _MANGLED.fullmatch(handle[1:]):
        raise BadCell(_MANGLED_ADVICE)
    return read_text(handle, 255)


def read_id(text: str) -> str:
    if _MANGLED.fullmatch(text):
        raise BadCell(_MANGLED_ADVICE)
    if any(char.isspace() for char in text):
        raise BadCell("Not an id: it may not hold spaces")
    return re.sub(r"(?<=\d)\.0$", "", read_text(text, 255)) if text[:1].isdigit() else read_text(text, 255)


def read_flag(text: str) -> bool:
    if text.casefold() in YES | NO:
        return text.casefold() in YES
    raise BadCell("Neither yes nor no")


@lru_cache(maxsize=1024)
def read_tags(text: str, *, one: bool = False) -> list[str]:
    """`one` for a tier, whose name may hold a comma; else a list: `VIP, Blog`, `VIP|Blog` or `"VIP","Blog"`."""
    read_text(text, 10_000)
    mark = "," if one else next((mark for mark in "|;," if mark in text), ",")
    parts = (
        [text]
        if one
        else next(csv.reader([text.replace("\n", " ").replace("\r", " ")], delimiter=mark, skipinitialspace=True), [])
    )
    return [read_text(part.strip(), LONGEST_TAG) for part in parts if part.strip()]
