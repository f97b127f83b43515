"""The skipped rows as a file to mend and upload again: the original cells, the row's number, and what was wrong."""

import csv
import io
from collections.abc import Iterator

from app.imports.models import Import
from app.imports.queries import rejected_rows

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def as_csv(found: Import) -> Iterator[str]:
    """Streamed, and safe to open in a spreadsheet."""
    header = list(found.options["plan"]["header"])
    yield _line([*header, "row", "error"])
    for row in rejected_rows(found.id):
        cells = (row.cells + [""] * len(header))[: max(len(header), len(row.cells))]
        yield _line([*_folded(cells, len(header)), str(row.row), row.error])


def _folded(cells: list[str], width: int) -> list[str]:
    """What stands beyond the header goes into the last cell, so that `row` and `error` keep their place."""
    return cells if len(cells) <= width else [*cells[: width - 1], ",".join(cells[width - 1 :])]


def _line(cells: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([neutral(cell) for cell in cells])
    return out.getvalue()


def neutral(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula, made plain text; `mapping.clean` takes the quote off again."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
