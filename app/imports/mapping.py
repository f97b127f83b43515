"""Which column is what: by its header, by its values, as it was said for this header line before, or as a person says."""

import hashlib
import re
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import BinaryIO

from app.errors import Invalid
from app.imports import headers
from app.imports.csv_rows import SAMPLE_RECORDS, Format, Record, find_format, read_records
from app.imports.models import ImportKind
from app.imports.plan import Column, Plan, clean, trimmed

HOUSE_HEADER = "Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen"
LATEST_HEADER = 40  # records; what stands above the header is a preamble
MOST_COLUMNS = 1000
MOST_CUSTOM = 50
SAMPLES_SHOWN = 5
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_HANDLE = re.compile(r"@[^@\s]+")
_AMOUNT = re.compile(r"\(?-?\s*([$€£]\s*-?[\d.,\s]+|[\d.,\s]+[$€£])\)?")
_DATA = re.compile(r"(\d{4}-\d{2}-\d{2}.*|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}.*)")


@dataclass(frozen=True)
class Sheet:
    """What the first rows show."""

    form: Format
    header_row: int
    header: list[str]
    samples: list[list[str]]  # of each column, the values that are not empty
    first_row: int = 1
    last_row: int | None = None

    @property
    def header_key(self) -> str:
        """The same for files with the same header line."""
        return hashlib.sha256("\n".join(text.casefold() for text in self.header).encode()).hexdigest()[:32]

    def shown(self) -> list[list[str]]:
        """Different values of each column, for people to see what is in it."""
        return [[text[:80] for text in dict.fromkeys(values)][:SAMPLES_SHOWN] for values in self.samples]


def look(file: BinaryIO, encoding: str | None = None, first_row: int = 1, last_row: int | None = None) -> Sheet:
    """At the whole file, or at a table in it. Raises Invalid: no rows, no header, or no CSV file at all."""
    form = find_format(file, encoding)
    records = (record for record in read_records(file, form) if record[0] >= first_row)
    head = [record for record in islice(records, SAMPLE_RECORDS) if last_row is None or record[0] <= last_row]
    header_row, header = _find_header(head)
    return Sheet(form, header_row, header, _samples(head, header_row, len(header)), first_row, last_row)


def propose(sheet: Sheet, file_name: str, kind: ImportKind | None, zone: str) -> Plan:
    """As the headers and values say. Its columns are not settled yet."""
    kind = kind or headers.kind_of({headers.read_header(text).key for text in sheet.header}, file_name)
    return _plan(sheet, kind, _assign(sheet.header, kind, sheet.samples), zone)


def mapped(sheet: Sheet, kind: ImportKind, zone: str, fields: dict[int, str]) -> Plan:
    """As a person says: the field of each column, by its place. Raises Invalid."""
    columns = [_column(index, sheet.header[index], name) for index, name in sorted(fields.items()) if name]
    for name in {column.field for column in columns} - headers.LISTS:
        twice = [column.header for column in columns if column.field == name]
        if len(twice) > 1:
            said = f"{headers.LABELS[name]} can be read from one column only, not from {' and '.join(twice)}."
            raise Invalid(("columns", said))
    if sum(column.field == headers.CUSTOM for column in columns) > MOST_CUSTOM:
        raise Invalid(("columns", f"At most {MOST_CUSTOM} columns can be kept as fields of your own."))
    return _plan(sheet, kind, columns, zone)


def _plan(sheet: Sheet, kind: ImportKind, columns: list[Column], zone: str) -> Plan:
    rows = {"first_row": sheet.first_row, "last_row": sheet.last_row}
    return Plan(kind, sheet.form, sheet.header_row, sheet.header, columns, zone, **rows)


def _find_header(head: list[Record]) -> tuple[int, list[str]]:
    filled = [(row, trimmed(cells)) for row, cells in head if any(cell.strip() for cell in cells)]
    if not filled:
        raise Invalid(("file", "The file has no rows."))
    early = filled[:LATEST_HEADER]
    row, cells = _first_of_known_names(early) or max(
        early, key=lambda record: (sum(map(headers.is_known, record[1])), -record[0])
    )
    if not any(map(headers.is_known, cells)):
        row, cells = max(early, key=lambda record: (len([cell for cell in record[1] if cell.strip()]), -record[0]))
        if any(_looks_like_data(cell.strip()) for cell in cells):
            said = f"Row {row} looks like data, not like the names of columns."
            raise Invalid(("file", f"{said} Put a header line above it, such as {HOUSE_HEADER}"))
    if len(cells) > MOST_COLUMNS:
        raise Invalid(("file", f"The file has {len(cells):,} columns; at most {MOST_COLUMNS:,} can be read."))
    return row, [cell.strip().replace("\0", "") for cell in cells]


