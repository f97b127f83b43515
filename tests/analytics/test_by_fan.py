"""What each fan brought, against plain sums: ids that lie close together, and ids far apart."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.analytics.by_fan import by_fan

CLOSE, APART = st.integers(0, 40), st.sampled_from([0, 3, 1_000, 70_000, 5_000_000_000])
SIZES = (np.uint8, np.uint16, np.uint32, np.int64)


def column(numbers: list[int]):
    """In as few bytes as these numbers allow, as they are kept."""
    return np.array(numbers, dtype=next(size for size in SIZES if all(n <= np.iinfo(size).max for n in numbers)))


@pytest.mark.parametrize("ids", [CLOSE, APART], ids=["close together", "far apart"])
@given(data=st.data())
def test_sums_and_who_they_are(ids: st.SearchStrategy[int], data: st.DataObject):
    payments = data.draw(st.lists(st.tuples(ids, st.integers(-500, 500)), max_size=30))
    writers = data.draw(st.lists(ids, max_size=10))
    gross = np.array([cents for _, cents in payments], dtype=np.int64)
    found = by_fan({"fan": column([fan for fan, _ in payments]), "gross": gross}, {"fan": column(writers)})

    brought, paid = Counter[int](), {fan for fan, cents in payments if fan and cents > 0}
    for fan, cents in payments:
        brought[fan] += cents
    places = np.arange(found.ids.size)
    known = found.ids.at(places).tolist()
    assert set(known) >= {fan for fan, _ in payments if fan} | {fan for fan in writers if fan}
    assert 0 not in [fan for fan, has_paid in zip(known, found.has_paid, strict=True) if has_paid]
    assert {fan: cents for fan, cents in zip(known, found.cents.tolist(), strict=True) if cents} == {
        fan: cents for fan, cents in brought.items() if fan and cents
    }
    assert {fan for fan, yes in zip(known, found.has_paid, strict=True) if yes} == paid
    assert {fan for fan, yes in zip(known, found.is_active, strict=True) if yes} == paid | {
        fan for fan in writers if fan
    }
