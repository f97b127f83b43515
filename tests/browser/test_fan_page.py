"""A fan's own page."""

from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.stack import Stack


def test_saving_a_fan_unchanged_changes_nothing(ada: Person, stack: Stack, fan: dict):
    stack.call("PUT", f"/api/crm/fans/{fan['id']}", json={"tags": ["Early bird", "Lisbon"], "notes": "Likes maps."})
    before = stack.fan(fan["id"])
    ada.page.goto(f"/fans/{fan['id']}")
    expect(ada.page.get_by_label("Tags")).to_have_value("Early bird, Lisbon")
    ada.page.get_by_role("button", name="Save").click()
    expect(ada.page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    after = stack.fan(fan["id"])
    assert after | {"updatedAt": ""} == before | {"updatedAt": ""}


def test_search_as_you_type_and_by_tag(ada: Person, stack: Stack, fan: dict):
    stack.call("PUT", f"/api/crm/fans/{fan['id']}", json={"tags": ["Only one"]})
    ada.page.goto("/fans")
    ada.mark()
    ada.page.get_by_label("Tag").select_option("Only one")
    expect(ada.page.locator(".count")).to_have_text("1 fan found")
    ada.page.get_by_label("Search fans").press_sequentially(fan["handle"])
    expect(ada.page.get_by_role("link", name=fan["name"])).to_be_visible()
    ada.page.get_by_label("Search fans").press_sequentially(" no such")
    expect(ada.page.get_by_text("Nobody found")).to_be_visible()
    assert not ada.was_reloaded()