def _first_of_known_names(records: list[Record]) -> Record | None:
    """The first row of nothing but known names that has data right below it: a table that is read before a later one."""
    for record, below in pairwise(records):
        if below[0] == record[0] + 1 and _all_known(record[1]) and not any(map(headers.is_known, below[1])):
            return record
    return None


def _all_known(cells: list[str]) -> bool:
    names = [cell for cell in cells if cell.strip()]
    return len(names) > 1 and all(map(headers.is_known, names))


def _looks_like_data(text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in (_EMAIL, _HANDLE, _AMOUNT, _DATA))


def _samples(head: list[Record], header_row: int, width: int) -> list[list[str]]:
    rows = [cells for row, cells in head if row > header_row]
    return [[text for cells in rows if at < len(cells) and (text := clean(cells[at]))] for at in range(width)]


def _assign(header: list[str], kind: ImportKind, samples: list[list[str]]) -> list[Column]:
    found: dict[str, list[tuple[int, int]]] = {}  # field -> (rank, index)
    table = headers.TABLES[kind]
    keys = [headers.read_header(text).key for text in header]
    for index, key in enumerate(keys):
        name, rank = table.get(key, (None, 0))
        if name == "platform_fan_id" and headers.is_patreon(set(keys)):
            continue  # Patreon's own id: linked to this platform, it would reach a stranger
        if kind == ImportKind.FANS and headers.is_marked_custom(header[index]):
            name, rank = headers.CUSTOM, index
        if name:
            found.setdefault(name, []).append((rank, index))
    _judge_by_values(found, header, kind, samples)
    return [
        _column(index, header[index], name)
        for name, places in found.items()
        for _, index in sorted(places)[: None if name in headers.LISTS else 1]
    ]


def _judge_by_values(
    found: dict[str, list[tuple[int, int]]], header: list[str], kind: ImportKind, samples: list[list[str]]
) -> None:
    for name in (headers.WHO, "name", "handle"):
        for rank, index in list(found.get(name, ())):
            looks = _looks_of(samples[index])
            really = looks if looks in ("handle", "email") else ("name" if name == headers.WHO else name)
            if really != name and (really not in found or looks is None):
                found[name].remove((rank, index))
                found.setdefault(really, []).append((rank + 100, index))
    found.pop(headers.WHO, None)
    for name in [name for name, places in found.items() if not places]:
        del found[name]
    taken = {index for places in found.values() for _, index in places}
    strangers: dict[str, list[int]] = {}
    for index, text in enumerate(header):
        if index not in taken and not headers.is_known(text) and headers.may_be_judged_by_values(text):
            strangers.setdefault(_looks_of(samples[index]) or "", []).append(index)
    money = {ImportKind.FANS: "value_cents", ImportKind.TRANSACTIONS: "gross"}.get(kind)
    for looks, name in (("handle", "handle"), ("email", "email"), ("money", money)):
        if name and name not in found and len(strangers.get(looks, ())) == 1:
            found[name] = [(0, strangers[looks][0])]


def _looks_of(values: list[str]) -> str | None:
    for name, pattern in (("handle", _HANDLE), ("email", _EMAIL), ("money", _AMOUNT)):
        if values and sum(bool(pattern.fullmatch(value)) for value in values) >= 0.8 * len(values):
            return name
    return None


def _column(index: int, text: str, name: str) -> Column:
    said = headers.read_header(text)
    return Column(index, text, name, unit="cents" if said.cents else "", currency=said.currency, zone=said.zone)


def check_usable(plan: Plan) -> None:
    shown = ", ".join(name for name in plan.header if name)[:500]
    if plan.kind == ImportKind.TRANSACTIONS:
        if not {"gross", "net"} & set(plan.fields) or "at" not in plan.fields:
            what = "the date" if {"gross", "net"} & set(plan.fields) else "the amount"
            raise Invalid(("file", f"No column holds {what} of a payment. Columns found: {shown}."))
    elif not plan.identity:
        said = f"No column holds a username, name, e-mail or platform id. Columns found: {shown}."
        raise Invalid(("file", f"{said} Name one, for example: {HOUSE_HEADER}"))
