"""How a file is read: with a Plan, every row reads the same today and after a restart."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, BinaryIO

from app.csv_text import as_written
from app.errors import Invalid
from app.imports import headers
from app.imports.csv_rows import Format, Record, read_records
from app.imports.models import ImportKind

TOTALS = re.compile(r"(grand |sub ?)?totals?:?|sum:?|summe:?|gesamt:?", re.IGNORECASE)


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
    """How to read a table of a file. `header_row` is the header's line number; a table ends at `last_row`, or with the
    file."""

    kind: ImportKind
    form: Format
    header_row: int
    header: list[str]
    columns: list[Column]
    zone: str
    total_rows: int = 0
    first_row: int = 1
    last_row: int | None = None
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


class AnotherTable(Invalid):
    """`row` is the header of a table with other columns, below the one that is read."""

    def __init__(self, row: int) -> None:
        said = f"In row {row} a second table begins, with other columns. Put each table in a file of its own."
        super().__init__(("file", said))
        self.row = row


def data_rows(file: BinaryIO, plan: Plan) -> Iterator[Record]:
    """The rows that hold data, in order: no blanks, no preamble, no repeated header, no totals.

    Raises AnotherTable, unless the plan says where its table ends.
    """
    return _only_data(read_records(file, plan.form), plan)


def _only_data(records: Iterator[Record], plan: Plan) -> Iterator[Record]:
    after_blank, past_the_last = False, (plan.last_row or 0) + 1
    first_header = plan.header[0].casefold()
    for row, cells in records:
        if row <= plan.header_row:
            continue
        if row == past_the_last:
            return
        leftmost = cells[0].strip() if cells else ""
        first = leftmost or next((text for cell in cells if (text := cell.strip())), "")
        if not first:
            after_blank = True
            continue
        if leftmost.casefold() == first_header and _is_header_again(cells, plan):
            continue
        if first[0] in "tTgGsS" and _is_total(first, cells, plan):
            continue
        if after_blank and _is_other_header(cells):
            raise AnotherTable(row)
        after_blank = False
        yield row, cells


def _is_header_again(cells: list[str], plan: Plan) -> bool:
    return [cell.strip().casefold() for cell in trimmed(cells)] == [name.casefold() for name in plan.header]


def _is_total(first: str, cells: list[str], plan: Plan) -> bool:
    if not TOTALS.fullmatch(first):
        return False
    named = sum(bool(cells[column.index].strip()) for column in plan.identity if column.index < len(cells))
    return named <= 1


def _is_other_header(cells: list[str]) -> bool:
    names = [cell for cell in cells if cell.strip()]
    return len(names) > 1 and all(headers.is_known(name) for name in names)


# --- The header ---


def trimmed(cells: list[str]) -> list[str]:
    """Without the empty cells that trailing commas make."""
    end = len(cells)
    while end > 1 and not cells[end - 1].strip():
        end -= 1
    return cells[:end]


def clean(cell: str) -> str:
    """Without blanks around, and without the quote that an export puts before a cell that looks like a formula."""
    return as_written(cell.strip())


def code_in(cells: Sequence[str], column: Column | None) -> str | None:
    """The currency that a column of its own names for this row."""
    text = cells[column.index].strip().upper() if column and column.index < len(cells) else ""
    return text if len(text) == 3 and text.isalpha() and text.isascii() else None
