"""CSV on the way out: safe to open in a spreadsheet, and read back as it was."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"-\d+(\.\d+)?", re.ASCII)
LINES_AT_ONCE = 200


def csv_text(lines: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Streamed, some lines at a time. None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out)
    for number, cells in enumerate(lines, 1):
        writer.writerow([neutral(str(cell)) if cell is not None else "" for cell in cells])
        if number % LINES_AT_ONCE == 0:
            yield out.getvalue()
            out.seek(0)
            out.truncate()
    yield out.getvalue()


def in_units(cents: int) -> str:
    """-1234 -> "-12.34"."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def neutral(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula, made plain text; an import takes the quote off again.

    A negative number is what it says, and is to be added up.
    """
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(cell) else cell
