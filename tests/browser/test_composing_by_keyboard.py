"""The whole composer with the keyboard alone: what is written, who is spared, a test, a time to come, and now."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, Response, expect

from tests.browser.person import Person
from tests.browser.stack import Stack
from tests.browser.test_media import picture
from tests.servers import wait_until

FANS, MOST = range(801, 813), 5
FILES = ("first.keys.png", "second.keys.png")
FIRST, SECOND = "Hello", "Greetings"  # words that a form sends as they are
IN_A_WHILE, LATER_STILL, TO_COME = (datetime.now(UTC) + timedelta(hours=each) for each in (3, 4, 50))  # Ada's clock


@pytest.fixture(autouse=True)
def dozen(stack: Stack) -> None:
    stack.tag_fans(FANS, "Keyboards")
    stack.sandbox.reset()


@pytest.fixture(scope="module", autouse=True)
def media(stack: Stack) -> None:
    """No keyboard opens a dialog for files in a test: what is chosen is in the library already."""
    for red, name in enumerate(reversed(FILES)):  # the newest stands first
        stack.call("POST", "/api/media", files={"file": (name, io.BytesIO(picture(red)), "image/png")})


def begin(ada: Person, name: str) -> None:
    ada.page.goto("/campaigns/new")
    expect(ada.page.get_by_label("Name")).to_be_focused()
    ada.page.keyboard.type(name)
    choose(ada, "Type", "Paid message")
    choose(ada, "Who gets it", "Tagged Keyboards")
    fill_in(ada, "Message", FIRST)
    expect(ada.page.get_by_text("Kept as a draft")).to_be_visible()


def choose(ada: Person, name: str, begins: str) -> None:
    """Of a list, what begins so."""
    ada.tab_to(name)
    ada.page.keyboard.type(begins)


def fill_in(ada: Person, name: str, text: str) -> None:
    ada.tab_to(name)
    ada.page.keyboard.type(text)


def press(ada: Person, name: str, key: str = "Enter") -> None:
    ada.tab_to(name)
    ada.page.keyboard.press(key)


def add_file_price_and_wording(ada: Person) -> None:
    page = ada.page
    press(ada, "Choose from your media")
    for name in FILES:
        press(ada, name, "Space")
    press(ada, "Attach the chosen ones")
    expect(page.locator("#chosen-media .chosen-name")).to_have_text(FILES)
    expect(page.get_by_label("Free preview").first).to_be_focused()
    page.keyboard.press("Space")
    fill_in(ada, "Price ($)", "12.50")
    press(ada, "Another wording")
    expect(page.get_by_label("Another wording")).to_be_focused()
    page.keyboard.type(SECOND)


def spare_some(ada: Person) -> None:
    press(ada, "Leave out whose own message waits for an answer", "Space")
    fill_in(ada, "Leave out whom you wrote to in the last … hours", "24")
    fill_in(ada, "Campaign messages to one fan in a week, at most", "3")
    fill_in(ada, "Nothing goes out from", f"{IN_A_WHILE:%I%M%p}")
    fill_in(ada, "to", f"{LATER_STILL:%I%M%p}")
    press(ada, "The fan's, where it is known", "ArrowDown")


def set_limits(ada: Person) -> None:
    press(ada, "Limits and comparison")
    fill_in(ada, "Hold back … % to compare", "10")
    fill_in(ada, "Stop after … messages", str(MOST))


def set_time(ada: Person) -> None:
    press(ada, "Now", "ArrowDown")
    fill_in(ada, "Send at", f"{TO_COME:%m%d%Y}")
    ada.page.keyboard.press("ArrowRight")  # a year may have six digits
    ada.page.keyboard.type(f"{TO_COME:%I%M%p}")


def has_all_that_was_written(page: Page) -> None:
    expect(page.get_by_label("Type")).to_have_value("ppv")
    expect(page.get_by_label("Who gets it")).to_have_value("tag:Keyboards")
    expect(page.get_by_label("Message", exact=True)).to_have_value(FIRST)
    expect(page.get_by_label("Another wording")).to_have_value(SECOND)
    expect(page.locator("#chosen-media .chosen-name")).to_have_text(FILES)
    expect(page.get_by_label("Free preview").first).to_be_checked()
    expect(page.get_by_label("Free preview").last).not_to_be_checked()
    expect(page.get_by_label("Price ($)")).to_have_value("12.50")


def has_all_who_are_spared(page: Page) -> None:
    expect(page.get_by_label("Leave out whose own message waits for an answer")).to_be_checked()
    expect(page.get_by_label("Leave out who saw or bought one of the files")).not_to_be_checked()
    expect(page.get_by_label("in the last … hours")).to_have_value("24")
    expect(page.get_by_label("in a week, at most")).to_have_value("3")
    expect(page.get_by_label("Nothing goes out from")).to_have_value(f"{IN_A_WHILE:%H:%M}")
    expect(page.get_by_label("to", exact=True)).to_have_value(f"{LATER_STILL:%H:%M}")
    expect(page.get_by_label("Yours")).to_be_checked()
    expect(page.get_by_label("Hold back … % to compare")).to_have_value("10")
    expect(page.get_by_label("Stop after … messages")).to_have_value(str(MOST))


def carries(text: str) -> Callable[[Response], bool]:
    """The answer to the look at the draft once this stands in it."""
    return lambda answer: answer.url.endswith("/campaigns/outlook") and text in (answer.request.post_data or "")


def test_a_paid_message_with_a_chosen_file_a_free_preview_and_a_second_wording(ada: Person):
    begin(ada, "Paid by keyboard")
    with ada.page.expect_response(carries(SECOND)):
        add_file_price_and_wording(ada)
    expect(ada.page).to_have_url(re.compile("/edit$"))  # else what is loaded again is the step to another wording
    ada.page.reload()
    has_all_that_was_written(ada.page)


def test_who_is_spared_and_how_many_get_it(ada: Person):
    begin(ada, "Guarded by keyboard")
    spare_some(ada)
    set_limits(ada)
    expect(ada.page.locator("#outlook .figure")).to_have_text(f"{MOST} fans")  # looked at, and so kept
    ada.page.reload()
    has_all_who_are_spared(ada.page)


def test_a_test_to_one_fan(ada: Person, stack: Stack, fan: dict):
    begin(ada, "Tested by keyboard")
    add_file_price_and_wording(ada)
    press(ada, "Test it on one fan")
    fill_in(ada, "Handle of the fan", f"@{fan['handle']}")
    press(ada, "Send the test")
    expect(ada.page.get_by_text(f"On its way to {fan['name']}.")).to_be_visible()
    [sent] = wait_until(stack.sandbox.sends)
    assert (sent["chatId"], sent["text"], sent["outcome"]) == (fan["platformFanId"], FIRST, "accepted")


def test_for_a_time_to_come_then_changed_and_sent_at_once(ada: Person, stack: Stack):
    begin(ada, "Scheduled by keyboard")
    add_file_price_and_wording(ada)
    set_time(ada)
    spare_some(ada)
    set_limits(ada)
    press(ada, "Schedule")
    page = ada.page
    expect(page.get_by_role("heading", name="Scheduled by keyboard")).to_be_visible()
    says_what_was_set(page)

    press(ada, "Change it")
    expect(page.get_by_label("At a time")).to_be_checked()
    expect(page.get_by_label("Send at")).to_have_value(f"{TO_COME:%Y-%m-%dT%H:%M}")
    has_all_that_was_written(page)
    has_all_who_are_spared(page)

    press(ada, "At a time", "ArrowUp")
    press(ada, f"Send to {MOST} fans")
    expect(page.locator("#progress .state").first).to_contain_text("Completed")
    expect(page.locator(".meter-count")).to_have_text(f"{MOST} of {MOST}")
    sent = stack.sandbox.sends()
    assert len({each["chatId"] for each in sent}) == len(sent) == MOST
    assert {each["text"] for each in sent} <= {FIRST, SECOND}


def says_what_was_set(page: Page) -> None:
    expect(page.locator("#progress")).to_contain_text(f"Starts {TO_COME.day} {TO_COME:%b}")
    for said in (
        "It will go to all tagged Keyboards, as they will be then",
        "not to those whose own message waits for an answer",
        "not to whom you had written in the 24 hours before",
        "at most 3 campaign messages to a fan in a week",
        f"nothing between {IN_A_WHILE:%H:%M} and {LATER_STILL:%H:%M} by your clock (UTC)",
        "10 % are held back",
        f"at most {MOST} messages",
    ):
        expect(page.get_by_text("It will go to")).to_contain_text(said)
    expect(page.locator(".message-text")).to_have_text([FIRST, SECOND])
    expect(page.get_by_text("2 files · $12.50")).to_be_visible()
