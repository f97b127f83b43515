"""Search by keyboard alone, from any page to the very message; back again; and kept under a name."""

import re

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.stack import Stack


def test_from_any_page_by_keys_to_the_message(ada: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    ada.write("The zanzibar photographs are for you")
    expect(ada.message("zanzibar")).to_be_visible()
    page, keys = ada.page, ada.page.keyboard
    page.goto("/campaigns")
    keys.press("Control+k")
    field = page.get_by_role("dialog").get_by_label("Search messages and fans")
    expect(field).to_be_focused()
    keys.type("zanzib")
    row = page.locator("#quick-found .found-link", has_text="photographs")
    expect(row.locator("mark")).to_have_text("zanzibar")
    keys.press("ArrowDown")
    expect(row).to_be_focused()
    keys.press("ArrowUp")
    expect(field).to_be_focused()
    keys.press("ArrowDown")
    keys.type("a")
    expect(field).to_have_value("zanziba")
    keys.press("Escape")
    expect(field).to_be_hidden()
    keys.press("Control+k")
    keys.press("ArrowDown")
    keys.press("Enter")
    found = page.locator(".message.is-found")
    expect(found).to_contain_text("zanzibar photographs")
    expect(found).to_be_in_viewport()
    page.go_back()
    expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()


def test_the_address_is_the_search_and_the_way_back_works(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.write("Something about kangaroos")
    expect(ada.message("kangaroos")).to_be_visible()
    page, keys = ada.page, ada.page.keyboard
    page.goto("/fans")
    keys.press("Control+k")
    keys.type("from:us kangaroo form:fan")
    keys.press("Enter")
    expect(page).to_have_url(re.compile(r"/messages/onlyfans/search\?q=from%3Aus\+kangaroo\+form%3Afan$"))
    expect(page.get_by_text("“form:” is not known here")).to_be_visible()
    page.get_by_role("link", name="kangaroos").click()
    expect(page.locator(".message.is-found")).to_be_in_viewport()
    page.go_back()
    expect(page.locator("#q")).to_have_value("from:us kangaroo form:fan")
    expect(page.locator("#found mark")).to_have_text("kangaroos")


def test_a_view_is_saved_chosen_renamed_and_deleted(ada: Person):
    page = ada.page
    page.goto("/messages/onlyfans")
    page.get_by_label("Order").select_option("spend")
    page.get_by_role("link", name="Save this view").click()
    page.get_by_label("Name", exact=True).fill("Spenders")
    page.get_by_role("button", name="Save").click()
    chosen = page.get_by_role("navigation", name="Saved views").get_by_role("link", name="Spenders")
    expect(chosen).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Edit views").click()
    page.get_by_label("Name of Spenders").fill("Top spenders")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_text("Renamed.")).to_be_visible()
    page.get_by_role("button", name="Delete Top spenders").click()
    expect(page.get_by_text("No saved views yet")).to_be_visible()


def test_without_javascript_the_sidebar_leads_to_the_same_search(visit, fan: dict):
    page = visit("ada", java_script_enabled=False).page
    page.goto("/campaigns")
    page.locator("#search-link").click()
    page.locator("#q").fill(fan["name"])
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("region", name="Fans").get_by_text(fan["handle"])).to_be_visible()
