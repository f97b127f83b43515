"""Every verb in every state: the legal ones are done, the page and the API refuse all others and change nothing."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from app.accounts.models import AuditEntry
from app.campaigns.models import Campaign, Recipient
from app.conversations.models import Message
from app.database import db, table_of, utcnow, write
from app.fans.models import Fan
from tests.campaigns.composer import (
    change,
    counts,
    fail_to_one,
    launch,
    make_due,
    newest,
    post,
    press,
    shown,
    sweep_once,
)
from tests.people import Person, add_fan
from tests.sending import drain
from tests.servers import Sandbox

LEGAL = {  # what becomes of it
    "draft": {"launch": "active", "discard": "gone"},
    "scheduled": {"cancel": "cancelled", "unschedule": "draft"},
    "active": {"pause": "paused", "cancel": "cancelled", "retry-failed": "active"},
    "automatic": {"pause": "paused", "cancel": "cancelled", "retry-failed": "active"},
    "paused": {"resume": "active", "cancel": "cancelled", "retry-failed": "paused"},
    "cancelled": {},
    "completed": {"retry-failed": "active"},
}
BY_API = ("pause", "resume", "cancel", "retry-failed")
VERBS = (*BY_API, "unschedule", "discard", "launch")
SAID = {
    "pause": "Paused.", "resume": "Goes on.", "cancel": "Cancelled. What waited will not be sent.",
    "retry-failed": "The failed ones are in the queue again.",
}  # fmt: skip
KEY = "a" * 32  # the form's: whoever launches again what was launched sends it again

ALLOWED = [(state, verb) for state, verbs in LEGAL.items() for verb in verbs]
REFUSED = [(state, verb) for state in LEGAL for verb in VERBS if (state, verb) not in ALLOWED]


@pytest.fixture
def fans(ada: Person, connected: Sandbox) -> list[int]:
    return [add_fan(ada, number)["id"] for number in (1, 2)]


def make(state: str, browser: FlaskClient, ada: Person, sandbox: Sandbox, fans: list[int]) -> int:
    """A campaign to two fans; once it has started, to one of them it failed. Returns its id."""
    match state:
        case "draft":
            post(browser, key=KEY, audience="all", do="draft")
            return newest(ada)["id"]
        case "scheduled":
            tomorrow = f"{utcnow() + timedelta(days=1):%Y-%m-%dT%H:%M}"
            return launch(browser, ada, key=KEY, audience="all", when="later", send_time=tomorrow)
        case "automatic":
            campaign = launch(browser, ada, key=KEY, audience="all", when="subscription")
            subscribe(ada, fans)
            change(ada, campaign, looked_at=utcnow() - timedelta(minutes=1))
            sweep_once(ada)
        case _:
            campaign = launch(browser, ada, key=KEY, audience="all")
    fail_to_one(ada, sandbox, fans[0])
    match state:
        case "paused":
            press(browser, campaign, "pause")
        case "cancelled":
            press(browser, campaign, "cancel")
        case "completed":
            make_due(ada)
            drain(ada.app)
    return campaign


def subscribe(ada: Person, fans: list[int]) -> None:
    with ada.app.app_context(), write() as session:
        session.execute(update(Fan).where(Fan.id.in_(fans)).values(subscribed_at=utcnow()))


def do(verb: str, browser: FlaskClient, campaign: int) -> TestResponse:
    if verb == "launch":
        return post(browser, key=KEY, audience="all")
    return press(browser, campaign, verb)


def all_rows(ada: Person) -> list[list[Any]]:
    with ada.app.app_context():
        tables = [table_of(each) for each in (Campaign, Recipient, Message, AuditEntry)]
        mine = [select(each).where(each.c.account_id == ada.account_id).order_by(each.c.id) for each in tables]
        return [[tuple(row) for row in db.session.execute(rows)] for rows in mine]


BEFORE = {
    "draft": {}, "scheduled": {}, "active": {"queued": 1, "failed": 1}, "automatic": {"queued": 1, "failed": 1},
    "paused": {"queued": 1, "failed": 1}, "cancelled": {"failed": 1, "cancelled": 1}, "completed": {"sent": 1, "failed": 1},
}  # fmt: skip


@pytest.mark.parametrize("state", LEGAL)
def test_the_states_are_what_they_are_called(browser: FlaskClient, ada: Person, connected: Sandbox, fans, state: str):
    campaign = make(state, browser, ada, connected, fans)
    assert shown(ada, campaign)["status"] == ("active" if state == "automatic" else state)
    assert counts(ada, campaign) == BEFORE[state]


@pytest.mark.parametrize(("state", "verb"), ALLOWED)
def test_the_page_does_what_is_allowed(
    browser: FlaskClient, ada: Person, connected: Sandbox, fans, state: str, verb: str
):
    campaign = make(state, browser, ada, connected, fans)
    answer = do(verb, browser, campaign)
    assert answer.status_code == 302
    if LEGAL[state][verb] == "gone":
        assert ada.call("GET", f"/api/campaigns/{campaign}").status_code == 404
    else:
        assert SAID.get(verb, "") in browser.get(answer.location).text
        assert shown(ada, campaign)["status"] == LEGAL[state][verb]
        assert counts(ada, campaign) == after(state, verb)


@pytest.mark.parametrize(("state", "verb"), [each for each in ALLOWED if each[1] in BY_API])
def test_the_api_does_what_is_allowed(
    browser: FlaskClient, ada: Person, connected: Sandbox, fans, state: str, verb: str
):
    campaign = make(state, browser, ada, connected, fans)
    assert ada.post(f"/api/campaigns/{campaign}/{verb}", status=200)["status"] == LEGAL[state][verb]
    assert counts(ada, campaign) == after(state, verb)


def after(state: str, verb: str) -> dict[str, int]:
    """The books after it."""
    was = BEFORE[state]
    match verb:
        case "launch":
            return {"queued": 2}
        case "cancel" if was:
            return {"failed": 1, "cancelled": 1}
        case "retry-failed":
            return {part: number for part, number in was.items() if part != "failed"} | {
                "queued": was.get("queued", 0) + 1
            }
    return was


@pytest.mark.parametrize(("state", "verb"), REFUSED)
def test_all_else_is_refused_and_changes_nothing(
    browser: FlaskClient, ada: Person, connected: Sandbox, fans, state: str, verb: str
):
    campaign = make(state, browser, ada, connected, fans)
    status, before = shown(ada, campaign)["status"], all_rows(ada)
    answer = do(verb, browser, campaign)
    assert answer.status_code == 302
    page = browser.get(answer.location).text
    if verb == "launch":  # pressed again: what there is to see is what became of it
        assert answer.location == f"/campaigns/{campaign}"
    else:
        assert f"This campaign is {status}." in page
    if verb in BY_API:
        answer = ada.call("POST", f"/api/campaigns/{campaign}/{verb}")
        assert (answer.status_code, answer.mimetype) == (409, "application/problem+json")
        assert answer.json["detail"] == f"This campaign is {status}."
    assert all_rows(ada) == before


@pytest.mark.parametrize("state", ["active", "paused", "completed"])
def test_where_nothing_has_failed_there_is_nothing_to_retry(browser: FlaskClient, ada: Person, fans, state: str):
    campaign = launch(browser, ada, audience="all")
    if state == "paused":
        press(browser, campaign, "pause")
    if state == "completed":
        drain(ada.app)
    before = all_rows(ada)
    answer = press(browser, campaign, "retry-failed")
    said = "Nothing of this campaign has failed that may be sent again."
    assert said in browser.get(answer.location).text
    assert ada.post(f"/api/campaigns/{campaign}/retry-failed", status=409)["detail"] == said
    assert all_rows(ada) == before


def test_who_must_not_be_messaged_by_now_is_not_retried(
    browser: FlaskClient, ada: Person, connected: Sandbox, fans: list[int]
):
    campaign = make("completed", browser, ada, connected, fans)
    ada.put(f"/api/crm/fans/{fans[0]}", {"doNotMessage": True})
    ada.post(f"/api/campaigns/{campaign}/retry-failed", status=409)
    assert counts(ada, campaign) == {"sent": 1, "failed": 1}
