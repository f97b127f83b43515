"""Ten thousand files that nobody would send: read or refused in words, and every row of those taken in accounted for."""

import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.errors import Invalid
from app.imports import actions, queries
from tests.imports.test_any_bytes import CELLS, HOUSE, ROWS, never_breaks
from tests.imports.test_exporters import EXPORTERS, NAMES, STYLES

MONEY = "Transaction ID,Username,Amount,Net,Date,Type,Status\n"
LONG = settings(max_examples=2500, deadline=None)


@LONG
@given(st.binary(max_size=600))
def test_any_bytes(content):
    never_breaks(content)


@LONG
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=8), max_size=20),
    st.sampled_from(",;\t|"),
    st.sampled_from([HOUSE.decode(), MONEY]),
)
def test_any_table(rows, delimiter, header):
    never_breaks("\n".join(delimiter.join(cells) for cells in [header.strip().split(","), *rows]).encode())


@LONG
@given(st.integers(0, len(ROWS) - 1), st.integers(0, len(ROWS)), st.binary(max_size=6))
def test_any_wound_to_a_good_file(start, length, patch):
    never_breaks(ROWS[:start] + patch + ROWS[start + length :])


@LONG
@given(st.sampled_from(list(EXPORTERS)), st.integers(0, 10**6), st.integers(0, 40), st.binary(max_size=6))
def test_any_wound_to_an_exporters_file(exporter, start, length, patch):
    header, rows, _ = exporter(NAMES["wide"], STYLES["dollars"])
    content = "\n".join([header, *(",".join(f'"{cell}"' for cell in row) for row in rows)]).encode()
    at = start % len(content)
    never_breaks(content[:at] + patch + content[at + length :])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=8), min_size=1, max_size=15),
    st.sampled_from([HOUSE.decode(), MONEY, "Email,Name\n", "User ID,Username,Tags\n"]),
    st.sampled_from(["reject", "warn"]),
)
def test_the_counts_always_add_up(app, ada, rows, header, policy):
    content = header + "\n".join(",".join(cells) for cells in rows)
    with app.app_context():
        try:
            new = actions.start(
                ada.account_id, None, filename="a.csv", content=io.BytesIO(content.encode()), invalid=policy,
                date_order="dmy", decimal=".", unit="units", currency="USD",
            )  # fmt: skip
        except Invalid:
            return
        actions.run_import(new.id)
        done = actions.wait_for(new.id, 0)
        if done.status == "failed":
            pytest.fail(done.failure)
        summary = queries.summary(done)
    parts = ("successfulInserts", "updated", "unchanged", "skipped")
    assert summary["totalRows"] == done.total_rows == sum(summary[part] for part in parts)
    assert len(summary["errors"]) == summary["skipped"]
    assert done.not_applied == 0
