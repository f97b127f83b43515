"""Who would get a campaign, and who would not and why, looked at from the composer; and back to the draft as it was."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Person
from tests.browser.stack import Stack
from tests.browser.test_accessibility import THEMES, faults
from tests.browser.test_pages import PHONE, too_wide
from tests.servers import wait_until

FANS, UNWANTED = range(821, 827), 826
REASON = "must not be messaged"
TEXT = "Hello to five"
GUARD = "Leave out who saw or bought one of the files"


@pytest.fixture(scope="module", autouse=True)
def names(stack: Stack) -> set[str]:
    """Of those who would get it; one more must not be messaged."""
    stack.tag_fans(FANS, "Considered")
    stack.call("PUT", f"/api/crm/fans/{UNWANTED}", json={"doNotMessage": True})
    return {stack.fan(number)["name"] for number in FANS if number != UNWANTED}


def write_draft(person: Person, name: str) -> Page:
    page = person.page
    page.goto("/campaigns/new")
    page.get_by_label("Name").fill(name)
    page.get_by_label(GUARD).check()
    page.get_by_label("Who gets it").select_option(label="Tagged Considered")
    page.get_by_label("Message", exact=True).fill(TEXT)
    if not person.has_script:
        page.get_by_role("button", name="See who gets it").click()
    is_looked_at(page)
    return page


def is_looked_at(page: Page) -> None:
    """And so it is kept."""
    expect(page.locator("#outlook .example").first).to_contain_text(TEXT)
    expect(page.locator("#outlook .figure")).to_have_text("5 fans")


def is_as_it_was(page: Page, name: str) -> None:
    expect(page.get_by_label("Name")).to_have_value(name)
    expect(page.get_by_label(GUARD)).to_be_checked()
    expect(page.get_by_label("Who gets it")).to_have_value("tag:Considered")
    expect(page.get_by_label("Message", exact=True)).to_have_value(TEXT)
    is_looked_at(page)


def lists(page: Page, names: set[str]) -> None:
    expect(page.locator("tbody .row-link")).to_have_count(len(names))
    assert set(page.locator("tbody .row-link").all_inner_texts()) == names


def is_at(page: Page, view: str) -> None:
    expect(page.get_by_role("navigation", name="Filter").locator("[aria-current]")).to_have_text(view)


def test_who_gets_it_and_who_does_not_and_back_by_the_browser(ada: Person, stack: Stack, names: set[str]):
    page = write_draft(ada, "Looked at first")
    page.get_by_role("button", name="See who", exact=True).click()
    expect(page.get_by_role("heading", name="Who gets Looked at first")).to_be_visible()
    is_at(page, "Would get it 5")
    lists(page, names)
    page.go_back()
    is_as_it_was(page, "Looked at first")
    page.get_by_role("button", name=REASON).click()
    is_at(page, f"Not: {REASON} 1")
    lists(page, {stack.fan(UNWANTED)["name"]})
    page.go_back()
    is_as_it_was(page, "Looked at first")


def test_back_by_the_link_and_what_is_typed_then_is_kept(ada: Person):
    page = write_draft(ada, "There and back")
    page.get_by_role("button", name=REASON).click()
    page.get_by_role("link", name="Would get it").click()
    page.get_by_role("link", name="Back to the campaign").click()
    is_as_it_was(page, "There and back")
    page.get_by_label("Message", exact=True).fill("Hello again")
    expect(page.locator("#outlook .example").first).to_contain_text("Hello again")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_what_is_typed_right_before_is_kept(ada: Person):
    page = write_draft(ada, "In haste")
    page.get_by_label("Message", exact=True).fill("Typed last")
    page.get_by_role("button", name="See who", exact=True).click()
    expect(page.get_by_role("heading", name="Who gets In haste")).to_be_visible()
    page.get_by_role("link", name="Back to the campaign").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Typed last")
    page.wait_for_load_state()  # the field is there before its script is
    draft = page.url
    page.get_by_label("Message", exact=True).fill("Typed at the very last")
    page.get_by_role("link", name="Fans").first.click()
    expect(page.get_by_role("heading", name="Fans")).to_be_visible()
    wait_until(
        lambda: page.goto(draft) and page.get_by_label("Message", exact=True).input_value() == "Typed at the very last",
        30,
    )


def test_what_is_typed_after_the_browsers_back_is_kept(ada: Person):
    page = write_draft(ada, "Back and on")
    page.get_by_role("button", name="See who", exact=True).click()
    expect(page.get_by_role("heading", name="Who gets")).to_be_visible()
    page.go_back()
    is_as_it_was(page, "Back and on")
    page.get_by_label("Message", exact=True).fill("Hello again")
    expect(page.locator("#outlook .example").first).to_contain_text("Hello again")
    expect(page.get_by_text("Kept as a draft")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_by_keyboard(ada: Person, stack: Stack, names: set[str]):
    page, keys = ada.page, ada.page.keyboard
    page.goto("/campaigns/new")
    expect(page.get_by_label("Name")).to_be_focused()
    keys.type("By keys")
    ada.tab_to("Who gets it")
    keys.type("Tagged Considered")
    ada.tab_to("Message")
    keys.type(TEXT)
    ada.tab_to(GUARD)
    keys.press("Space")
    is_looked_at(page)
    ada.tab_to("See who")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Who gets By keys")).to_be_visible()
    lists(page, names)
    ada.tab_to(f"Not: {REASON}")
    keys.press("Enter")
    is_at(page, f"Not: {REASON} 1")
    lists(page, {stack.fan(UNWANTED)["name"]})
    ada.tab_to("Back to the campaign")
    keys.press("Enter")
    is_as_it_was(page, "By keys")


def test_without_javascript(visit: Callable[..., Person], stack: Stack, names: set[str]):
    page = write_draft(visit("ada", java_script_enabled=False), "By forms, looked at")
    page.get_by_role("button", name="See who", exact=True).click()
    lists(page, names)
    page.get_by_role("link", name=f"Not: {REASON}").click()
    lists(page, {stack.fan(UNWANTED)["name"]})
    page.get_by_role("link", name="Back to the campaign").click()
    is_as_it_was(page, "By forms, looked at")


def test_a_scheduled_one_is_looked_at_from_its_page(ada: Person, names: set[str]):
    page = write_draft(ada, "Scheduled, looked at")
    page.get_by_label("At a time").check()
    page.get_by_label("Send at").fill("2040-05-01T12:00")
    page.get_by_role("button", name="Schedule").click()
    page.get_by_role("link", name="See who would get it now").click()
    lists(page, names)
    page.get_by_role("link", name="Back to the campaign").click()
    expect(page.get_by_role("heading", name="Scheduled, looked at")).to_be_visible()
    page.locator("#progress summary", has_text="Cancel").click()
    page.get_by_role("button", name="Cancel it for good").click()
    expect(page.locator("#progress .state").first).to_contain_text("Cancelled")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}], ids=["wide", "phone"])
def test_it_has_no_fault_and_fits_a_phone(visit: Callable[..., Person], theme: str, options: dict):
    ada = visit("ada", color_scheme=theme, **options)
    page = write_draft(ada, "Without a fault")
    wrong = faults(ada)
    page.get_by_role("button", name="See who", exact=True).click()
    for view in ("Would get it 5", f"Not: {REASON} 1"):
        page.get_by_role("link", name=view).click()
        is_at(page, view)
        wrong += faults(ada)
        assert not too_wide(ada)
    assert not wrong, "\n".join(wrong)
