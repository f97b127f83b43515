"""Conversations put off, filtered and changed many at once, by keyboard and by plain forms."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from playwright.sync_api import expect

from tests.browser.person import Person

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
    expect(page.get_by_text("Snoozed. It comes back by itself")).to_be_visible()
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
    expect(page.get_by_text("Snoozed. It comes back by itself")).to_be_visible()
    expect(page.get_by_title("Who answers")).to_have_text("Assign")


def test_enter_in_the_time_of_an_answer_for_later_sends_nothing_now(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.composer.fill("Not before next week")
    ada.page.get_by_label("Send later").click()
    ada.page.get_by_label(re.compile("^At, by")).fill(soon())
    ada.page.get_by_label(re.compile("^At, by")).press("Enter")
    expect(ada.page.locator("#messages > .later")).to_contain_text("Not before next week")
    assert ada.texts() == []
