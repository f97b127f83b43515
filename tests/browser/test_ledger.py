"""What became of each fan of a campaign: found, taken along, and decided."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.ledger import FAILED, LEFT_OUT, NO_ANSWER, REFUSED, UNKNOWN, Books, counts, make_campaign, shows
from tests.browser.person import Person
from tests.browser.stack import Stack
from tests.browser.test_accessibility import THEMES, faults
from tests.browser.test_pages import LONG, PHONE, too_wide


@pytest.fixture
def books(stack: Stack, request: pytest.FixtureRequest) -> Books:
    return make_campaign(stack, f"For {request.node.name}"[:200])


def open_live(person: Person, path: str) -> Page:
    """Once htmx is there to hear what is typed."""
    person.page.goto(path)
    person.page.wait_for_function("window.htmx && document.readyState === 'complete'")
    person.mark()
    return person.page


def test_a_name_is_found_as_it_is_typed_and_back_brings_all(ada: Person, books: Books):
    page = open_live(ada, books.path)
    search, everybody = page.get_by_label("Search fans"), [*books.unknown, *books.failed, books.left_out]
    shows(page, everybody)
    ada.tab_to("Search fans")
    page.keyboard.type(books.failed[0])
    shows(page, [books.failed[0]])
    expect(page).to_have_url(re.compile(r"search="))
    expect(search).to_be_focused()
    expect(search).to_have_value(books.failed[0])
    assert not ada.was_reloaded()
    page.go_back()
    shows(page, everybody)
    expect(search).to_have_value("")
    expect(page).to_have_url(re.compile(re.escape(books.path) + "$"))


def test_a_reason_is_chosen_by_keyboard(ada: Person, books: Books):
    page = open_live(ada, books.path)
    reason = page.get_by_label("Why")
    expect(reason.locator("option")).to_have_text(
        ["Whatever the reason", f"{NO_ANSWER} ({UNKNOWN})", f"{REFUSED} ({FAILED})", f"{LEFT_OUT} (1)"]
    )
    ada.tab_to("Why")
    page.keyboard.type("Cannot")
    shows(page, books.failed)
    expect(page).to_have_url(re.compile("reason=Cannot"))
    expect(reason).to_be_focused()
    page.keyboard.press("End")
    shows(page, [books.left_out])
    assert not ada.was_reloaded()
    page.go_back()
    shows(page, books.failed)
    expect(reason).to_have_value(REFUSED)


def test_a_status_keeps_what_was_searched_for(ada: Person, books: Books):
    page = open_live(ada, books.path)
    page.get_by_label("Why").select_option(NO_ANSWER)
    shows(page, books.unknown)
    page.get_by_role("link", name="Failed").click()
    expect(page.get_by_text("Nobody here.")).to_be_visible()
    expect(page.get_by_label("Why")).to_have_value(NO_ANSWER)
    page.get_by_role("link", name="Unknown").click()
    shows(page, books.unknown)
    expect(page).to_have_url(re.compile("status=unknown&reason=No"))
    page.get_by_label("Search fans").fill(books.unknown[1])
    shows(page, [books.unknown[1]])
    expect(page.get_by_role("link", name="Unknown")).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("wanted", ["", "?status=unknown", "?status=failed", f"?reason={REFUSED}", "?status=skipped"])
def test_the_csv_has_as_many_lines_as_the_page_says(ada: Person, books: Books, wanted: str):
    page = open_live(ada, books.path + wanted)
    link = page.get_by_role("link", name="as CSV")
    said = int(link.inner_text().split()[0])
    assert said == page.locator("#ledger tbody tr").count()
    ada.tab_to(link.inner_text().strip())
    assert lines_of(page) == page.locator("#ledger tbody .row-link").all_inner_texts()


def lines_of(page: Page) -> list[str]:
    """Of the file that Enter brings, the names."""
    with page.expect_download() as coming:
        page.keyboard.press("Enter")
    with Path(coming.value.path()).open(newline="") as file:
        return [line["Fan"] for line in csv.DictReader(file)]


def test_all_of_them_arrived_by_keyboard(ada: Person, stack: Stack, books: Books):
    page = open_live(ada, f"{books.path}?status=unknown")
    ada.tab_to("All of them arrived")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Marked as sent.")).to_be_visible()
    counts(page, Sent=UNKNOWN, Failed=FAILED, Unknown=0, Skipped=1)
    assert stack.sandbox.sends() == []


def test_none_of_them_did_and_the_failed_are_tried_again_by_keyboard(ada: Person, stack: Stack, books: Books):
    page = open_live(ada, f"{books.path}?status=unknown")
    ada.tab_to("None of them did")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Marked as not sent: you may send them again.")).to_be_visible()
    counts(page, Sent=0, Failed=UNKNOWN + FAILED, Unknown=0)
    ada.tab_to("Retry the failed")
    page.keyboard.press("Enter")
    expect(page.get_by_text("The failed ones are in the queue again.")).to_be_visible()
    counts(page, Sent=UNKNOWN + FAILED, Failed=0)
    expect(page.locator("#progress .state").first).to_contain_text("Completed")
    assert len({each["chatId"] for each in stack.sandbox.sends()}) == UNKNOWN + FAILED


def test_one_arrived_and_one_is_sent_again_by_keyboard(ada: Person, stack: Stack, books: Books):
    page = open_live(ada, f"{books.path}?status=unknown")
    ada.tab_to("It arrived")
    page.keyboard.press("Enter")
    shows(page, books.unknown[1:])
    ada.tab_to("It did not: send again")
    page.keyboard.press("Enter")
    shows(page, books.unknown[2:])
    counts(page, Sent=2, Unknown=UNKNOWN - 2)
    [sent] = stack.sandbox.sends()
    assert sent["outcome"] == "accepted"


def test_a_failed_one_is_sent_again(ada: Person, books: Books):
    page = open_live(ada, f"{books.path}?status=failed")
    page.get_by_role("row", name=books.failed[0]).get_by_role("button", name="Send again").click()
    shows(page, books.failed[1:])
    counts(page, Sent=1, Failed=FAILED - 1)


def test_on_a_phone_the_reason_is_read_and_the_buttons_are_reached(visit: Callable[..., Person], books: Books):
    ada = visit("ada", viewport=PHONE, has_touch=True)
    page = open_live(ada, f"{books.path}?status=unknown")
    row = page.get_by_role("row", name=books.unknown[0])
    expect(row.get_by_text(NO_ANSWER).locator("visible=true")).to_have_count(1)
    for name in ("All of them arrived", "None of them did", "It arrived", "It did not: send again", "It did not"):
        is_within_reach(page, name)
    assert not too_wide(ada)
    row.get_by_role("button", name="It arrived").tap()
    shows(page, books.unknown[1:])


def is_within_reach(page: Page, name: str) -> None:
    """Of a finger: nothing of it is cut off or covered."""
    button = page.get_by_role("button", name=name, exact=True).first
    button.scroll_into_view_if_needed()
    button.click(trial=True)
    expect(button).to_be_in_viewport(ratio=1)


def test_without_javascript(visit: Callable[..., Person], stack: Stack, books: Books):
    page = visit("ada", java_script_enabled=False).page
    page.goto(books.path)
    page.get_by_label("Search fans").fill(books.unknown[0])
    page.get_by_label("Why").select_option(NO_ANSWER)
    page.get_by_role("button", name="Show").click()
    shows(page, [books.unknown[0]])
    page.get_by_label("Search fans").fill("")
    page.get_by_role("button", name="Show").click()
    shows(page, books.unknown)
    page.get_by_role("link", name="Unknown").click()
    page.get_by_role("button", name="It arrived").first.click()
    shows(page, books.unknown[1:])
    page.get_by_role("button", name="None of them did").click()
    counts(page, Sent=1, Failed=UNKNOWN + FAILED - 1, Unknown=0)
    page.get_by_role("link", name="Failed").click()
    page.get_by_role("link", name="as CSV").focus()
    assert len(lines_of(page)) == UNKNOWN + FAILED - 1


def test_a_name_that_is_one_long_word_fits_a_phone(visit: Callable[..., Person], stack: Stack):
    ada = visit("ada", viewport=PHONE)
    books = make_campaign(stack, LONG[:200])
    for path in (books.path, "/campaigns"):
        ada.page.goto(path)
        expect(ada.page.get_by_text(LONG[:200])).to_be_visible()
        assert not too_wide(ada), path


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}], ids=["wide", "phone"])
def test_it_has_no_fault(visit: Callable[..., Person], books: Books, theme: str, options: dict):
    ada, wrong = visit("ada", color_scheme=theme, **options), []
    for status in ("", "?status=unknown", "?status=failed"):
        open_live(ada, books.path + status)
        wrong += faults(ada)
        assert not too_wide(ada)
    assert not wrong, "\n".join(wrong)
