"""What was written stays, and goes once, when answers are lost on their way and drafts cannot be kept."""

import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import BROKEN_LINE
from tests.browser.line import Line
from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.browser.test_two_people import accepted

POST = re.compile(r"/messages/onlyfans/\d+$")


@pytest.fixture
def line(stack: Stack) -> Iterator[Line]:
    line = Line(stack.port)
    yield line
    line.cut()


@pytest.fixture
def bob(visit: Callable[..., Person], line: Line) -> Person:
    bob = visit("bob", url=line.url)
    bob.expects(BROKEN_LINE)
    return bob


def lose_answer(person: Person, stack: Stack, text: str, *, cut: Line | None = None) -> None:
    """Sends it; it is stored, and no answer comes; nor news of it, where the line is cut."""

    def lose(route: Route) -> None:
        if cut:
            cut.cut()
        route.fetch(url=stack.url + urlsplit(route.request.url).path)
        route.abort("connectionreset")

    person.page.route(POST, lose, times=1)
    person.write(text)
    expect(person.page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()


def test_what_is_written_after_a_lost_answer_is_a_message_of_its_own(bob: Person, line: Line, stack: Stack, fan: dict):
    bob.open_conversation(fan)
    lose_answer(bob, stack, "The first", cut=line)
    expect(bob.composer).to_have_value("The first")
    bob.composer.fill("The second")
    line.mend()
    expect(bob.badge()).to_have_text("Live")
    expect(bob.message("The first")).to_be_visible()
    expect(bob.composer).to_have_value("The second")
    bob.page.get_by_role("button", name="Send", exact=True).click()
    expect(bob.message("The second")).to_have_attribute("data-status", SENT)
    expect(bob.composer).to_have_value("")
    assert bob.texts() == ["The first", "The second"]
    assert accepted(stack, fan) == ["The first", "The second"]


def test_the_field_is_emptied_once_it_is_known_to_have_been_sent(bob: Person, line: Line, stack: Stack, fan: dict):
    bob.open_conversation(fan)
    lose_answer(bob, stack, "See http://example.com,\nboth of you", cut=line)
    expect(bob.composer).not_to_have_value("")
    line.mend()
    expect(bob.composer).to_have_value("")
    expect(bob.message("both of you")).to_have_count(1)
    bob.write("And then")
    expect(bob.message("And then")).to_have_attribute("data-status", SENT)
    assert len(bob.texts()) == 2


def test_where_no_news_comes_either_it_goes_when_it_is_sent_once_more(bob: Person, stack: Stack, fan: dict):
    bob.expects("status of 422")
    bob.page.route_web_socket(re.compile("socket.io"), lambda socket: socket.close())
    bob.page.goto(f"/fans/{fan['id']}")
    bob.page.get_by_role("button", name="Open conversation").click()
    lose_answer(bob, stack, "The first")
    bob.write("The second")
    expect(bob.page.locator("#composer [role=alert]")).to_contain_text("Send this one too?")
    expect(bob.composer).to_have_value("The second")
    bob.page.reload()
    expect(bob.composer).to_have_value("The second")
    bob.page.get_by_role("button", name="Send", exact=True).click()
    expect(bob.composer).to_have_value("")
    assert bob.texts() == ["The first", "The second"]


def test_the_same_sent_again_after_its_draft_was_refused_is_one_message(bob: Person, stack: Stack, fan: dict):
    bob.page.route_web_socket(re.compile("socket.io"), lambda socket: socket.close())
    bob.page.goto(f"/fans/{fan['id']}")
    bob.page.get_by_role("button", name="Open conversation").click()
    with bob.page.expect_response(re.compile("/draft$")):
        lose_answer(bob, stack, "Only once")
    bob.page.get_by_role("button", name="Send", exact=True).click()
    expect(bob.composer).to_have_value("")
    assert bob.texts() == ["Only once"]


def test_two_windows_with_one_draft(bob: Person, stack: Stack, fan: dict):
    bob.open_conversation(fan)
    with bob.page.expect_response(re.compile("/draft$")):
        bob.composer.fill("Dear Anna")
    with bob.second_window() as same, bob.second_window() as other:
        for page in (same, other):
            expect(page.locator("#composer textarea")).to_have_value("Dear Anna")
            expect(page.locator("[data-live]:visible")).to_have_text("Live")
        with other.expect_response(re.compile("/draft$")):
            other.locator("#composer textarea").fill("Dear Anna, no")
        bob.page.get_by_role("button", name="Send", exact=True).click()
        expect(same.locator("#composer textarea")).to_have_value("")
        expect(other.locator("#messages > .message")).to_have_count(1)
        expect(other.locator("#composer textarea")).to_have_value("Dear Anna, no")
        other.get_by_role("button", name="Send", exact=True).click()
        expect(bob.message("Dear Anna, no")).to_have_attribute("data-status", SENT)
    assert accepted(stack, fan) == ["Dear Anna", "Dear Anna, no"]


def test_a_window_that_shows_how_the_message_was_begun_is_emptied_once_it_is_sent(bob: Person, stack: Stack, fan: dict):
    bob.open_conversation(fan)
    with bob.page.expect_response(re.compile("/draft$")):
        bob.composer.fill("Dear")
    with bob.second_window() as same:
        expect(same.locator("#composer textarea")).to_have_value("Dear")
        expect(same.locator("[data-live]:visible")).to_have_text("Live")
        bob.write("Dear Anna")
        expect(same.locator("#composer textarea")).to_have_value("")
        expect(same.locator("#messages > .message")).to_have_count(1)
    bob.page.reload()
    expect(bob.composer).to_have_value("")
    assert accepted(stack, fan) == ["Dear Anna"]


def test_what_was_typed_and_refused_stays_when_another_window_sends_what_it_began_as(
    bob: Person, stack: Stack, fan: dict
):
    bob.open_conversation(fan)
    with bob.page.expect_response(re.compile("/draft$")):
        bob.composer.fill("Dear")
    with bob.second_window() as other:
        text = other.locator("#composer textarea")
        expect(text).to_have_value("Dear")
        expect(other.locator("[data-live]:visible")).to_have_text("Live")
        text.fill("Dear Anna, no")
        other.get_by_title("Attach by address").click()
        other.locator("#address").fill("https://example.com/cat.png")
        other.locator("#composer").evaluate("form => form.requestSubmit()")
        expect(other.locator("#address-error")).to_be_visible()
        bob.write("Dear")
        expect(other.locator("#messages > .message")).to_have_count(1)
        expect(text).to_have_value("Dear Anna, no")
    assert accepted(stack, fan) == ["Dear"]


def test_a_draft_that_could_not_be_kept_is_kept_when_the_line_is_back(
    bob: Person, line: Line, silent_fans: Iterator[dict], fan: dict
):
    other = next(silent_fans)
    bob.open_conversation(other)
    bob.open_conversation(fan)
    thread = bob.page.url
    line.cut()
    with bob.page.expect_event("requestfailed", lambda request: request.url.endswith("/draft")):
        bob.composer.fill("Written on the train")
    with bob.page.expect_response(re.compile("/draft$")):
        line.mend()
    bob.open_conversation(other)
    expect(bob.composer).to_have_value("")
    bob.page.goto(thread)
    expect(bob.composer).to_have_value("Written on the train")


def test_what_could_not_be_sent_in_one_thread_is_never_in_another(
    bob: Person, line: Line, silent_fans: Iterator[dict], fan: dict
):
    other = next(silent_fans)
    for each in (other, fan):
        bob.open_conversation(each)
        bob.write("Hello")
        expect(bob.message("Hello")).to_have_attribute("data-status", SENT)
    line.cut()
    bob.write("For you alone")
    expect(bob.page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    bob.composer.press("End")
    bob.composer.press_sequentially(", dear")
    line.mend()
    expect(bob.badge()).to_have_text("Live")
    bob.page.locator(".conversation-name", has_text=other["name"]).click()
    expect(bob.page).to_have_title(re.compile(re.escape(other["name"])))
    expect(bob.composer).to_have_value("")
    bob.page.locator(".conversation-name", has_text=fan["name"]).click()
    expect(bob.composer).to_have_value("For you alone, dear")
