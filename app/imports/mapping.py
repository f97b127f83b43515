"""Which column is what. A file is looked at whole, once and streaming, before anything is kept; what it leaves open is
asked for. The answer is a Plan: with it, every row reads the same today and after a restart."""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from typing import Any, BinaryIO

from app.errors import Invalid
from app.imports import headers
from app.imports.csv_rows import SAMPLE_RECORDS, Format, Record, find_format, read_records
from app.imports.evidence import Choices, DateEvidence, MoneyEvidence
from app.imports.models import ImportKind

HOUSE_HEADER = "Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen"
LATEST_HEADER = 40  # records; what stands above the header is a preamble
MOST_COLUMNS = 1000
TOTALS = re.compile(r"(grand |sub ?)?totals?:?|sum:?|summe:?|gesamt:?", re.IGNORECASE)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_HANDLE = re.compile(r"@[^@\s]+")
_AMOUNT = re.compile(r"\(?-?\s*([$€£]\s*-?[\d.,\s]+|[\d.,\s]+[$€£])\)?")
_DATA = re.compile(r"(\d{4}-\d{2}-\d{2}.*|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}.*)")


@dataclass(frozen=True)
class Column:
    index: int
    header: str
    field: str
    order: str = "ymd"
    mark: str = "."
    unit: str = "units"
    currency: str | None = None
    zone: str | None = None


@dataclass
class Plan:
    """How to read a file. `header_row` is the header's line number."""

    kind: ImportKind
    form: Format
    header_row: int
    header: list[str]
    columns: list[Column]
    zone: str
    total_rows: int = 0
    fields: dict[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fields = {column.field: column for column in reversed(self.columns)}
        self.identity = [column for column in self.columns if column.field in headers.IDENTITY]

    def to_json(self) -> dict[str, Any]:
        kept = asdict(self)
        del kept["fields"]
        return kept

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Plan":
        columns = [Column(**column) for column in kept["columns"]]
        return cls(**{**kept, "kind": ImportKind(kept["kind"]), "form": Format(**kept["form"]), "columns": columns})


def inspect(
    file: BinaryIO, file_name: str, *, kind: ImportKind | None, choices: Choices, encoding: str | None, zone: str
) -> Plan:
    """Raises Invalid: no rows, no usable column, something the whole file leaves open, or no CSV file at all."""
    form = find_format(file, encoding)
    head = list(islice(read_records(file, form), SAMPLE_RECORDS))
    header_row, header = _find_header(head)
    kind = kind or headers.kind_of({headers.read_header(text).key for text in header}, file_name)
    plan = Plan(kind, form, header_row, header, [], zone)
    samples = _samples(head, plan)
    plan = replace(plan, columns=_assign(header, kind, samples))
    _check_usable(plan)
    return _settle(file, plan, choices)


def data_rows(file: BinaryIO, plan: Plan) -> Iterator[Record]:
    """The rows that hold data, in order: no blanks, no preamble, no repeated header, no totals.

    Raises Invalid where a second table with other columns begins.
    """
    return _only_data(read_records(file, plan.form), plan)


def _only_data(records: Iterator[Record], plan: Plan) -> Iterator[Record]:
    after_blank = False
    for row, cells in records:
        if row <= plan.header_row:
            continue
        first = next((text for cell in cells if (text := cell.strip())), "")
        if not first:
            after_blank = True
            continue
        if _is_header_again(cells, plan) or (first[0] in "tTgGsS" and _is_total(first, cells, plan)):
            continue
        if after_blank and _is_other_header(cells):
            raise Invalid(
                (
                    "file",
                    f"In row {row} a second table begins, with other columns. Put each table in a file of its own.",
                )
            )
        after_blank = False
        yield row, cells


def _is_header_again(cells: list[str], plan: Plan) -> bool:
    if not cells or cells[0].strip().casefold() != plan.header[0].casefold():
        return False
    return [cell.strip().casefold() for cell in _trimmed(cells)] == [name.casefold() for name in plan.header]


def _is_total(first: str, cells: list[str], plan: Plan) -> bool:
    if not TOTALS.fullmatch(first):
        return False
    named = sum(bool(cells[column.index].strip()) for column in plan.identity if column.index < len(cells))
    return named <= 1


def _is_other_header(cells: list[str]) -> bool:
    names = [cell for cell in cells if cell.strip()]
    return len(names) > 1 and all(headers.is_known(name) for name in names)


# --- The header ---


def _find_header(head: list[Record]) -> tuple[int, list[str]]:
    filled = [(row, _trimmed(cells)) for row, cells in head if any(cell.strip() for cell in cells)]
    if not filled:
        raise Invalid(("file", "The file has no rows."))
    early = filled[:LATEST_HEADER]
    row, cells = max(early, key=lambda record: (sum(map(headers.is_known, record[1])), -record[0]))
    if not any(map(headers.is_known, cells)):
        row, cells = max(early, key=lambda record: (len([cell for cell in record[1] if cell.strip()]), -record[0]))
        if any(_looks_like_data(cell.strip()) for cell in cells):
            said = f"Row {row} looks like data, not like the names of columns."
            raise Invalid(("file", f"{said} Put a header line above it, such as {HOUSE_HEADER}"))
    if len(cells) > MOST_COLUMNS:
        raise Invalid(("file", f"The file has {len(cells):,} columns; at most {MOST_COLUMNS:,} can be read."))
    return row, [cell.strip().replace("\0", "") for cell in cells]


def _trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells that trailing commas make."""
    end = len(cells)
    while end > 1 and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def _looks_like_data(text: str) -> bool:
    return any(pattern.fullmatch(text) for pattern in (_EMAIL, _HANDLE, _AMOUNT, _DATA))


# --- The columns ---


def _samples(head: list[Record], plan: Plan) -> list[list[str]]:
    """The values of each column in the first rows."""
    rows = [cells for row, cells in head if row > plan.header_row]
    return [
        [text for cells in rows if at < len(cells) and (text := clean(cells[at]))] for at in range(len(plan.header))
    ]


def clean(cell: str) -> str:
    """Without blanks around, and without the quote that an export puts before a cell that looks like a formula."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@") else cell


