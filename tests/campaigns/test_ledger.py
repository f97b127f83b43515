"""The ledger of a campaign: found in, taken along, and decided in."""

import csv
import io

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.accounts.auditing import Act
from app.accounts.models import AuditEntry
from app.conversations.models import Message
from app.database import db, write
from tests.campaigns.composer import launch, ledger, post, press, send_all, shown
from tests.people import Person, add_fan


def went(ada: Person, campaign: int, fan_id: int, status: str, reason: str | None) -> None:
    """As the platform's answer to their message left it."""
    with ada.app.app_context(), write() as session:
        theirs = (Message.campaign_id == campaign) & (Message.fan_id == fan_id)
        session.execute(update(Message).where(theirs).values(status=status, status_reason=reason))


@pytest.fixture
def fans(ada: Person) -> dict[str, int]:
    values = {"Zoe": {}, "Zora": {}, "Max": {}, "Mia": {"doNotMessage": True}}
    return {name: add_fan(ada, n, name=name, **more)["id"] for n, (name, more) in enumerate(values.items(), 1)}


@pytest.fixture
def campaign(browser: FlaskClient, ada: Person, fans: dict[str, int]) -> int:
    """Zoe and Zora are unknown, Max has failed, Mia was left out."""
    made = launch(browser, ada, audience="all")
    send_all(ada)
    went(ada, made, fans["Zoe"], "unknown", "No answer came.")
    went(ada, made, fans["Zora"], "unknown", "No answer came.")
    went(ada, made, fans["Max"], "failed", "No such chat.")
    return made


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", {"Zoe", "Zora", "Max", "Mia"}),
        ("reason=No+answer+came.", {"Zoe", "Zora"}),
        ("reason=do_not_message", {"Mia"}),
        ("reason=never+heard+of", set()),
        ("search=zo", {"Zoe", "Zora"}),
        ("search=zo&status=failed", set()),
        ("search=ZOE&status=unknown&reason=No+answer+came.", {"Zoe"}),
        ("status=failed", {"Max"}),
    ],
)
def test_found_by_status_reason_and_fan_and_the_csv_has_the_same(
    browser: FlaskClient, campaign: int, fans: dict[str, int], wanted: str, found: set[str]
):
    for headers in ({}, {"HX-Request": "true"}):
        page = browser.get(f"/campaigns/{campaign}?{wanted}", headers=headers).text
        assert {name for name in fans if f">{name}</a>" in page} == found
        assert ("<html" in page) == (not headers)
    lines = list(csv.DictReader(io.StringIO(browser.get(f"/campaigns/{campaign}/ledger.csv?{wanted}").text)))
    assert {each["Fan"] for each in lines} == found


def test_a_long_csv_is_written_part_by_part_and_has_the_lines_that_the_page_counts(
    browser: FlaskClient, ada: Person, monkeypatch
):
    monkeypatch.setattr("app.campaigns.ledger.AT_ONCE", 3)
    for number in range(1, 12):
        add_fan(ada, number, doNotMessage=number > 3)
    made = launch(browser, ada, audience="all")
    lines = browser.get(f"/campaigns/{made}/ledger.csv?status=skipped").text.splitlines()[1:]
    assert len(lines) == len(set(lines)) == 8
    assert "8 lines as CSV" in browser.get(f"/campaigns/{made}?status=skipped").text


def test_the_reasons_that_occur_are_offered_with_their_number(browser: FlaskClient, campaign: int):
    page = browser.get(f"/campaigns/{campaign}").text
    for option in ("No answer came. (2)", "No such chat. (1)", "must not be messaged (1)"):
        assert f">{option}</option>" in page
    assert "held back" not in page


def test_all_unknown_ones_arrived(browser: FlaskClient, ada: Person, campaign: int, fans: dict[str, int]):
    assert "All of them arrived" in browser.get(f"/campaigns/{campaign}?status=unknown").text
    post(browser, f"/campaigns/{campaign}/settle", outcome="sent")
    metrics = shown(ada, campaign)["metrics"]
    assert (metrics["sent"], metrics["unknown"], metrics["failed"]) == (2, 0, 1)
    assert ledger(ada, campaign)[fans["Zoe"]] == ("sent", None)
    assert settled(ada) == 1
    post(browser, f"/campaigns/{campaign}/settle", outcome="sent")
    assert "Nothing of this campaign is unknown." in browser.get("/fans").text
    assert settled(ada) == 1


def settled(ada: Person) -> int:
    with ada.app.app_context():
        of_hers = (AuditEntry.account_id == ada.account_id) & (AuditEntry.act == Act.CAMPAIGN_SETTLED)
        return len(db.session.scalars(select(AuditEntry).where(of_hers)).all())


def test_none_of_them_did_and_they_go_again(browser: FlaskClient, ada: Person, campaign: int, fans: dict[str, int]):
    post(browser, f"/campaigns/{campaign}/settle", outcome="not_sent")
    assert shown(ada, campaign)["metrics"]["failed"] == 3
    press(browser, campaign, "retry-failed")
    send_all(ada)
    assert shown(ada, campaign)["metrics"]["sent"] == 3
    assert ledger(ada, campaign)[fans["Mia"]] == ("skipped", "do_not_message")


def test_one_of_them_is_decided_in_its_line(browser: FlaskClient, ada: Person, campaign: int, fans: dict[str, int]):
    with ada.app.app_context():
        zoes = db.session.scalars(select(Message.id).where(Message.fan_id == fans["Zoe"])).one()
    path = f"/messages/onlyfans/message/{zoes}/settle"
    assert path in browser.get(f"/campaigns/{campaign}?status=unknown").text
    answer = post(browser, path, outcome="sent", **{"from": "campaign", "search": "zo", "reason": ""})
    assert answer.headers["Location"].endswith(f"/campaigns/{campaign}?status=unknown&search=zo")
    assert ledger(ada, campaign)[fans["Zoe"]] == ("sent", None)
    assert ledger(ada, campaign)[fans["Zora"]][0] == "unknown"


def test_anothers_are_not_to_be_decided(browser: FlaskClient, ada: Person, eve: Person, campaign: int):
    assert post(eve.browser(), f"/campaigns/{campaign}/settle", outcome="sent").status_code == 404
    assert shown(ada, campaign)["metrics"]["unknown"] == 2
