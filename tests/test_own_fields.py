"""Fields of the account's own are found by in a table that the database itself keeps: it says what the fans' rows say."""

import re
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from app.database import db, write
from app.fans.models import Fan
from app.segments import queries
from app.segments.rules import LONGEST_TEXT, parse
from tests.people import Person, add_fan
from tests.test_segments import only

TEXTS = [
    "7", " -7 ", "\t40.5\n", "040", "4.", ".5", "4.5.6", "--4", "1e5", "1-2", "- 4", "Größe 40", "forty", "40 %", "a_b", "0",
    "9" * 60, "9" * 61, "x" * 150, "x" * 151, "X" * 3000 + " end", "{}", '"', "null", "é" * 151,
]  # fmt: skip
NUMBER = re.compile(r"\s*-?[0-9]+(\.[0-9]+)?\s*", re.ASCII)


def found(ada: Person, op: str, value: Any = None, name: str = "Size") -> set[int]:
    rule = parse(only("custom", op, value, name=name))
    with ada.app.app_context():
        number, first = queries.look(ada.account_id, rule, 100)
        assert number == len(first)
        return {fan.id for fan in first}


@pytest.fixture
def texts(ada: Person, eve: Person) -> dict[int, str]:
    """By fan; another account has them too."""
    _add_fans(eve)
    return _add_fans(ada)


def _add_fans(person: Person) -> dict[int, str]:
    fans = {add_fan(person, number)["id"]: said for number, said in enumerate(TEXTS)}
    with person.app.app_context(), write() as session:
        for fan_id, said in fans.items():
            session.execute(update(Fan).where(Fan.id == fan_id).values(custom={"Size": said, "Other": "1"}))
    return fans


def test_each_text_is_found_by_what_it_is(ada: Person, texts: dict[int, str]):
    for said in TEXTS:
        same = {fan_id for fan_id, each in texts.items() if each.lower() == said.strip().lower()}
        if len(said) <= LONGEST_TEXT:
            assert found(ada, "is", said) == same, said
            assert found(ada, "isNot", said) == set(texts) - same, said
    assert found(ada, "isSet") == set(texts)
    assert found(ada, "isNotSet") == set()
    assert found(ada, "isSet", name="size") == set()
    page = ada.browser().get("/segments/new").text
    options = page.partition('<datalist id="own-fields">')[2].partition("</datalist>")[0]
    assert re.findall('value="([^"]+)"', options) == ["Other", "Size"]


@pytest.mark.parametrize("part", ["4", "X", "end", "_", "%", "größe", '"'])
def test_parts_are_found_in_short_and_long_ones(ada: Person, texts: dict[int, str], part: str):
    assert found(ada, "contains", part) == {fan_id for fan_id, said in texts.items() if part.lower() in said.lower()}


@pytest.mark.parametrize("value", [-7, 0, 7, 40, 40.5, 41])
def test_numbers_are_compared_and_the_rest_is_none(ada: Person, texts: dict[int, str], value: float):
    numbers = {fan_id: float(said) for fan_id, said in texts.items() if NUMBER.fullmatch(said) and len(said) <= 60}
    assert found(ada, "atLeast", value) == {fan_id for fan_id, number in numbers.items() if number >= value}
    assert found(ada, "atMost", value) == {fan_id for fan_id, number in numbers.items() if number <= value}


def test_it_follows_what_is_written_changed_and_deleted(ada: Person):
    first, second = (add_fan(ada, number)["id"] for number in (1, 2))
    with ada.app.app_context():
        with write() as session:
            session.execute(update(Fan).values(custom={"Size": "Large", "Eyes": "green"}))
        assert found(ada, "is", "large") == {first, second}
        with write() as session:
            session.execute(update(Fan).where(Fan.id == first).values(custom={"Size": "Small"}))
        assert found(ada, "is", "large") == {second}
        assert found(ada, "is", "small") == {first}
        assert found(ada, "isSet", name="Eyes") == {second}
        with write() as session:
            session.execute(delete(Fan).where(Fan.id == second))
            session.execute(update(Fan).where(Fan.id == first).values(custom={}))
        assert db.session.scalar(text("SELECT count(*) FROM fan_fields")) == 0
