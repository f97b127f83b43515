"""Of news of a list, the last of each row: whoever takes it must end where one who got all of it would."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.telling import newest_of_each


def news(*rows: tuple[int, int]) -> list[dict[str, Any]]:
    return [{"seq": seq, "kind": "conversation", "id": row, "html": f"{row} at {seq}"} for seq, row in rows]


def take(items: list[dict[str, Any]], last: int) -> tuple[dict[int, str], int, bool]:
    """As live.js does: the rows, the number it has come to, and whether it found a gap."""
    rows = dict[int, str]()
    for item in items:
        if item["seq"] <= last:
            continue
        if item.get("after", item["seq"] - 1) > last:
            return rows, last, True
        last = item["seq"]
        rows[item["id"]] = item["html"]
    return rows, last, False


def test_a_row_that_changes_again_and_again_is_told_once():
    told = newest_of_each(news((5, 1), (6, 2), (7, 1), (8, 1)))
    assert [(item["after"], item["seq"], item["id"]) for item in told] == [(4, 6, 2), (6, 8, 1)]


def test_a_number_that_is_missing_between_two_shows_as_a_gap():
    told = newest_of_each(news((5, 1), (7, 1)))
    assert [(item["after"], item["seq"]) for item in told] == [(6, 7)]
    assert take(told, 4) == ({}, 4, True)


def test_of_what_came_in_the_wrong_order_none_is_missing():
    assert take(newest_of_each(news((7, 3), (6, 2), (5, 1))), 4)[1:] == (7, False)


@given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 4)), unique_by=lambda row: row[0]), st.integers(0, 13))
def test_whoever_takes_the_last_ends_where_one_who_took_all_would(rows: list[tuple[int, int]], last: int):
    """Or finds a gap where that one does, or before: then both ask."""
    all_of_them = sorted(news(*rows), key=lambda item: item["seq"])
    want, reached, has_gap = take(all_of_them, last)
    got, got_to, found_gap = take(newest_of_each(news(*rows)), last)
    assert found_gap == has_gap
    if not has_gap:
        assert got_to == reached
        assert got == want
