"""From a new segment to the last recipient, by keyboard alone; and the composer without JavaScript."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.person import Person
from tests.browser.stack import Stack

FANS = range(301, 313)


@pytest.fixture(autouse=True)
def dozen(stack: Stack) -> None:
    stack.tag_fans(FANS, "Dozen")
    stack.sandbox.reset()


def test_from_a_new_segment_to_the_last_recipient_by_keyboard(ada: Person, stack: Stack):
    page, keys = ada.page, ada.page.keyboard
    page.goto("/segments")
    ada.begin_rule("Dozen by a rule", "dozen")
    expect(page.locator("#found .figure")).to_have_text("12 fans")
    ada.tab_to("Save the segment")
    keys.press("Enter")
    expect(page.get_by_text("Dozen by a rule was saved.")).to_be_visible()

    page.goto("/campaigns")
    ada.tab_to("New campaign")
    keys.press("Enter")
    expect(page.get_by_label("Name")).to_be_focused()
    keys.type("To the dozen")
    ada.tab_to("Who gets it")
    keys.type("D")  # the only choice that begins so
    ada.tab_to("Message")
    keys.type("Hello {{first_name|love}}")
    expect(page.locator("#outlook .figure")).to_have_text("12 fans")
    ada.tab_to("Send to 12 fans")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="To the dozen")).to_be_visible()
    expect(page.locator(".meter-count")).to_have_text("12 of 12")
    expect(page.locator("#progress .state").first).to_contain_text("Completed")
    ada.tab_to("Sent")
    keys.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(12)
    assert len({each["chatId"] for each in stack.sandbox.sends()}) == 12


def test_what_was_chosen_before_the_scripts_came_is_looked_at_then(ada: Person):
    page, held = ada.page, []
    page.route(re.compile("cdn.*htmx"), lambda route: held.append(route))  # until the page takes its own copy
    page.goto("/campaigns/new", wait_until="commit")
    page.get_by_label("Who gets it").select_option(label="Tagged Dozen")
    page.get_by_label("Message", exact=True).fill("Hello you")
    assert held
    assert page.evaluate("!window.htmx"), "too late: the scripts are there"
    page.get_by_label("Message", exact=True).blur()
    expect(page.locator("#outlook .figure")).to_have_text("12 fans")


def test_typed_and_kept_and_gone_on_with(ada: Person):
    page = ada.page
    page.goto("/campaigns/new")
    page.get_by_label("Name").fill("Half a thought")
    page.get_by_label("Message", exact=True).fill("Hi {{first_name|love}}")
    expect(page.get_by_text("Kept as a draft")).to_be_visible()
    page.wait_for_url(re.compile(r"/campaigns/\d+/edit$"))
    page.get_by_label("At a time").check()
    expect(page.get_by_label("Send at")).to_be_visible()
    expect(page.get_by_role("button", name="Schedule")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Name")).to_have_value("Half a thought")
    page.goto("/campaigns")
    page.get_by_role("link", name="Half a thought").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value("Hi {{first_name|love}}")


def test_a_file_is_uploaded_as_it_is_chosen_and_stays_with_the_draft(ada: Person):
    page = ada.page
    page.goto("/campaigns/new")
    page.get_by_label("Name").fill("With a picture")
    picture = {"name": "balloon.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(64)}
    page.get_by_label("Pictures, videos, sounds").set_input_files(picture)
    expect(page.locator("#chosen-media .chosen-medium")).to_have_count(1)
    expect(page.get_by_text("Kept as a draft")).to_be_visible()
    page.wait_for_url(re.compile(r"/campaigns/\d+/edit$"))
    page.wait_for_timeout(700)
    page.reload()
    expect(page.locator("#chosen-media .chosen-medium")).to_have_count(1)
    page.get_by_role("button", name="Remove balloon.png").click()
    expect(page.locator("#chosen-media .chosen-medium")).to_have_count(0)
    page.get_by_text("Choose from your media").click()
    page.get_by_label("balloon.png").first.check()
    page.get_by_role("button", name="Attach the chosen ones").click()
    expect(page.locator("#chosen-media .chosen-medium")).to_have_count(1)


def test_without_javascript(visit: Callable[..., Person], stack: Stack):
    ada = visit("ada", java_script_enabled=False)
    ada.expects("400 .BAD REQUEST")  # what a form is answered that asks for what cannot be
    page = ada.page
    page.goto("/campaigns/new")
    page.get_by_label("Name").fill("By forms alone")
    page.get_by_label("Who gets it").select_option(label="Tagged Dozen")
    page.get_by_label("Message", exact=True).fill("Hello you")
    page.get_by_role("button", name="Another wording").click()
    page.get_by_label("Another wording").fill("Hello to you")
    page.get_by_role("button", name="See who gets it").click()
    expect(page.locator("#outlook .figure")).to_have_text("12 fans")
    page.get_by_label("At a time").check()
    page.get_by_label("Send at").fill("2020-01-01T10:00")
    page.get_by_role("button", name="Schedule").click()
    expect(page.get_by_text("Choose a time to come.")).to_be_visible()
    page.get_by_label("Now", exact=True).check()
    ada.expects("409 .CONFLICT")  # that it is another number than the one that was read
    page.get_by_label("Who gets it").select_option(label="All fans")
    page.get_by_role("button", name="Send to 12 fans").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent yet")
    page.get_by_label("Who gets it").select_option(label="Tagged Dozen")
    page.get_by_role("button", name=re.compile(r"Send to [\d,]{3,} fans")).click()
    expect(page.get_by_role("alert")).to_contain_text("This goes to 12 fans.")
    expect(page.get_by_role("button", name="Send to 12 fans")).to_be_focused()
    page.get_by_role("button", name="Send to 12 fans").click()
    expect(page.get_by_role("heading", name="By forms alone")).to_be_visible()
    expect(page.get_by_role("heading", name="Wordings")).to_be_visible()
