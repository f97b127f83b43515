"""Whom a draft is for stays what was chosen: what is no longer there is nobody and says so, never all fans."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from app.campaigns.models import Campaign
from app.database import db
from tests.campaigns.composer import SEEN, key_of, launch, ledger, newest, post, shown, sweep_once
from tests.campaigns.test_automatic import look_again, subscribe
from tests.people import Person, add_fan

GONE = "This audience is no longer there. Choose another."


def chosen_in(page: str) -> str:
    """What the browser would send."""
    audience = page.partition('name="audience"')[2].partition("</select>")[0]
    return audience.partition("<option selected value=")[2].partition(">")[0].strip('"')


def make_segment(ada: Person) -> int:
    rule = {"match": "all", "rules": [{"field": "name", "op": "contains", "value": "Fan"}]}
    return ada.post("/api/segments", {"name": "S", "rule": rule})["id"]


def draft(browser: FlaskClient, ada: Person, audience: str) -> tuple[int, dict[str, Any]]:
    """The draft, and what its page sends."""
    post(browser, do="draft", key="a" * 32, audience=audience)
    campaign = newest(ada)["id"]
    page = browser.get(f"/campaigns/{campaign}/edit").text
    return campaign, {"key": key_of(page), "audience": chosen_in(page)}


def aim_of(ada: Person, campaign: int) -> str:
    with ada.app.app_context():
        return db.session.get_one(Campaign, campaign).aim


def test_a_tag_is_found_in_whatever_spelling(browser: FlaskClient, ada: Person):
    one, other = add_fan(ada, 1, tags=["VIP"]), add_fan(ada, 2, tags=["vip"])
    add_fan(ada, 3)
    campaign, _ = draft(browser, ada, "tag:VIP")
    ada.put(f"/api/crm/fans/{one['id']}", {"tags": []})
    page = browser.get(f"/campaigns/{campaign}/edit").text
    assert chosen_in(page) == "tag:VIP"
    assert page.count(">Tagged ") == 1, "offered once, whatever the spelling"
    answer = post(browser, "/campaigns/outlook", key=key_of(page), audience=chosen_in(page))
    assert SEEN.findall(answer.text) == ["1"]
    assert aim_of(ada, campaign) == "tag:VIP"
    assert ledger(ada, launch(browser, ada, key=key_of(page), audience="tag:VIP")).keys() == {other["id"]}


def test_a_tag_is_found_where_there_are_more_than_are_offered(browser: FlaskClient, ada: Person):
    for number in range(5):
        add_fan(ada, number, tags=[f"t{number}-{each}" for each in range(50)])
    campaign, said = draft(browser, ada, "tag:t4-49")
    assert said["audience"] == "tag:t4-49"
    assert SEEN.findall(post(browser, "/campaigns/outlook", **said).text) == ["1"]
    assert aim_of(ada, campaign) == "tag:t4-49"


def test_a_tag_that_nobody_has_any_more_stays_chosen(browser: FlaskClient, ada: Person):
    fan = add_fan(ada, 1, tags=["VIP"])
    add_fan(ada, 2)
    campaign, said = draft(browser, ada, "tag:VIP")
    ada.put(f"/api/crm/fans/{fan['id']}", {"tags": []})
    assert chosen_in(browser.get(f"/campaigns/{campaign}/edit").text) == "tag:VIP"
    assert SEEN.findall(post(browser, "/campaigns/outlook", **said).text) == ["0"]
    assert post(browser, **said).status_code == 400
    assert newest(ada)["status"] == "draft"


def test_a_deleted_segment_stays_chosen_goes_to_nobody_and_says_so(browser: FlaskClient, ada: Person):
    add_fan(ada)
    segment = make_segment(ada)
    campaign, said = draft(browser, ada, f"segment:{segment}")
    ada.call("DELETE", f"/api/segments/{segment}")
    page = browser.get(f"/campaigns/{campaign}/edit").text
    assert chosen_in(page) == f"segment:{segment}"
    assert "A segment that is no longer there" in page
    assert GONE in page.partition('id="audience-error"')[2].partition("</div>")[0]
    answer = post(browser, "/campaigns/outlook", **said)
    assert SEEN.findall(answer.text) == ["0"]
    assert GONE in answer.text
    assert aim_of(ada, campaign) == f"segment:{segment}"
    assert "Nobody is left" in browser.get(f"/campaigns/{campaign}/considered").text
    for when in ({}, {"when": "later", "send_time": "2099-01-01T10:00"}, {"when": "subscription"}):
        refused = post(browser, **said | when)
        assert refused.status_code == 400
        assert GONE in refused.text
    assert newest(ada)["status"] == "draft"
    assert aim_of(ada, campaign) == f"segment:{segment}"


@pytest.mark.parametrize("key", ["segment:9", "ready:of-before", "segment:x", "tag:", "tag:" + "x" * 501, "?", "ALL"])
def test_what_is_not_there_is_nobody(browser: FlaskClient, ada: Person, key: str):
    add_fan(ada)
    assert SEEN.findall(browser.get("/campaigns/new", query_string={"audience": key}).text) == ["0"]
    answer = post(browser, audience=key)
    assert answer.status_code == 400
    assert newest(ada)["status"] == "draft"


def test_another_account_s_segment_is_not_there(browser: FlaskClient, ada: Person, eve: Person):
    add_fan(ada)
    theirs = make_segment(eve)
    assert GONE in post(browser, audience=f"segment:{theirs}").text


def test_another_like_one_to_fans_chosen_one_by_one_asks_for_whom(browser: FlaskClient, ada: Person):
    fan = add_fan(ada)
    ada.post("/api/messages/bulk", {"recipientIds": [fan["id"]], "content": "Hi"}, 202)
    page = browser.get("/campaigns/new", query_string={"like": newest(ada)["id"]}).text
    assert "Choose who gets it." in page
    assert SEEN.findall(page) == ["0"]


def test_an_automatic_one_whose_segment_was_deleted_says_that_it_writes_to_nobody(browser: FlaskClient, ada: Person):
    fan, segment = add_fan(ada)["id"], make_segment(ada)
    campaign = launch(browser, ada, audience=f"segment:{segment}", when="subscription")
    sweep_once(ada)
    assert "writes to nobody" not in browser.get(f"/campaigns/{campaign}").text
    ada.call("DELETE", f"/api/segments/{segment}")
    subscribe(ada, fan)
    look_again(ada)
    assert ledger(ada, campaign) == {}
    assert shown(ada, campaign)["status"] == "active"
    assert "Its audience is no longer there: it writes to nobody." in browser.get(f"/campaigns/{campaign}").text
