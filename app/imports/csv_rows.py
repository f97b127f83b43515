"""Bytes to rows, streamed: encoding, delimiter, line ends and quotes. No database, no web."""

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, BinaryIO

from app.errors import Invalid
from app.imports.encoding import find_encoding

DELIMITERS = ",;\t|"
SAMPLE_RECORDS = 200

Record = tuple[int, list[str]]  # the line number that a spreadsheet shows, and the cells


@dataclass(frozen=True)
class Format:
    encoding: str
    delimiter: str
    sep_line: bool = False  # `sep=;` first: spreadsheets obey this line and do not show it

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def find_format(file: BinaryIO, encoding: str | None = None) -> Format:
    """Raises Invalid: 400 where the file is empty or unreadable, 415 where it is no CSV file."""
    file.seek(0)
    if not file.read(1):
        raise Invalid(("file", "The file is empty."))
    encoding = find_encoding(file, encoding)
    with _text(file, encoding) as lines:
        first = next(lines, "").lstrip("\ufeff").strip().strip('"')
    if first.casefold().startswith("sep=") and len(first) == 5:
        return Format(encoding, first[4], sep_line=True)
    if first.casefold() == "sep=":
        return Format(encoding, "\t", sep_line=True)
    return Format(encoding, _find_delimiter(file, encoding))


def read_records(file: BinaryIO, form: Format) -> Iterator[Record]:
    """Every record of the file, blank ones too, numbered as a spreadsheet numbers them.

    Raises Invalid where the quotes are broken or the bytes are not in the encoding.
    """
    with _text(file, form.encoding) as lines:
        if form.sep_line:
            next(lines, None)
        yield from _records(lines, form.delimiter)


def _records(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    number = 0
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter != " ")
    try:
        for number, cells in enumerate(reader, 1):
            if number == 1 and cells:
                cells[0] = cells[0].removeprefix("\ufeff")
            yield number, cells
    except csv.Error as error:
        raise _broken(number + 1, str(error)) from error


def _broken(row: int, reason: str) -> Invalid:
    if "field larger" in reason or "unexpected end" in reason:
        what = f'A quote (") that opens in row {row} is never closed.'
    else:
        what = (
            f'Row {row} has a quote (") in the middle of a quoted cell; inside quotes, a quote is written twice ("").'
        )
    return Invalid(("file", f"{what} Mend that row, or export the file again."))


@contextmanager
def _text(file: BinaryIO, encoding: str) -> Iterator[Iterator[str]]:
    file.seek(0)
    # Five bytes mean nothing in Windows-1252; the rest of such a file is still worth reading.
    errors = "replace" if encoding == "cp1252" else "strict"
    text = io.TextIOWrapper(file, encoding=encoding, errors=errors, newline="")  # type: ignore[arg-type]
    try:
        yield text
    except UnicodeError as error:
        raise Invalid(
            ("encoding", f"The file is not {encoding} throughout. Send its encoding, or save it as UTF-8.")
        ) from error
    finally:
        if not file.closed:
            text.detach()  # else the file would be closed with it


def _find_delimiter(file: BinaryIO, encoding: str) -> str:
    with _text(file, encoding) as lines:
        sample = list(islice(lines, SAMPLE_RECORDS))
    return max(DELIMITERS, key=lambda mark: _evenness(sample, mark))


def _evenness(sample: list[str], delimiter: str) -> float:
    """High where the records have many cells, and all equally many."""
    try:
        widths = [len(cells) for cells in csv.reader(sample, delimiter=delimiter, skipinitialspace=True) if cells]
    except csv.Error:
        return 0
    split = Counter(width for width in widths if width > 1)
    if not split:
        return 0
    width, count = max(split.items(), key=lambda item: item[1] * math.log2(item[0]))
    return count / len(widths) * math.log2(width)
