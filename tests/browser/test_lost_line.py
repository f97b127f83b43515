"""The line to one of two people breaks, and comes back."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import BROKEN_LINE
from tests.browser.line import Line
from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.servers import wait_until


@pytest.fixture
def line(stack: Stack) -> Iterator[Line]:
    line = Line(stack.port)
    yield line
    line.cut()


def test_what_came_meanwhile_is_there_once_and_in_order(
    ada: Person, visit: Callable[..., Person], line: Line, stack: Stack, fan: dict
):
    bob = visit("bob", url=line.url)
    bob.expects(r"WebSocket connection to .* failed|ERR_CONNECTION_REFUSED")
    ada.open_conversation(fan)
    ada.write("Before the line broke")
    bob.open_conversation(fan)
    expect(bob.message("Before the line broke")).to_be_visible()
    bob.mark()

    line.cut()
    expect(bob.badge()).to_have_text(re.compile(r"^Offline since \d\d:\d\d"))
    expect(bob.badge()).to_have_attribute("data-live", "offline")
    ada.write("First, from Ada")
    expect(ada.message("First, from Ada")).to_have_attribute("data-status", SENT)
    ada.page.wait_for_timeout(1000)
    stack.sandbox.fan("say", fan["platformFanId"], text="Second, from the fan")
    ada.read("Second, from the fan")
    ada.write("Third, from Ada")
    expect(ada.message("Third, from Ada")).to_have_attribute("data-status", SENT)
    assert bob.texts() == ["Before the line broke"]

    line.mend()
    expect(bob.badge()).to_have_text("Live")
    expect(bob.message("Third, from Ada")).to_have_attribute("data-status", SENT)
    whole = ["Before the line broke", "First, from Ada", "Second, from the fan", "Third, from Ada"]
    assert bob.texts() == whole
    stack.sandbox.fan("say", fan["platformFanId"], text="Fourth, live again")
    expect(bob.message("Fourth, live again")).to_be_visible()
    assert bob.texts() == [*whole, "Fourth, live again"]
    assert not bob.was_reloaded()


def test_the_badge_says_live_only_once_nothing_is_missing(
    visit: Callable[..., Person], line: Line, stack: Stack, fan: dict
):
    bob = visit("bob", url=line.url)
    bob.expects(BROKEN_LINE)
    bob.open_conversation(fan)
    line.cut()
    expect(bob.badge()).to_have_attribute("data-live", "offline")
    stack.sandbox.fan("say", fan["platformFanId"], text="Missed")
    thread = stack.call("GET", "/api/crm/conversations?limit=200")["conversations"]
    (mine,) = [each["id"] for each in thread if each["fanId"] == fan["id"]]
    messages = f"/api/crm/conversations/{mine}/messages"
    wait_until(lambda: stack.call("GET", messages)["messages"])
    seen = bob.page.evaluate_handle("""() => {
      const seen = [], badge = document.querySelector(".live-thread");
      const isThere = () => document.getElementById("messages").textContent.includes("Missed");
      const look = () => seen.push([badge.dataset.live, badge.textContent.trim(), isThere()]);
      new MutationObserver(look).observe(badge, { attributes: true, attributeFilter: ["data-live"] });
      return seen;
    }""")
    line.mend()
    expect(bob.message("Missed")).to_be_visible()
    expect(bob.badge()).to_have_text("Live")
    assert seen.json_value()[-2:] == [["catching", "Catching up…", False], ["live", "Live", True]]


def test_a_message_that_cannot_leave_stays_in_the_composer(
    visit: Callable[..., Person], line: Line, stack: Stack, fan: dict
):
    bob = visit("bob", url=line.url)
    bob.expects(r"WebSocket connection to .* failed|ERR_CONNECTION_REFUSED|Failed to fetch")
    bob.open_conversation(fan)
    expect(bob.badge()).to_have_text("Live")
    line.cut()
    bob.write("Into the void")
    expect(bob.page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    expect(bob.composer).to_have_value("Into the void")
    line.mend()
    expect(bob.badge()).to_have_text("Live")
    bob.page.get_by_role("button", name="Send", exact=True).click()
    expect(bob.message("Into the void")).to_have_attribute("data-status", SENT)
    assert bob.texts() == ["Into the void"]
