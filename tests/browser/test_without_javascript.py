"""Every form is a plain form."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from app.config import DEMO
from tests.browser.person import Person


def test_the_whole_road_by_plain_forms(visit: Callable[..., Person], tmp_path):
    ada = visit(java_script_enabled=False)
    page = ada.page
    ada.sign_in(**DEMO)

    page.get_by_role("link", name="Fans").click()
    page.get_by_label("Search fans").fill("tess_chess")
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".count")).to_have_text("1 fan found")

    page.get_by_role("link", name="Add a fan").click()
    page.get_by_label("Name").fill("Plain Petra")
    page.get_by_label("Handle").fill("plain_petra")
    page.get_by_label("Platform id").fill("100000299")
    page.get_by_role("button", name="Add fan").click()
    expect(page.get_by_role("alert").or_(page.locator(".field-error"))).not_to_have_count(0)  # that fan is known
    page.get_by_label("Platform id").fill("")
    page.get_by_role("button", name="Add fan").click()
    expect(page.get_by_role("heading", name="Plain Petra")).to_be_visible()

    page.goto("/fans?search=forest_vinyl")
    page.get_by_role("link", name="Taylor Yılmaz").click()
    page.get_by_role("button", name="Open conversation").click()
    page.get_by_label("Message", exact=True).fill("By a plain form")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#messages > .message", has_text="By a plain form")).to_have_count(1)
    page.get_by_label("Message", exact=True).fill("A price alone")
    page.get_by_label("Price in dollars").fill("5")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Message", exact=True)).to_have_value("A price alone")
    ada.expects("status of 400")

    file = tmp_path / "plain.csv"
    file.write_text("Username,Display Name\nplain_paul,Plain Paul\n")
    page.get_by_role("link", name="Imports").click()
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload", exact=True).click()
    page.get_by_role("button", name="Rehearse").click()
    page.wait_for_url(re.compile(r"/imports/\d+$"))
    page.get_by_role("button", name="Apply 1 row").click()  # the page asks anew by itself
    expect(page.locator("#import .state").first).to_contain_text("Completed")
    page.get_by_text("Undo", exact=True).click()
    page.get_by_role("button", name="Undo the whole import").click()
    expect(page.locator("#import .state").first).to_contain_text("Undone")

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/fans")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
