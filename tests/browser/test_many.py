"""Many conversations at once, with hands on the keyboard, and back."""

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.stack import Stack


def test_all_that_match_are_put_off_and_brought_back(ada: Person, stack: Stack, silent_fans):
    page, keys = ada.page, ada.page.keyboard
    for fan in (next(silent_fans), next(silent_fans), next(silent_fans)):
        stack.call("PUT", f"/api/crm/fans/{fan['id']}", json={"tags": ["all at once"]})
        stack.call("POST", "/api/crm/conversations", json={"fanId": fan["id"]})
    page.goto("/messages/onlyfans?tag=all+at+once")
    rows = page.locator("#conversations > li")
    expect(rows).to_have_count(3)
    page.locator("#bulk summary").focus()
    keys.press("Enter")
    keys.press("Tab")
    keys.type("All that match")
    keys.press("Tab")
    keys.type("Snooze until they write")
    ada.tab_to("Do it")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Do it for 3")).to_be_visible()
    ada.tab_to("Do it for 3")
    keys.press("Enter")
    expect(page.get_by_text("3 conversations: snoozed.")).to_be_visible()
    expect(page.get_by_text("Nothing matches.").first).to_be_visible()
    expect(page.get_by_role("button", name="Undo for 3 conversations")).to_be_visible()
    keys.press("z")
    expect(page.get_by_text("As it was before.")).to_be_visible()
    expect(rows).to_have_count(3)
    expect(page.locator("#undo-many")).to_have_count(0)
