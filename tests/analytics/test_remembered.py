"""Figures of very many rows are remembered for a minute, and say so; all others are as new as the page."""

from datetime import timedelta

import pytest
import time_machine

from app.analytics import remembered
from app.database import utcnow
from app.extensions import get_redis
from tests.analytics.books import write_books
from tests.analytics.test_analytics_pages import ANALYTICS, DRAWN, PAGE
from tests.people import Person

NOTHING = DRAWN | {"messages": [], "transactions": []}


def asked_twice(ada: Person) -> tuple[dict, dict]:
    """Before and after all that there was is gone."""
    address = f"{ANALYTICS}?{write_books(ada, DRAWN).address}"
    first = ada.get(address)
    write_books(ada, NOTHING)
    return first, ada.get(address)


def test_what_is_quickly_counted_is_counted_each_time(ada: Person):
    first, second = asked_twice(ada)
    assert (first["kpis"]["revenueCents"], second["kpis"]["revenueCents"]) == (1000, None)


@pytest.fixture
def everything_is_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MANY", 1)


def test_what_takes_long_is_the_same_for_a_minute_and_says_of_when(app, ada: Person, everything_is_much):
    first, second = asked_twice(ada)
    gone = {"topFans", "campaigns"}  # the rows themselves are looked up now
    assert {name: first[name] for name in first if name not in gone} == {
        name: second[name] for name in second if name not in gone
    }
    with app.app_context():
        (key,) = get_redis().keys("greenroom:figures:*")
        assert 0 < get_redis().ttl(key) <= 60
    with time_machine.travel(utcnow() + timedelta(seconds=60), tick=True):
        address = ANALYTICS + "?from=2026-03-28&to=2026-03-31&timezone=Europe/Paris"
        third = ada.get(address)
    assert third["kpis"]["revenueCents"] is None
    assert third["asOf"] > first["asOf"]


def test_a_page_reads_the_same_remembered_or_not(ada: Person, everything_is_much):
    path = f"{PAGE}?{write_books(ada, DRAWN).address}"
    browser = ada.browser()
    first, second = browser.get(path).text, browser.get(path).text
    assert first.partition('class="figures"')[2] == second.partition('class="figures"')[2]


def test_one_accounts_figures_are_not_anothers(ada: Person, eve: Person, everything_is_much):
    address = f"{ANALYTICS}?{write_books(ada, DRAWN).address}"
    assert ada.get(address)["kpis"]["revenueCents"] == 1000
    assert eve.get(address)["kpis"]["revenueCents"] is None
