"""What is found lies so far back that the page comes before it: how it goes on, by itself and by hand, to the very end."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.history import Crowd, write_history
from tests.browser.person import Person
from tests.browser.stack import Stack
from tests.browser.test_accessibility import THEMES, faults
from tests.browser.test_pages import PHONE, too_wide
from tests.servers import wait_until

HILDA = {"email": "hilda@example.com", "password": "correct horse battery"}
WHALES, DOLPHINS, UNICORNS = Crowd("whale", lately=25, far_back=20), Crowd("dolphin", far_back=40), Crowd("unicorn")
LOOKED, ALL = "So far looked back to", "Nothing older has all of this."
NONE, LINK = "No message has all of this", "Look further back"
LOOKING = re.compile("htmx-request")
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="session")
def history(stack: Stack, chromium: Browser, sessions: dict[str, Any]) -> None:
    """In an account of its own: what other tests count stays as it is."""
    stack.add_person(**HILDA, role="owner", account="Long History")
    folder = Path(stack.environment["GREENROOM_INSTANCE"])
    write_history(folder / "greenroom.sqlite", "Long History", (WHALES, DOLPHINS, UNICORNS))
    person = Person(chromium, stack.url)
    person.sign_in(**HILDA)
    sessions["hilda"] = person.context.storage_state()
    person.leave()


class Gate:
    """Questions for what lies further back wait here until they are let through."""

    def __init__(self, page: Page) -> None:
        self.waiting: list[Route] = []
        self.is_open = False
        page.route("**/search?*cursor=*", self._arrive)

    def _arrive(self, route: Route) -> None:
        if self.is_open:
            route.continue_()
        else:
            self.waiting.append(route)

    def open(self) -> None:
        self.is_open = True
        while self.waiting:
            self.waiting.pop().continue_()


@pytest.fixture
def hilda(history: None, visit: Callable[..., Person]) -> Person:
    return visit("hilda")


def search_for(page: Page, crowd: Crowd) -> None:
    page.goto("/messages/onlyfans/search")
    page.locator("#q").fill(crowd.search)
    page.locator("#q").press("Enter")
    expect(page.get_by_role("region", name="Messages")).to_be_visible()


def texts(page: Page) -> list[str]:
    return page.locator("#found .found-said").all_inner_texts()


def further(page: Page) -> Locator:
    return page.locator("#further")


def link(page: Page) -> Locator:
    return page.locator("#further-link")


def scroll_until(page: Page, there: Locator) -> None:
    def scroll() -> bool:
        page.mouse.wheel(0, 10_000)
        return there.count() == 1

    page.locator("#found").hover(position={"x": 1, "y": 1})
    wait_until(scroll, 60)


def test_it_goes_on_by_itself_once_it_is_seen(hilda: Person):
    page, gate = hilda.page, Gate(hilda.page)
    search_for(page, WHALES)
    expect(further(page)).to_contain_text(LOOKED)
    assert texts(page) == WHALES.all_said()[: WHALES.lately]
    expect(page.locator("#further-link[data-htmx-powered]")).to_be_attached()
    page.evaluate(FRAMES)
    assert not gate.waiting, "nobody has seen the end of the list yet"
    hilda.mark()
    further(page).scroll_into_view_if_needed()
    expect(link(page)).to_have_text(re.compile("Looking"), use_inner_text=True)
    gate.open()
    scroll_until(page, page.get_by_text(ALL))
    assert texts(page) == WHALES.all_said()
    expect(further(page)).to_have_count(1)
    assert not hilda.was_reloaded()


def test_a_full_page_ends_in_a_link_to_the_older_ones(hilda: Person):
    page = hilda.page
    search_for(page, DOLPHINS)
    older = page.get_by_role("link", name="Older")
    scroll_until(page, older)
    assert texts(page) == DOLPHINS.all_said()[:30]
    older.click()
    expect(page.get_by_role("link", name="First page")).to_be_visible()
    scroll_until(page, page.get_by_text(ALL))
    assert texts(page) == DOLPHINS.all_said()[30:]


def test_where_nothing_is_found_at_all_that_is_said(hilda: Person):
    search_for(hilda.page, UNICORNS)
    expect(link(hilda.page)).to_have_text(re.compile(NONE), timeout=60_000)
    assert texts(hilda.page) == []


def test_who_is_at_the_link_stays_there_and_is_told(hilda: Person):
    page, keys, gate = hilda.page, hilda.page.keyboard, Gate(hilda.page)
    search_for(page, WHALES)
    said = page.locator("#further-said").element_handle()
    for _ in range(80):
        keys.press("Tab")
        if page.evaluate("document.activeElement.id") == "further-link":
            break
    expect(link(page)).to_be_focused()
    expect(further(page)).to_have_class(LOOKING)
    keys.press("Enter")  # it has begun already
    gate.open()
    expect(link(page)).to_be_focused()
    scroll_until(page, page.get_by_text(ALL))
    expect(link(page)).to_be_focused()
    assert said is not None
    assert said.evaluate("each => each.isConnected && each.role") == "status", (
        "only what stays is heard when it changes"
    )
    assert said.text_content() == "45 messages found."
    keys.press("Shift+Tab")
    assert WHALES.all_said()[-1] in page.evaluate("document.activeElement.innerText")


def test_what_was_not_answered_is_asked_for_again_by_key(hilda: Person):
    page = hilda.page
    hilda.expects("ERR_FAILED|Failed to fetch|htmx:error")
    page.route("**/search?*cursor=*", lambda route: route.abort(), times=1)
    search_for(page, DOLPHINS)
    expect(page.get_by_text("Greenroom does not answer")).to_be_visible()
    expect(link(page)).to_have_text(LINK, use_inner_text=True)
    hilda.tab_to(LINK)
    page.keyboard.press("Enter")
    scroll_until(page, page.get_by_role("link", name="Older"))
    assert texts(page) == DOLPHINS.all_said()[:30]
    expect(page.get_by_text("Greenroom does not answer")).to_be_hidden()


@pytest.mark.usefixtures("history")
def test_without_javascript_the_link_is_followed_by_key(visit: Callable[..., Person]):
    page = visit("hilda", java_script_enabled=False).page
    search_for(page, WHALES)
    found, before = texts(page), ""
    while page.get_by_role("link", name=LINK).count():
        looked = further(page).inner_text()
        assert LOOKED in looked
        assert looked != before
        before = looked
        address = page.url
        page.get_by_role("link", name=LINK).press("Enter")
        expect(page).not_to_have_url(address)
        expect(page.get_by_role("link", name="First page")).to_be_visible()
        found += texts(page)
    assert before, "the first page was not all"
    assert found == WHALES.all_said()
    expect(page.get_by_text(ALL)).to_be_visible()


def test_the_quick_field_says_how_far_it_looked_and_leads_on(hilda: Person):
    page, keys = hilda.page, hilda.page.keyboard
    page.goto("/fans")
    keys.press("Control+k")
    keys.insert_text(DOLPHINS.search)
    quick = page.locator("#quick-found")
    expect(quick.get_by_role("status")).to_contain_text(LOOKED)
    expect(quick).not_to_contain_text("Nothing found")
    keys.press("ArrowDown")
    expect(quick.get_by_role("link", name=LINK)).to_be_focused()
    keys.press("ArrowUp")
    keys.press("Enter")
    expect(page).to_have_url(re.compile("/messages/onlyfans/search"))
    scroll_until(page, page.get_by_role("link", name="Older"))
    assert texts(page) == DOLPHINS.all_said()[:30]


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("options", [{}, {"viewport": PHONE}], ids=["wide", "phone"])
def test_it_has_no_fault(visit: Callable[..., Person], theme: str, options: dict):
    hilda = visit("hilda", color_scheme=theme, **options)
    page, gate, wrong = hilda.page, Gate(hilda.page), []
    for crowd, end in ((WHALES, ALL), (DOLPHINS, "Older"), (UNICORNS, NONE)):
        gate.is_open = False
        search_for(page, crowd)
        expect(further(page)).to_contain_text(LOOKED)
        further(page).scroll_into_view_if_needed()
        expect(further(page)).to_have_class(LOOKING)
        wrong += faults(hilda)
        assert not too_wide(hilda)
        gate.open()
        scroll_until(page, link(page).filter(has_text=end))
        wrong += faults(hilda)
        assert not too_wide(hilda)
    page.keyboard.press("Control+k")
    page.keyboard.insert_text(DOLPHINS.search)
    expect(page.locator("#quick-found")).to_contain_text(LOOKED)
    wrong += faults(hilda)
    assert not wrong, "\n".join(wrong)
