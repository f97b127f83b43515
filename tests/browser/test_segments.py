"""A segment by keyboard alone, with the number that follows each key; the focus stays where it is."""

import re

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.stack import Stack


def test_a_rule_is_built_by_keyboard_and_counted_as_it_grows(ada: Person, stack: Stack):
    page, keys = ada.page, ada.page.keyboard
    stack.tag_fans(range(260, 265), "Quintet")
    page.goto("/segments")
    ada.begin_rule("The five", "quintet")
    found = page.locator("#found .figure")
    expect(found).to_have_text("5 fans")
    expect(page.locator("#line-0-0-value")).to_be_focused()
    expect(page.locator("#line-0-0-value")).to_have_value("quintet")
    ada.tab_to("Add a group")
    keys.press("Enter")
    expect(page.locator("#line-1-0-field")).to_be_visible()
    page.locator("#line-1-0-field").focus()
    keys.type("Spent")
    expect(page.locator("#line-1-0-kind")).to_be_visible()
    ada.tab_to("Amount in dollars")
    keys.type("abc")
    expect(page.get_by_text("Enter an amount in dollars, 0 or more.")).to_be_visible()
    keys.press("Control+A")
    keys.type("0")
    expect(found).to_have_text("5 fans")
    ada.tab_to("Save the segment")
    keys.press("Enter")
    expect(page.get_by_text("The five was saved.")).to_be_visible()
    expect(page).to_have_url(re.compile("/segments$"))
    row = page.locator(".segment-list > li", has_text="The five")
    expect(row.locator(".segment-count")).to_have_text("5 fans")
    page.get_by_role("link", name="The five").click()
    page.get_by_text("Delete this segment").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("The five was deleted.")).to_be_visible()
