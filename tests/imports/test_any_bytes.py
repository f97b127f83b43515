"""Whatever the bytes: they are read, or refused in words. Nothing else, and every row is accounted for."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.errors import Invalid
from tests.imports.read import read

HOUSE = b"Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen\n"
ROWS = HOUSE + b'ann,Ann,ann@example.com,VIP,"$1,234.50",2026-11-20\nbob,Bob,x@,,1.5,03/04/2026\n'
CELLS = st.sampled_from(
    [
        "",
        "ann",
        "@bob",
        "x@example.com",
        "$5.00",
        "1.234",
        "1,5",
        "03/04/2026",
        "-",
        '"',
        '"a"b',
        "\0",
        "Total",
        "=1",
        "1E+9",
        "é",
    ]
)


def never_breaks(content: bytes) -> None:
    rows, refusal = None, None
    try:
        rows = read(content)
    except Invalid as error:
        refusal = error
    if refusal:
        assert refusal.status in (400, 415)
        assert all(message for _, message in refusal.errors)
    else:
        assert rows
        assert len({row.row for row in rows}) == len(rows)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
@example(b"\xff\xfe\x00")
@example(b"sep=")
@example(b'"')
def test_any_bytes(content):
    never_breaks(content)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120))
def test_any_bytes_below_a_header(content):
    never_breaks(HOUSE + content)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=1, max_size=8), max_size=12), st.sampled_from([",", ";", "\t", "|"]))
def test_any_table(rows, delimiter):
    table = [HOUSE.decode().strip().split(","), *rows]
    never_breaks("\n".join(delimiter.join(cells) for cells in table).encode())


@settings(max_examples=100, deadline=None)
@given(st.integers(0, len(ROWS) - 1), st.integers(0, len(ROWS)), st.binary(max_size=6))
def test_any_wound_to_a_good_file(start, length, patch):
    never_breaks(ROWS[:start] + patch + ROWS[start + length :])
