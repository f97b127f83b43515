"""CSV on the way out: safe to open in a spreadsheet, and read back as it was."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

_TAKEN_FOR_ONE = re.compile(r"[\s']*[=+\-@]|[\t\r]\s*\S")  # also behind blanks, and behind quotes of its own
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
    """A cell that a spreadsheet would take for a formula, made plain text.

    A negative number is what it says, and is to be added up.
    """
    return f"'{cell}" if _TAKEN_FOR_ONE.match(cell) and not NUMBER.fullmatch(cell) else cell


def as_written(cell: str) -> str:
    """Without the quote that `neutral` put on."""
    return cell[1:] if cell.startswith("'") and _TAKEN_FOR_ONE.match(cell[1:]) else cell
