"""The drill, short and with a fixed seed: see bench/drill.py. `make drill` is the long one."""

import pytest

from bench import drill

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_campaign_survives_whatever_is_killed_and_its_books_are_the_platforms(database: str) -> None:
    result = drill.run(database, messages=150, deeds=15, seed=5)
    print(result)
    assert drill.faults_of(result) == []
    assert result["cancelled"] <= drill.TO_BE_CANCELLED
    assert result["sent"] == result["planned"] - result["unknown"] - result["cancelled"]
