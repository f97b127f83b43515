"""What holds for every page."""

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.browser.ways import LONG, Place
from tests.servers import wait_until

PHONE = {"width": 390, "height": 844}
PATHS = (
    "/messages/onlyfans",
    "/messages/onlyfans/{conversation}",
    "/messages/onlyfans/{conversation}/media",
    "/messages/onlyfans/message/{message}",
    "/messages/onlyfans/search?q=unbroken",
    "/messages/onlyfans/views",
    "/messages/onlyfans/views/new",
    "/messages/onlyfans/failed",
    "/fans",
    "/fans?search=nobody+at+all",
    "/fans/new",
    "/fans/{fan}",
    "/fans/{fan}/timeline",
    "/fans/{fan}/erase",
    "/segments",
    "/segments/new?ready=never-bought",
    "/segments/{segment}",
    "/imports",
    "/imports/{import_}",
    "/campaigns",
    "/campaigns/new",
    "/campaigns/{campaign}",
    "/platforms/onlyfans/analytics",
    "/platforms/onlyfans/analytics/statement",
    "/platforms/onlyfans/analytics/sold",
    "/platforms/onlyfans/analytics/payments/{payment}",
    "/platforms/onlyfans/analytics/rows?report=transactions",
    "/platforms/onlyfans/analytics/rows?report=fans&which=new",
    "/platforms/onlyfans/analytics/rows?report=messages&which=out",
    "/platforms/onlyfans/analytics/rows?report=campaigns",
    "/platforms/connect/onlyfans",
    "/settings/replies",
    "/settings/replies/new",
    "/settings/replies?search=nothing+at+all",
    "/messages/onlyfans/{conversation}/replies",
    "/settings/me",
    "/settings/me/two-step",
    "/settings/people",
    "/settings/audit",
    "/system",
    "/settings/leave",
    "/api/docs",
)


@pytest.fixture(scope="session")
def paths(stack: Stack, silent_fans) -> list[str]:
    """Every main page, with long words where people may put some."""
    fan = next(silent_fans)
    values = {"name": LONG[:200], "notes": LONG, "tags": [LONG[:60], "short"]}
    stack.call("PUT", f"/api/crm/fans/{fan['id']}", json=values)
    conversation = stack.call("POST", "/api/crm/conversations", json={"fanId": fan["id"]})["id"]
    message = stack.call("POST", f"/api/crm/conversations/{conversation}/messages", json={"text": LONG})["id"]
    rule = {"match": "all", "rules": [{"field": "name", "op": "contains", "value": LONG[:200]}]}
    segment = stack.call("POST", "/api/segments", json={"name": f"{LONG[:80]}{fan['id']}", "rule": rule})["id"]
    sent = stack.call("POST", "/api/messages/bulk", json={"recipientIds": [fan["id"]], "content": LONG})
    known = {"campaign": sent["campaignId"], "import_": brought(stack, f"Username,Email\n{LONG[:90]},{LONG}\n")}
    brought(stack, f"Transaction ID,Date,Type,Amount,Username\n{LONG[:60]},2023-01-02,Tip,5.00,{LONG[:90]}\n")
    known |= {"payment": 1, "conversation": conversation, "fan": fan["id"], "message": message, "segment": segment}
    return [path.format(**known) for path in PATHS]


def brought(stack: Stack, content: str) -> int:
    """A file of a long name. Returns the import's id."""
    file = {"file": (f"{LONG[:100]}.csv", content.encode(), "text/csv")}
    made = stack.call("POST", "/api/onlyfans/import/csv", files=file)["importId"]
    wait_until(lambda: stack.call("GET", f"/api/onlyfans/import/{made}")["status"] == "completed", 60)
    return made


def test_no_page_is_wider_than_a_phone_and_each_has_a_title(visit: Callable[..., Person], paths: list[str]):
    ada = visit("ada", viewport=PHONE)
    ada.expects("status of 404")
    assert [wide for path in [*paths, "/no/such/page"] for wide in too_wide_at(ada, path)] == []


def test_nor_is_one_that_is_come_to_through_others(visit: Callable[..., Person], come_to: list[Place]):
    people = {name: visit(name, viewport=PHONE) for name, _ in come_to}
    assert [wide for name, path in come_to for wide in too_wide_at(people[name], path)] == []


def too_wide_at(person: Person, path: str) -> list[tuple[str, str, int]]:
    """In which theme, and by how many pixels. Its title is looked at too."""
    go(person, path)
    page = person.page
    assert page.title().endswith(" · Greenroom"), path
    assert not page.title().startswith(" "), path
    wide = []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
        wide.append((theme, path, too_wide(person)))
    return [each for each in wide if each[2]]


def go(person: Person, path: str) -> None:
    """To that page and no other."""
    person.page.goto(path)
    assert urlsplit(person.page.url).path == urlsplit(path).path, "it led on"


def too_wide(person: Person) -> int:
    """By how many pixels the page can be pushed sideways."""
    return person.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def test_the_menu_opens_and_closes_on_a_phone(visit: Callable[..., Person]):
    ada = visit("ada", viewport=PHONE)
    ada.page.goto("/fans")
    link = ada.page.get_by_role("link", name="Campaigns")
    expect(link).to_be_hidden()
    ada.page.get_by_role("button", name="Menu").click()
    link.click()
    expect(ada.page.get_by_role("heading", name="Campaigns")).to_be_visible()
    expect(link).to_be_hidden()


def test_files_of_others_come_from_the_cdn_with_their_hashes(visit: Callable[..., Person]):
    ada = visit("ada")
    ada.page.goto("/messages/onlyfans")
    expect(ada.badge()).to_have_text("Live")
    assert len(ada.taken_from_cdn) == 3
    assert ada.page.locator("[data-local][integrity^='sha384-']").count() == 3


def test_where_the_cdn_is_refused_the_page_is_styled_and_alive(visit: Callable[..., Person], fan: dict):
    ada = visit("ada", cdn=False)
    ada.expects(r"ERR_FAILED")
    ada.open_conversation(fan)
    expect(ada.badge()).to_have_text("Live")
    expect(ada.page.get_by_role("button", name="Send", exact=True)).to_have_css("background-color", "rgb(11, 115, 80)")
    ada.mark()
    ada.write("Without the CDN")
    expect(ada.message("Without the CDN")).to_have_attribute("data-status", SENT)
    assert not ada.was_reloaded()
