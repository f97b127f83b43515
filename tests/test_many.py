"""Many conversations at once: given to anybody of the account, as many as were shown, and taken back."""

from datetime import timedelta

import pytest

from app.conversations import queries, triage
from app.database import utcnow
from tests.people import Person, add_fan, make_person, submit

ADDRESS = "/messages/onlyfans/triage"
PAGE = "/messages/onlyfans"


@pytest.fixture
def threads(ada: Person) -> list[int]:
    return [ada.post("/api/crm/conversations", {"fanId": add_fan(ada, number)["id"]})["id"] for number in range(1, 5)]


def states(person: Person, threads: list[int]) -> list[tuple]:
    with person.app.app_context():
        found = [queries.find_conversation(person.account_id, each) for each in threads]
        return [(each.archived, each.pinned, each.snoozed_until, each.assignee_id) for each in found]


def test_they_are_given_to_anybody_of_the_account_and_to_nobody_else(app, ada: Person, eve: Person, threads: list[int]):
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    browser, ids = ada.browser(), [str(each) for each in threads[:2]]
    page = browser.get(PAGE).text
    assert f'<option value="assign:{bob.user_id}">' in page
    assert f'<option value="assign:{eve.user_id}">' not in page
    submit(browser, ADDRESS, PAGE, which="ticked", ids=ids, do=f"assign:{bob.user_id}")
    assert [each[3] for each in states(ada, threads)] == [bob.user_id, bob.user_id, None, None]
    submit(browser, ADDRESS, PAGE, which="ticked", ids=ids, do=f"assign:{eve.user_id}")
    assert [each[3] for each in states(ada, threads)] == [bob.user_id, bob.user_id, None, None]


def test_all_are_as_many_as_were_shown_or_it_is_asked_once_more(ada: Person, threads: list[int]):
    browser = ada.browser()
    form = {"which": "all", "do": "archive"}
    assert 'name="confirmed" value="4"' in submit(browser, ADDRESS, PAGE, **form).text
    ada.post("/api/crm/conversations", {"fanId": add_fan(ada, 9)["id"]})
    again = submit(browser, ADDRESS, PAGE, **form, confirmed="4")
    assert again.status_code == 200
    assert "4 matched when you were asked, and now it is 5." in again.text
    assert "Do it for 5" in again.text
    assert not any(each[0] for each in states(ada, threads))
    assert submit(browser, ADDRESS, PAGE, **form, confirmed="5").status_code == 302
    assert all(each[0] for each in states(ada, threads))


def test_those_that_were_ticked_and_archived_are_brought_back_as_they_were(
    app, ada: Person, eve: Person, threads: list[int]
):
    until = (utcnow() + timedelta(days=2)).replace(microsecond=0)
    with app.app_context():
        triage.change(ada.account_id, threads[0], triage.PINNED)
        triage.change(ada.account_id, threads[1], triage.snoozed(until))
        triage.change(ada.account_id, threads[2], triage.snoozed(None))
        triage.change(ada.account_id, threads[3], triage.ARCHIVED)
    before, browser = states(ada, threads), ada.browser()
    submit(browser, ADDRESS, PAGE, which="ticked", ids=[str(each) for each in threads], do="archive")
    assert all(each[0] for each in states(ada, threads))
    page = browser.get(PAGE).text
    assert "Undo: bring 3 conversations back" in page
    was = [part.partition('"')[0] for part in page.split('name="was" value="')[1:]]
    submit(eve.browser(), f"{ADDRESS}/undo", "/fans/new", was=was)
    assert all(each[0] for each in states(ada, threads))
    submit(browser, f"{ADDRESS}/undo", PAGE, was=[*was, "x", "1:2:3"])
    assert states(ada, threads) == before
    assert "Undo: bring" not in browser.get(PAGE).text


def test_they_are_put_off_until_a_time_of_ones_own(ada: Person, threads: list[int]):
    browser = ada.browser()
    until = (utcnow() + timedelta(days=2)).replace(second=0, microsecond=0)
    form = {"which": "all", "do": "snooze:own", "until": f"{until:%Y-%m-%dT%H:%M}"}
    assert f'name="until" value="{form["until"]}"' in submit(browser, ADDRESS, PAGE, **form).text
    submit(browser, ADDRESS, PAGE, **form, confirmed="4")
    assert {each[2] for each in states(ada, threads)} == {until}
    refused = submit(browser, ADDRESS, PAGE, **form | {"until": "2020-01-01T09:00"})
    assert "Choose a time to come, within a year." in browser.get(refused.headers["Location"]).text
