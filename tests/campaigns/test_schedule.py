"""Campaigns that start by the clock, in a zone, and what becomes of those whose time came while nothing ran."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from app.accounts.models import Account
from app.database import db, utcnow, write
from tests.campaigns.composer import change, launch, ledger, newest, post, press, send_all, shown, sweep_once
from tests.people import Person, add_fan


@pytest.fixture
def fan(ada: Person) -> int:
    return add_fan(ada, 1)["id"]


def schedule(browser: FlaskClient, ada: Person, **fields: str) -> int:
    tomorrow = f"{utcnow() + timedelta(days=1):%Y-%m-%dT%H:%M}"
    return launch(browser, ada, **{"audience": "all", "when": "later", "send_time": tomorrow} | fields)


def be_late(ada: Person, campaign: int, **late: float) -> None:
    change(ada, campaign, scheduled_at=utcnow() - timedelta(**late))


def test_it_waits_for_its_time_and_then_takes_the_audience_as_it_is(browser: FlaskClient, ada: Person, fan: int):
    campaign = schedule(browser, ada)
    sweep_once(ada)
    waiting = shown(ada, campaign)
    assert (waiting["status"], waiting["startedAt"], waiting["metrics"]["recipients"]) == ("scheduled", None, 0)
    assert waiting["scheduledAt"]
    later = add_fan(ada, 2)["id"]
    be_late(ada, campaign, seconds=1)
    send_all(ada)
    assert ledger(ada, campaign) == {fan: ("sent", None), later: ("sent", None)}
    sweep_once(ada)
    assert shown(ada, campaign)["metrics"]["recipients"] == 2


@pytest.mark.parametrize(
    ("said", "utc"),
    [
        ("2099-03-29T01:30", "2099-03-29T00:30:00Z"),  # before clocks go forward
        ("2099-03-29T03:30", "2099-03-29T01:30:00Z"),  # after it
        ("2099-10-25T02:30", "2099-10-25T00:30:00Z"),  # twice that night: the first of the two
        ("2099-10-25T03:30", "2099-10-25T02:30:00Z"),
    ],
)
def test_on_the_nights_when_clocks_change(browser: FlaskClient, ada: Person, fan: int, said: str, utc: str):
    live_in(ada, "Europe/Paris")
    campaign = schedule(browser, ada, send_time=said)
    assert shown(ada, campaign)["scheduledAt"] == utc
    page = browser.get(f"/campaigns/{campaign}").text
    assert "Europe/Paris" in page
    assert ("CEST" if datetime.fromisoformat(utc) in SUMMER else "CET") in page
    assert ("That time comes twice that night: the first is meant, by CEST." in page) == (said == "2099-10-25T02:30")
    press(browser, campaign, "unschedule")
    assert f'value="{said}"' in browser.get(f"/campaigns/{campaign}/edit").text


@pytest.mark.parametrize(("said", "then"), [("2099-01-10T12:00", "CET"), ("2099-07-10T12:00", "CEST")])
def test_while_it_is_written_the_page_says_when_it_starts_and_whether_clocks_change(
    browser: FlaskClient, ada: Person, fan: int, said: str, then: str
):
    live_in(ada, "Europe/Paris")
    page = post(browser, do="look", audience="all", when="later", send_time=said).text
    assert re.search(rf"Starts <time [^>]*>10 \w+ 2099, 12:00 {then}</time>", page)
    assert "12:00 " + then in browser.get(f"/campaigns/{newest(ada)['id']}/edit").text, "when it is opened again, too"
    today = f"{datetime.now(ZoneInfo('Europe/Paris')):%Z}"
    assert (f"The clocks change before then: from {today} to {then}." in page) == (today != then)


class Summer:
    def __contains__(self, moment: datetime) -> bool:
        return datetime(2099, 3, 29, 1, tzinfo=UTC) <= moment < datetime(2099, 10, 25, 1, tzinfo=UTC)


SUMMER = Summer()


def test_a_time_that_does_not_exist_is_refused(browser: FlaskClient, ada: Person, fan: int):
    live_in(ada, "Europe/Paris")
    answer = post(browser, audience="all", when="later", send_time="2099-03-29T02:30")
    assert answer.status_code == 400
    assert "this time does not exist" in answer.text


def live_in(ada: Person, zone: str) -> None:
    with ada.app.app_context(), write():
        db.session.get_one(Account, ada.account_id).timezone = zone


@pytest.mark.parametrize(
    ("policy", "late", "status", "words"),
    [
        ("ask", {"minutes": 4}, "completed", ""),
        ("ask", {"minutes": 6}, "draft", "It was due while nothing ran."),
        ("send", {"hours": 2}, "completed", "Started late, by 2 h."),
        ("send", {"hours": 4}, "draft", "It was due while nothing ran."),
        ("skip", {"minutes": 6}, "cancelled", "was to be skipped"),
        ("skip", {"minutes": 1}, "completed", ""),
    ],
)
def test_overdue(browser: FlaskClient, ada: Person, fan: int, policy: str, late: dict, status: str, words: str):
    campaign = schedule(browser, ada, late_policy=policy, late_hours="3")
    be_late(ada, campaign, **late)
    send_all(ada)
    assert shown(ada, campaign)["status"] == status
    page = browser.get(f"/campaigns/{campaign}{'/edit' if status == 'draft' else ''}").text
    assert words in page
    assert shown(ada, campaign)["metrics"]["sent"] == (status == "completed")


def test_what_cannot_start_any_more_is_given_back_with_the_reason(browser: FlaskClient, ada: Person, fan: int):
    rule = {"match": "all", "rules": [{"field": "name", "op": "contains", "value": "Fan"}]}
    segment = ada.post("/api/segments", {"name": "S", "rule": rule})["id"]
    campaign = schedule(browser, ada, audience=f"segment:{segment}")
    ada.call("DELETE", f"/api/segments/{segment}")
    be_late(ada, campaign, seconds=1)
    sweep_once(ada)
    assert shown(ada, campaign)["status"] == "draft"
    assert "This audience is no longer there." in browser.get(f"/campaigns/{campaign}/edit").text


def test_changed_and_scheduled_anew(browser: FlaskClient, ada: Person, fan: int):
    campaign = schedule(browser, ada)
    assert browser.get(f"/campaigns/{campaign}/edit").status_code == 302
    press(browser, campaign, "unschedule")
    assert newest(ada)["status"] == "draft"
    sweep_once(ada)
    assert newest(ada)["status"] == "draft"


def test_it_stops_at_the_time_that_was_set(browser: FlaskClient, ada: Person, fan: int):
    campaign = launch(browser, ada, audience="all", stop_time=f"{utcnow() + timedelta(hours=1):%Y-%m-%dT%H:%M}")
    change(ada, campaign, stop_at=utcnow() - timedelta(seconds=1))
    send_all(ada)
    assert ledger(ada, campaign)[fan][0] == "cancelled"
    assert "Stopped at the time that was set for it." in browser.get(f"/campaigns/{campaign}").text


def test_one_that_is_through_is_not_stopped_afterwards(browser: FlaskClient, ada: Person, fan: int):
    campaign = launch(browser, ada, audience="all")
    send_all(ada)
    change(ada, campaign, stop_at=utcnow() - timedelta(seconds=1))
    sweep_once(ada)
    sweep_once(ada)
    assert shown(ada, campaign)["status"] == "completed"
