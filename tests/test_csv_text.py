"""What is exported is plain text to a spreadsheet, and comes back as it was."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.csv_text import NUMBER, csv_text
from app.imports.plan import clean

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
TEXTS = st.text(
    st.sampled_from("'=+-@\t\r\n 1a") | st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
)


def exported(cell: str) -> str:
    """As a spreadsheet reads it."""
    return next(csv.reader(io.StringIO("".join(csv_text([[cell, "x"]])), newline="")))[0]


@given(TEXTS)
def test_a_cell_comes_back_as_it_was_but_for_blanks_around(cell: str):
    assert clean(exported(cell)).strip() == cell.strip()


@given(TEXTS)
def test_no_cell_is_taken_for_a_formula(cell: str):
    said = exported(cell)
    assert not said.strip().startswith(FORMULA_STARTS) or NUMBER.fullmatch(said)


@pytest.mark.parametrize("cell", ["'=1", "''=1", "\tname", "\r@x", " '=1", "=1", "-5", "'-5", "'quoted'", "-"])
def test_these_too(cell: str):
    assert clean(exported(cell)).strip() == cell.strip()
