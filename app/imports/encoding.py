"""Which encoding a file is in, and whether it is text at all. No database, no web."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from app.errors import Invalid

CHUNK = 1 << 16
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
ALLOWED = frozenset(
    [
        "utf-8",
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "ascii",
        "iso8859-1",
        "iso8859-2",
        "iso8859-5",
        "iso8859-7",
        "iso8859-9",
        "iso8859-15",
        "cp1250",
        "cp1251",
        "cp1252",
        "cp1253",
        "cp1254",
        "cp1257",
        "cp850",
        "cp437",
        "koi8-r",
        "mac-roman",
        "shift_jis",
        "cp932",
        "euc_jp",
        "gb18030",
        "gbk",
        "big5",
        "euc_kr",
    ]
)

SPREADSHEET = (
    "This is a spreadsheet, not a CSV file. Open it in Excel, Numbers or LibreOffice, choose File > Save as (or Export) "
    "> CSV UTF-8, and upload that file."
)
NOT_TEXT = "This is {}, not a CSV file. Upload a .csv file: text with one line for each fan."
MAGIC = (
    (b"PK\x03\x04", SPREADSHEET),
    (b"PK\x05\x06", SPREADSHEET),
    (b"\xd0\xcf\x11\xe0", SPREADSHEET),
    (b"\x89PNG", NOT_TEXT.format("a picture")),
    (b"\xff\xd8\xff", NOT_TEXT.format("a picture")),
    (b"GIF8", NOT_TEXT.format("a picture")),
    (b"RIFF", NOT_TEXT.format("a picture or a sound")),
    (b"%PDF", NOT_TEXT.format("a PDF document")),
    (b"{\\rtf", NOT_TEXT.format("a text document with formatting")),
    (b"\x1f\x8b", NOT_TEXT.format("a compressed file")),
    (b"SQLite format 3", NOT_TEXT.format("a database")),
)
NO_TEXT_HAS = re.compile(rb"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
HIGH = re.compile(rb"[\x00-\x7f]{0,3}[\x80-\xff]+[\x00-\x7f]{0,3}")
MOST_SAMPLES = 4000


def find_encoding(file: BinaryIO, asked: str | None = None) -> str:
    """The encoding of the file, by its mark, by its bytes, or as asked. Raises Invalid, 415 where it is not text."""
    head = _first(file, 8192)
    for magic, advice in MAGIC:
        if head.startswith(magic):
            raise Invalid(("file", advice), status=415)
    if asked:
        return checked_encoding(asked)
    for bom, name in BOMS:
        if head.startswith(bom):
            return name
    if len(NO_TEXT_HAS.findall(head)) > len(head) / 10:
        raise Invalid(("file", NOT_TEXT.format("not text")), status=415)
    return "utf-8" if _is_utf8(file) else _codepage(file)


def checked_encoding(asked: str) -> str:
    try:
        name = codecs.lookup(asked.strip()).name
    except (LookupError, ValueError):
        name = ""
    if name not in ALLOWED:
        raise Invalid(
            ("encoding", f"{asked[:40]!r} is not an encoding we read. Send for example utf-8 or windows-1252.")
        )
    return name


def _first(file: BinaryIO, size: int) -> bytes:
    file.seek(0)
    return file.read(size)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(CHUNK):
        yield chunk


def _is_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in _chunks(file):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _codepage(file: BinaryIO) -> str:
    """Windows-1252 or MacRoman: whichever makes letters where a word has letters."""
    scores = {"cp1252": 0, "mac-roman": 0}
    for sample in _samples(file):
        for name in scores:
            scores[name] += _plausibility(sample.decode(name, errors="replace"))
    return "mac-roman" if scores["mac-roman"] > scores["cp1252"] else "cp1252"


def _samples(file: BinaryIO) -> Iterator[bytes]:
    left = MOST_SAMPLES
    for chunk in _chunks(file):
        for found in HIGH.finditer(chunk):
            yield found.group()
            left -= 1
            if not left:
                return


def _plausibility(text: str) -> int:
    padded = f"  {text}  "
    return sum(
        _char_score(char, padded[at + 1], padded[at + 3], padded[at + 4] if at + 4 < len(padded) else " ")
        for at, char in enumerate(text)
        if ord(char) > 127
    )


def _char_score(char: str, before: str, after: str, then: str) -> int:
    if char == "\ufffd":
        return -5
    if char.isalpha() and char not in "ƒˆªºµ":
        return _letter_score(char, before, after)
    if char == "’" and before.isalpha() and after.isalpha():
        return 3 if not then.isalpha() or after.isupper() else 2
    if before.isalpha() and after.isalpha():
        return -2
    if char in "€£¥\u00a0":
        return 2 if before.isdigit() or after.isdigit() or char == "\u00a0" else 1
    return 1 if char in "’‘“”–—…•®™©" else -1


def _letter_score(char: str, before: str, after: str) -> int:
    if before.isdigit() or after.isdigit():
        return -2
    if char.islower():
        return -2 if after.isupper() else (2 if before.isalpha() or after.isalpha() else 0)
    if before.islower():
        return -3
    return 2 if after.isalpha() else (1 if before.isalpha() else -1)
