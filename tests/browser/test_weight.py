"""What pages weigh on the line, and that nothing in them moves by itself. Measured by the browser, compressed as it comes.

The CDN's files are taken from Greenroom itself here: a test that answers for the CDN would switch the browser's cache off.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from app import assets
from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.browser.test_thread import spoken_with
from tests.servers import wait_until

FIRST_LOAD, NEXT_PAGE = 200_000, 30_000  # bytes
UNSEEN = 0.01  # of the area times the way, summed; 0.1 is "good", and a foot of the page that comes a frame later makes 0.003
SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    const nodes = (each) => each.sources.map((source) => source.node?.className ?? "?");
    for (const each of list.getEntries()) window.shifts.push([each.value, nodes(each)]);
  }).observe({ type: "layout-shift", buffered: true });
"""


class Scales:
    """Everything that comes over the line, headers included."""

    def __init__(self, person: Person) -> None:
        self._urls: dict[str, str] = {}
        self._sizes: dict[str, int] = {}
        session = person.context.new_cdp_session(person.page)
        session.on(
            "Network.requestWillBeSent", lambda said: self._urls.update({said["requestId"]: said["request"]["url"]})
        )
        session.on(
            "Network.loadingFinished", lambda said: self._sizes.update({said["requestId"]: said["encodedDataLength"]})
        )
        session.send("Network.enable")

    def weigh(self) -> int:
        """Since the last time."""
        sizes = {self._urls.get(each, each): int(size) for each, size in self._sizes.items()}
        self._sizes.clear()
        print(*(f"{size:>8} {url}" for url, size in sorted(sizes.items(), key=lambda item: -item[1]) if size), sep="\n")
        return sum(sizes.values())


@pytest.fixture
def newcomer(visit: Callable[..., Person], stack: Stack) -> Person:
    """Ada at a browser that has never been here."""
    person = visit("ada", cdn=None)
    person.context.add_cookies([{"name": assets.MEMORY, "value": "out", "url": stack.url}])
    person.page.add_init_script(SHIFTS)
    return person


def test_the_first_load_and_the_next_pages_are_light(newcomer: Person, stack: Stack, silent_fans):
    threads = [spoken_with(stack, next(silent_fans), [f"Line {number}" for number in range(60)]) for _ in range(2)]
    page, scales = newcomer.page, Scales(newcomer)
    page.goto("/messages/onlyfans", wait_until="networkidle")
    expect(newcomer.badge()).to_have_text("Live")
    assert page.locator("#conversations > li").count() >= 10
    first = scales.weigh()
    print(f"first load: {first:,} bytes")
    assert first <= FIRST_LOAD
    for path in ("/fans", "/imports", "/campaigns", f"/messages/onlyfans/{threads[0]}", "/messages/onlyfans"):
        page.goto(path, wait_until="networkidle")
        weight = scales.weigh()
        print(f"{path}: {weight:,} bytes")
        assert weight <= NEXT_PAGE, path
    page.locator(f"#conversation-{threads[1]} .conversation-link").click()
    expect(newcomer.message("Line 59")).to_be_visible()
    page.wait_for_load_state("networkidle")
    opened = scales.weigh()
    print(f"a thread: {opened:,} bytes")
    assert opened <= NEXT_PAGE


@pytest.mark.timeout(300)
def test_nothing_moves_by_itself(newcomer: Person, stack: Stack, fan: dict):
    thread = spoken_with(stack, fan, [f"Line {number}" for number in range(60)])
    newest = f"/api/crm/conversations/{thread}/messages?latest=true"
    wait_until(lambda: all(SENT.fullmatch(each["status"]) for each in stack.call("GET", newest)["messages"]), 30)
    page, session = newcomer.page, newcomer.context.new_cdp_session(newcomer.page)
    page.goto("/messages/onlyfans", wait_until="networkidle")
    expect(newcomer.badge()).to_have_text("Live")
    assert shifts(newcomer) < UNSEEN
    page.locator(f"#conversation-{thread} .conversation-link").click()
    expect(newcomer.message("Line 59")).to_be_visible()
    expect(newcomer.badge()).to_have_text("Live")
    assert shifts(newcomer) < UNSEEN
    for number in range(3):
        stack.sandbox.fan("say", fan["platformFanId"], text=f"News {number}")
        newcomer.read(f"News {number}")
    newcomer.write("An answer")
    expect(newcomer.message("An answer")).to_have_attribute("data-status", SENT)
    assert shifts(newcomer) < UNSEEN
    for slowness in (1, 4, 10):  # on a slow machine a page is painted before its scripts ran
        session.send("Emulation.setCPUThrottlingRate", {"rate": slowness})
        page.reload(wait_until="networkidle")
        expect(newcomer.badge()).to_have_text("Live", timeout=60_000)
        assert shifts(newcomer) < UNSEEN


def shifts(person: Person) -> float:
    """Since the page was loaded, also those that follow a click."""
    found = person.page.evaluate("window.shifts")
    print(*found, sep="\n")
    return sum(value for value, _ in found)
