"""A rule that takes long to count: an estimate and the first fans at once, and then the number itself."""

import re
from math import exp, factorial
from typing import Any

import pytest
from sqlalchemy import text

from app.database import db, write
from app.fans.models import Fan
from app.patience import OutOfPatience, patience
from app.segments import glancing
from app.segments.rules import Group, parse
from tests.people import Person

MANY, SAMPLE = 600, 300
LONG = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) SELECT count(*) FROM n"


def all_of(*conditions: dict[str, Any]) -> Group:
    return parse({"match": "all", "rules": list(conditions)})


def at_least(cents: int) -> dict[str, Any]:
    return {"field": "spend", "op": "atLeast", "value": cents}


NOTED = [{"field": "notes", "op": "contains", "value": each} for each in ("jazz", "night", "river", "long")]


@pytest.fixture
def crowd(app, ada: Person) -> None:
    """Each has spent a cent more than the one before."""
    notes = "Likes Jazz at night, long walks by the river. " * 60
    with app.app_context(), write() as session:
        session.add_all(
            Fan(account_id=ada.account_id, handle=f"@fan{n}", handle_key=f"fan{n}", value_cents=n, notes=notes)
            for n in range(MANY)
        )


@pytest.fixture
def in_haste(monkeypatch):
    monkeypatch.setattr(glancing, "EXACTLY_SECONDS", 0.001)
    monkeypatch.setattr(glancing, "ROUGHLY_SECONDS", 60)
    monkeypatch.setattr(glancing, "SAMPLE", SAMPLE)


def test_what_takes_too_long_is_given_up_and_the_next_is_not(app, ada: Person):
    with app.app_context():
        with pytest.raises(OutOfPatience), patience(0.05):
            db.session.execute(text(LONG))
        with write() as session:
            session.add(Fan(account_id=ada.account_id, name="Written after"))
    assert [fan["name"] for fan in ada.get("/api/crm/fans")["fans"]] == ["Written after"]


def test_patience_ends_with_its_block(app, ada: Person):
    with app.app_context():
        with patience(0.2):
            assert db.session.scalar(text("SELECT 1")) == 1
        short = LONG.replace("2000000000", "2000000")  # longer than that
        assert db.session.scalar(text(short)) == 2_000_000


def test_another_fault_stays_what_it_is(app, ada: Person):
    with app.app_context(), pytest.raises(Exception, match="nowhere") as caught, patience(5):
        db.session.execute(text("SELECT * FROM nowhere"))
    assert not isinstance(caught.value, OutOfPatience)


@pytest.mark.parametrize("least", [MANY // 2, MANY // 4, 0])
def test_an_estimate_is_near_and_its_fans_are_the_first(app, ada: Person, crowd, in_haste, least: int):
    with app.app_context():
        rule = all_of(at_least(least))
        exact, about = glancing.look(ada.account_id, rule, 8), glancing.estimate(ada.account_id, rule, 8)
        assert exact.number == MANY - least
        assert about.said == "About"
        assert about.number == pytest.approx(exact.number, rel=0.25)
        assert about.number == float(f"{about.number:.2g}")
        assert about.first == exact.first


@pytest.mark.parametrize("number", [0, 3, 12])
def test_of_a_handful_it_is_said_what_they_are_fewer_than(app, ada: Person, crowd, in_haste, number: int):
    with app.app_context():
        about = glancing.estimate(ada.account_id, all_of(at_least(MANY - number)), 8)
        assert about.said == "Fewer than"
        assert number < about.number < MANY / 10
        assert [fan.value_cents for fan in about.first] == list(range(MANY - 1, MANY - 1 - min(number, 8), -1))


@pytest.mark.parametrize("hits", range(glancing.LEAST_HITS))
def test_it_is_fewer_nineteen_times_of_twenty(hits: int):
    """Among so many fans that each one drawn is drawn by itself, hits have a Poisson distribution."""
    mean = glancing._most(hits)
    as_few = sum(exp(-mean) * mean**each / factorial(each) for each in range(hits + 1))
    assert 0.02 < as_few < 0.05


def test_whoever_has_no_fans_gets_none(app, ada: Person, in_haste):
    with app.app_context():
        assert glancing.estimate(ada.account_id, all_of(at_least(1)), 8) == glancing.Glance(0, glancing.Number.NEAR, [])


def rule_form(**more: str) -> dict[str, str]:
    said = {"name": "", "group-0": "all"} | more
    for n, each in enumerate(NOTED):
        said |= {f"line-0-{n}-field": "notes", f"line-0-{n}-op": "contains", f"line-0-{n}-value": each["value"]}
    return said


def test_the_page_shows_the_estimate_and_asks_for_the_number(ada: Person, crowd, in_haste):
    browser = ada.browser()
    token = browser.get("/segments/new").text.partition('name="csrf_token" value="')[2].partition('"')[0]

    def found(*, script: bool, **more: str) -> str:
        headers = {"HX-Request": "true"} if script else {}
        page = browser.post("/segments/new", data={"csrf_token": token, **rule_form(**more)}, headers=headers)
        return page.text.partition('id="found"')[2]

    at_once = found(script=True)
    assert re.search(r"About (5|6)\d0 fans<", at_once)
    assert 'hx-vals=\'{"exactly": "1"}\'' in at_once
    assert f"@fan{MANY - 1}" in at_once
    for whole in (found(script=True, exactly="1"), found(script=False)):
        assert ">600 fans<" in whole
        assert "exactly" not in whole
        assert "592 more" in whole


def test_a_rule_that_is_only_shown_is_counted_at_once(ada: Person, crowd, in_haste):
    nested = {"match": "any", "rules": [{"match": "all", "rules": [{"match": "all", "rules": NOTED}]}]}
    segment = ada.post("/api/segments", {"name": "Deep", "rule": nested})["id"]
    page = ada.browser().get(f"/segments/{segment}").text
    assert "made by a program" in page
    assert ">600 fans<" in page.partition('id="found"')[2]
