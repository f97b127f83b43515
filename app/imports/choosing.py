"""What a person or program may say about a file: checked, with an error that names the field."""

import re
from dataclasses import dataclass, replace

from app.accounts.models import Account
from app.database import db
from app.errors import Invalid, NotFound
from app.imports.evidence import Choices
from app.imports.headers import FIELDS
from app.imports.models import ImportKind
from app.imports.options import MODES, NAMES_TO_MATCH, POLICIES, Rules
from app.zones import find_zone

MARKS = {".": ".", ",": ",", "point": ".", "dot": ".", "comma": ","}
AS_THE_FILE_SHOWS = Choices()


@dataclass(frozen=True)
class ColumnChoice:
    """What a person says of a column: its field ("" leaves it out), and how it is written where that is open."""

    field: str
    said: Choices = AS_THE_FILE_SHOWS


@dataclass(frozen=True)
class MappingChoice:
    kind: str
    columns: dict[int, ColumnChoice]  # by the column's place
    rules: Rules
    timezone: str | None = None
    encoding: str | None = None


def read_choices(
    *, date_order: str | None = None, decimal: str | None = None, unit: str | None = None, currency: str | None = None
) -> Choices:
    """Raises Invalid, naming the field."""
    return Choices(
        date_order=one_of("dateOrder", date_order, ("dmy", "mdy", "ymd")),
        decimal=MARKS.get(one_of("decimal", decimal, tuple(MARKS)) or ""),
        unit=one_of("unit", unit, ("units", "cents")),
        currency=_currency(currency),
    )


def checked_rules(rules: Rules) -> Rules:
    for name, allowed in (
        ("invalid", POLICIES),
        ("mode", MODES),
        ("empty", ("keep", "clear")),
        ("tags", ("add", "replace")),
    ):
        one_of(name, getattr(rules, name), allowed)
    unknown = set(rules.match) - set(NAMES_TO_MATCH)
    if unknown or not rules.match:
        raise Invalid(("match", "Choose one or more of platform id, username and e-mail."))
    return replace(rules, match=tuple(name for name in NAMES_TO_MATCH if name in rules.match))


def checked_fields(kind: ImportKind, columns: dict[int, ColumnChoice], width: int) -> dict[int, str]:
    allowed = {*FIELDS[kind], ""}
    for index, each in columns.items():
        if not 0 <= index < width or each.field not in allowed:
            raise Invalid(("columns", f"Column {index} cannot be read as {each.field or 'nothing'}."))
    return {index: each.field for index, each in columns.items()}


def kind(kind: str | None) -> ImportKind | None:
    wanted = one_of("kind", kind, tuple(ImportKind))
    return ImportKind(wanted) if wanted else None


def one_of(name: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
    """None for what was not sent."""
    value = (value or "").strip().casefold()
    if not value:
        return None
    if value not in allowed:
        raise Invalid((name, f"Must be one of {', '.join(allowed)}."))
    return value


def _currency(value: str | None) -> str | None:
    value = (value or "").strip().upper()
    if value and not re.fullmatch(r"[A-Z]{3}", value):
        raise Invalid(("currency", "Must be a code of three letters, such as USD."))
    return value or None


def zone(account_id: int, asked: str | None) -> str:
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound
    zone = find_zone((asked or "").strip() or account.timezone)
    db.session.commit()  # no transaction is held while the file is read
    if zone is None:
        raise Invalid(("timezone", "Must be the name of a time zone, such as Europe/Berlin."))
    return zone.key
