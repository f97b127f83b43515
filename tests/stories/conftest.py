import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """For every test of this folder: simulated days, which take real minutes on a slow machine."""
    item.add_marker(pytest.mark.timeout(600))
