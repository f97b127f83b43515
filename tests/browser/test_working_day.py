"""The whole working day of a chatter, with the keyboard alone: nothing is clicked, nothing filled in but what has the focus."""

import io
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from app.config import DEMO
from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.browser.test_media import chips, picture

ONCE_AROUND = 200  # presses of Tab
TEXT = "Come in, find a chair!"


class Chatter:
    def __init__(self, person: Person) -> None:
        self.person, self.page, self.keys = person, person.page, person.page.keyboard

    def sign_in(self) -> None:
        self.page.goto("/login")
        self.keys.type(DEMO["email"])
        self.keys.press("Tab")
        self.keys.type(DEMO["password"])
        self.keys.press("Enter")
        expect(self.person.badge()).to_have_text("Live")

    def press(self, name: str) -> None:
        """A button, link or menu: on to it with Tab."""
        self.person.tab_to(name, ONCE_AROUND)
        self.keys.press("Enter")

    def leave_field(self) -> None:
        self.keys.press("Escape")

    def find(self, fan: dict) -> None:
        """By the list's own search, and into the thread; once the page is there: while it loads, the focus is not placed yet."""
        expect(self.person.badge()).to_have_text("Live")
        self.leave_field()
        self.keys.press("/")
        self.keys.press("Control+a")
        self.keys.type(fan["handle"].lstrip("@"))
        rows = self.page.locator("#conversations > li:not([hidden])")
        expect(rows).to_have_count(1)
        expect(rows).to_contain_text(fan["name"])
        self.leave_field()
        self.keys.press("j")
        self.keys.press("Enter")
        expect(self.page).to_have_title(re.compile(re.escape(fan["name"])))
        expect(self.person.composer).to_be_focused()

    def read(self) -> None:
        """What is there, for as long as it takes."""
        newest = self.page.locator("#messages > .message:not(.later)").last
        expect(newest).to_be_in_viewport()
        self.person.read_row(newest)

    def say(self, text: str) -> None:
        expect(self.person.composer).to_be_focused()
        self.keys.type(text)
        self.keys.press("Control+Enter")
        expect(self.person.message(text)).to_have_attribute("data-status", SENT)


@pytest.fixture
def desk(stack: Stack, visit: Callable[..., Person], silent_fans) -> tuple[dict, dict]:
    """Two who wait, one of them with a tag of her own; a quick reply; a picture in the library."""
    first, second = next(silent_fans), next(silent_fans)
    for each in (first, second):
        stack.sandbox.fan("say", each["platformFanId"], text=f"{each['name']} waits for you")
    stack.tag_fans(range(second["id"], second["id"] + 1), "by-keyboard")
    stack.call("POST", "/api/media", files={"file": ("pier.png", io.BytesIO(picture(90)), "image/png")})
    page = visit("ada").page
    page.goto("/settings/replies/new")
    for label, text in (("Code", "chair"), ("Title", "Welcome"), ("Text", TEXT)):
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Add reply").click()
    expect(page.get_by_text("/chair was added.")).to_be_visible()
    return first, second


@pytest.mark.timeout(400)
def test_a_working_day_without_a_mouse(visit: Callable[..., Person], desk: tuple[dict, dict]):
    first, second = desk
    ada = visit()
    day, page, keys = Chatter(ada), ada.page, ada.page.keyboard
    day.sign_in()

    # Who waits longest is answered first.
    keys.press("n")
    expect(ada.composer).to_be_focused()
    who = re.compile(re.escape(page.locator(".thread-name h2").inner_text()))
    day.read()
    day.say("Sorry that you had to wait")
    day.leave_field()
    keys.press("n")
    expect(page).not_to_have_title(who)
    expect(ada.composer).to_be_focused()

    # An answer, a quick reply, a note, a paid picture, and one for later.
    day.find(first)
    day.read()
    day.say("Here I am")
    keys.type("/cha")
    expect(page.locator("#replies [aria-selected=true]")).to_contain_text("/chair")
    keys.press("Enter")
    expect(ada.composer).to_have_value(TEXT)
    keys.press("Control+Enter")
    expect(ada.message(TEXT)).to_have_attribute("data-status", SENT)
    keys.press("Alt+n")
    keys.type("Asked about chairs before")
    keys.press("Control+Enter")
    expect(page.locator("#messages > .note")).to_contain_text("Asked about chairs before")
    expect(ada.composer).to_be_focused()
    keys.type("The view from there")
    day.press("Library")
    expect(page.get_by_label("Search by name")).to_be_focused()
    keys.type("pier")
    expect(page.locator(".tile")).to_have_count(1)
    ada.tab_to("pier.png")
    keys.press("Space")
    day.press("Add to the message")
    expect(chips(ada)).to_have_text(["pier.png"])
    ada.tab_to("Price in dollars")
    keys.type("20")
    keys.press("Control+Enter")
    expect(ada.message("The view from there")).to_contain_text("$20.00")
    expect(ada.message("The view from there")).to_have_attribute("data-status", SENT)
    expect(ada.composer).to_be_focused()
    keys.type("Did you like it?")
    day.press("Send later")
    day.press("In an hour")
    expect(page.locator("#messages > .later")).to_contain_text("Did you like it?")

    # Assigned, pinned, put off, put away and taken back.
    day.press("Assign")
    day.press("Ada Green (you)")
    expect(page.get_by_text("Assigned.")).to_be_visible()
    day.press("Pin to the top")
    expect(page.get_by_text("Pinned to the top.")).to_be_visible()
    day.press("Snooze")
    day.press("Until they write")
    expect(page.get_by_text("Snoozed.")).to_be_visible()
    day.find(second)
    day.leave_field()
    row = page.locator("#conversations > li", has_text=second["name"])
    keys.press("e")
    expect(page.locator(".toast-line")).to_contain_text("Archived")
    keys.press("z")
    expect(page.locator(".toast-line")).to_have_count(0)
    expect(row).to_be_visible()

    # By a tag, kept as a view.
    day.press("More filters")
    ada.tab_to("Tag")
    keys.type("by-keyboard")
    expect(page.locator("#conversations > li")).to_have_text([re.compile(re.escape(second["name"]))])
    day.press("Save this view")
    expect(page.get_by_label("Name", exact=True)).to_be_focused()
    keys.type("Without a mouse")
    keys.press("Enter")
    expect(page.get_by_role("link", name="Without a mouse")).to_have_attribute("aria-current", "page")

    # Found again from anywhere, and home: keys pressed before the page is there are lost to every page.
    expect(ada.badge()).to_have_text("Live")
    keys.press("Control+k")
    expect(page.get_by_label("Search messages and fans")).to_be_focused()
    keys.type("view from there")
    expect(page.locator("#quick-found .found-link", has_text="from there").first).to_be_visible()
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.locator(".message.is-found")).to_contain_text("The view from there")
    day.press("Sign out")
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
