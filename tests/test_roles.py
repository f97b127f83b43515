"""What each role may do, as the one table says it: on pages, in the API, in what pages offer."""

import pytest
from sqlalchemy import update

from app.accounts.models import Membership
from app.accounts.roles import BLUEPRINTS, ENDPOINTS, RIGHTS, Right, Role, needed
from app.database import execute, write
from tests.people import Person, add_fan, connect, make_person

STAFF = {  # role: (the places it sees in the sidebar, where it lands)
    Role.OWNER: (
        "Search Inbox Fans Imports Campaigns Analytics Connection Quick-replies System People Audit-log Export-account",
        "/messages/onlyfans",
    ),
    Role.MANAGER: ("Search Inbox Fans Imports Campaigns Analytics Connection Quick-replies", "/messages/onlyfans"),
    Role.CHATTER: ("Search Inbox Fans Quick-replies", "/messages/onlyfans"),
    Role.UPLOADER: ("Imports", "/imports"),
    Role.VIEWER: ("Search Inbox Fans Imports Campaigns Analytics Connection Quick-replies", "/messages/onlyfans"),
}


def places_on(page: str) -> str:
    """The labels of the sidebar's links."""
    links = page.split('<a class="place"')[1:]
    labels = [link.partition("<span>")[2].partition("</span>")[0].replace(" ", "-") for link in links]
    return " ".join(labels)


@pytest.mark.parametrize("role", Role)
def test_each_role_lands_on_its_first_place_and_sees_just_its_own(app, ada: Person, role: Role):
    person = make_person(app, "staff@example.com", "Ada's account", role=role)
    browser = person.browser()
    places, first = STAFF[role]
    assert browser.get("/").headers["Location"] == first
    assert places_on(browser.get(first).text) == places


def test_a_chatter_answers_and_changes_fans_but_takes_nothing_away(app, ada: Person, sandbox):
    connect(ada, sandbox.url)
    fan = add_fan(ada, 1)
    thread = ada.post("/api/crm/conversations", {"fanId": fan["id"]})["id"]
    carl = make_person(app, "carl@example.com", "Ada's account", role="chatter")
    carl.post(f"/api/crm/conversations/{thread}/messages", {"text": "hello"}, 202)
    carl.put(f"/api/crm/fans/{fan['id']}", {"notes": "likes cats"})
    assert carl.call("DELETE", f"/api/crm/fans/{fan['id']}").status_code == 403
    bulk = {"recipientIds": [fan["id"]], "content": "x"}
    assert carl.call("POST", "/api/messages/bulk", json=bulk).status_code == 403
    browser = carl.browser()
    page = browser.get(f"/fans/{fan['id']}").text
    assert "Delete this fan" not in page
    assert "Download as CSV" not in browser.get("/fans").text
    assert browser.get("/fans.csv").status_code == 403


def test_a_viewer_reads_threads_and_leaves_them_unread(app, ada: Person, sandbox):
    connect(ada, sandbox.url)
    thread = ada.post("/api/crm/conversations", {"fanId": add_fan(ada, 1)["id"]})["id"]
    browser = ada.browser()
    token = browser.get("/fans/new").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    browser.post(f"/messages/onlyfans/{thread}/triage", data={"csrf_token": token, "do": "unread"})
    vera = make_person(app, "vera@example.com", "Ada's account", role="viewer")
    page = vera.browser().get(f"/messages/onlyfans/{thread}").text
    assert 'id="composer"' not in page
    assert 'class="triage"' not in page
    assert vera.get("/api/crm/conversations")["conversations"][0]["unreadCount"] == 1


def test_a_form_that_somebody_cannot_save_is_there_to_be_read(app, ada: Person):
    fan = add_fan(ada, 1)["id"]
    vera = make_person(app, "vera@example.com", "Ada's account", role="viewer")
    assert "<fieldset disabled>" in vera.browser().get(f"/fans/{fan}").text
    assert "<fieldset>" in ada.browser().get(f"/fans/{fan}").text


def test_what_a_role_lacks_is_said_in_plain_words(app, ada: Person):
    una = make_person(app, "una@example.com", "Ada's account", role="uploader")
    refused = una.call("GET", "/api/crm/fans")
    assert refused.status_code == 403
    assert refused.mimetype == "application/problem+json"
    assert refused.json["detail"] == "You are an uploader here, and may not see fans. Ask an owner."
    page = una.browser().get("/fans")
    assert page.status_code == 403
    assert "You are an uploader here, and may not see fans." in page.text


def test_a_role_that_the_table_does_not_know_may_nothing(app, ada: Person):
    with app.app_context(), write():
        execute(update(Membership).values(role="emperor"))
    assert ada.call("GET", "/api/crm/fans").status_code == 403


def test_every_address_has_a_right_or_is_open(app):
    named = set()
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if rule.endpoint == "static" or rule.endpoint.startswith("openapi.") or getattr(view, "open_to_all", False):
            continue
        assert rule.endpoint in ENDPOINTS or rule.endpoint.partition(".")[0] in BLUEPRINTS, rule.endpoint
        named.add(rule.endpoint)
    assert set(ENDPOINTS) <= named, "the table names what is not there"
    assert needed("nowhere.index", changes=False) == Right.ACCOUNT


def test_only_owners_manage_and_every_role_has_a_line():
    assert set(RIGHTS) == set(Role)
    assert [role for role in Role if Right.ACCOUNT in RIGHTS[role]] == [Role.OWNER]
    changing = {Right.ANSWER, Right.CHANGE_FANS, Right.DELETE_FANS, Right.IMPORT, Right.CAMPAIGNS, Right.CONNECTION}
    assert not RIGHTS[Role.VIEWER] & changing