def _assign(header: list[str], kind: ImportKind, samples: list[list[str]]) -> list[Column]:
    found: dict[str, list[tuple[int, int]]] = {}  # field -> (rank, index)
    table = headers.TABLES[kind]
    keys = [headers.read_header(text).key for text in header]
    for index, key in enumerate(keys):
        name, rank = table.get(key, (None, 0))
        if name == "platform_fan_id" and headers.is_patreon(set(keys)):
            continue  # Patreon's own id: linked to this platform, it would reach a stranger
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


def _check_usable(plan: Plan) -> None:
    shown = ", ".join(name for name in plan.header if name)[:500]
    if plan.kind == ImportKind.TRANSACTIONS:
        if not {"gross", "net"} & set(plan.fields) or "at" not in plan.fields:
            what = "the date" if {"gross", "net"} & set(plan.fields) else "the amount"
            raise Invalid(("file", f"No column holds {what} of a payment. Columns found: {shown}."))
    elif not plan.identity:
        said = f"No column holds a username, name, e-mail or platform id. Columns found: {shown}."
        raise Invalid(("file", f"{said} Name one, for example: {HOUSE_HEADER}"))


# --- What the columns leave open ---


def _settle(file: BinaryIO, plan: Plan, choices: Choices) -> Plan:
    dates = {column.index: DateEvidence() for column in plan.columns if column.field in headers.MOMENTS}
    sums = {column.index: MoneyEvidence() for column in plan.columns if column.field in headers.MONEY}
    code = plan.fields.get("currency")
    total = 0
    for _, cells in data_rows(file, plan):
        total += 1
        for index, evidence in dates.items():
            if index < len(cells):
                evidence.add(clean(cells[index]))
        for index, evidence in sums.items():
            if index < len(cells):
                evidence.add(clean(cells[index]), code_in(cells, code))
    if not total:
        raise Invalid(("file", "The file has a header but no rows below it."))
    columns = [_settled(column, dates.get(column.index), sums.get(column.index), choices) for column in plan.columns]
    return replace(plan, columns=columns, total_rows=total)


def code_in(cells: list[str], column: Column | None) -> str | None:
    """The currency that a column of its own names for this row."""
    text = cells[column.index].strip().upper() if column and column.index < len(cells) else ""
    return text if len(text) == 3 and text.isalpha() and text.isascii() else None


def _settled(column: Column, dates: DateEvidence | None, sums: MoneyEvidence | None, choices: Choices) -> Column:
    if dates:
        return replace(column, order=dates.settle(column.header, choices))
    if not sums:
        return column
    return replace(
        column,
        mark=sums.settle_mark(column.header, choices),
        unit=choices.unit or column.unit or sums.settle_unit(column.header, choices),
        currency=choices.currency or column.currency or sums.settle_currency(column.header, choices),
    )
