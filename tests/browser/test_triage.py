"""Conversations put off, filtered and changed many at once, by keyboard and by plain forms."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.stack import Stack

HOURS = "09:30"


def soon() -> str:
    return f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}T{HOURS}"


def test_put_off_until_a_time_of_ones_own_by_keyboard(ada: Person, fan: dict):
    ada.open_conversation(fan)
    page, keys = ada.page, ada.page.keyboard
    ada.composer.fill("Just begun")
    page.wait_for_timeout(1_000)  # the draft is kept
    field = page.locator("#until")
    page.get_by_label("Snooze", exact=True).focus()
    keys.press("Enter")
    field.fill("2020-01-01T09:00")
    field.focus()
    ada.expects("status of 400")
    keys.press("Enter")
    expect(page.locator("#until-error")).to_contain_text("a time to come")
    expect(field).to_be_focused()
    expect(field).to_have_value("2020-01-01T09:00")
    expect(page).to_have_url(re.compile(r"/messages/onlyfans/\d+$"))
    expect(ada.composer).to_have_value("Just begun")
    expect(page.get_by_label(re.compile("^Until, by"))).to_be_focused()
    field.fill(soon())
    ada.tab_to("Snooze until then")
    keys.press("Enter")
    expect(page.get_by_text("Snoozed. Back by itself")).to_be_visible()
    expect(page.get_by_role("button", name="Back to the inbox")).to_be_visible()
    page.goto(f"/messages/onlyfans?view=snoozed&search={fan['handle'].lstrip('@')}")
    expect(page.get_by_title(re.compile(rf"Snoozed until .*{HOURS}"))).to_be_visible()


def test_put_off_until_a_time_of_ones_own_by_plain_forms(visit: Callable[..., Person], fan: dict):
    ada = visit("ada", java_script_enabled=False)
    ada.open_conversation(fan)
    page = ada.page
    page.locator("summary[aria-label=Snooze]").click()
    page.locator("#until").fill(soon())
    page.locator("#until").press("Enter")  # not the first button of the header, which assigns
    expect(page.get_by_text("Snoozed. Back by itself")).to_be_visible()
    expect(page.get_by_title("Who answers")).to_have_text("Assign")


def test_enter_in_the_time_of_an_answer_for_later_sends_nothing_now(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.composer.fill("Not before next week")
    ada.page.get_by_label("Send later").click()
    ada.page.get_by_label(re.compile("^At, by")).fill(soon())
    ada.page.get_by_label(re.compile("^At, by")).press("Enter")
    expect(ada.page.locator("#messages > .later")).to_contain_text("Not before next week")
    assert ada.texts() == []


def test_filters_of_different_kinds_join_and_are_saved_together(ada: Person, stack: Stack, silent_fans):
    both, read = next(silent_fans), next(silent_fans)
    page, keys = ada.page, ada.page.keyboard
    for fan in (both, read):
        stack.call("PUT", f"/api/crm/fans/{fan['id']}", json={"tags": ["joined"]})
        stack.sandbox.fan("say", fan["platformFanId"], text="Hello")
        ada.open_conversation(fan)
        ada.read("Hello")
        page.get_by_title("Who answers").click()
        page.get_by_role("button", name=re.compile(r"\(you\)")).click()
        expect(page.get_by_text("Assigned.")).to_be_visible()
    stack.sandbox.fan("say", both["platformFanId"], text="Are you there?")
    page.goto("/messages/onlyfans?tag=joined")
    expect(ada.badge()).to_have_text("Live")
    rows = page.locator("#conversations > li:not([hidden])")
    expect(rows).to_have_count(2)
    page.get_by_label("Whose").focus()
    keys.type("M")
    ada.tab_to("Unread")
    keys.press("Space")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(both["name"])
    expect(page).to_have_url(re.compile(r"\?tag=joined&view=mine\+unread$"))

    stack.sandbox.fan("say", read["platformFanId"], text="Me too")
    expect(rows).to_have_count(2)  # a list of joined filters follows
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name").fill("Mine, unread, joined")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"\?.*view=mine[+]unread"))
    here = page.get_by_role("link", name="Mine, unread, joined")
    expect(here).to_have_attribute("aria-current", "page")
    expect(page.get_by_label("Unread", exact=True)).to_be_checked()
    expect(page.get_by_label("Whose")).to_have_value("mine")
    page.get_by_label("Unread", exact=True).focus()
    keys.press("Space")
    expect(page).to_have_url(re.compile(r"view=mine(&|$)"))
    expect(page.locator(".saved-view[aria-current]")).to_have_count(0)
    keys.press("Space")
    expect(here).to_have_attribute("aria-current", "page")
    page.goto("/messages/onlyfans")
    here.click()
    expect(rows).to_have_count(2)
    expect(page.locator(".inbox")).to_have_count(1)
    expect(page.get_by_label("Unread", exact=True)).to_be_checked()


def test_filters_join_by_plain_forms(visit: Callable[..., Person]):
    ada = visit("ada", java_script_enabled=False)
    page = ada.page
    page.goto("/messages/onlyfans?view=unread")  # as links and saved views have said it until now
    expect(page.get_by_label("Unread", exact=True)).to_be_checked()
    page.get_by_label("Whose").select_option("mine")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Unread", exact=True)).to_be_checked()
    expect(page.get_by_label("Whose")).to_have_value("mine")
    expect(page.get_by_role("link", name="Save this view")).to_have_attribute(
        "href", re.compile(r"\?view=mine\+unread")
    )
