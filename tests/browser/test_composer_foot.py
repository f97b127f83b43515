"""What stands below an answer: in one row where there is room, and a file that is attached by its address."""

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser.person import SENT, Person
from tests.browser.test_media import chips, picture

TOPS = """[...document.querySelectorAll(".composer-foot > *, .composer-go > *")]
  .filter((each) => each.getClientRects().length && each.offsetWidth > 1)
  .map((each) => Math.round(each.getBoundingClientRect().top + each.offsetHeight / 2))"""


@pytest.fixture
def site() -> Iterator[str]:
    """Where a picture lies, on a host that the operator trusts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(picture(7))

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("localhost", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(("width", "rows"), [(1280, 1), (1400, 1), (1920, 1), (390, 2)])
def test_all_stands_in_one_row_and_send_beside_its_clock(
    visit: Callable[..., Person], fan: dict, width: int, rows: int
):
    ada = visit("ada", viewport={"width": width, "height": 850})
    ada.open_conversation(fan)
    middles = ada.page.evaluate(TOPS)
    assert len([each for each in sorted(set(middles)) if each - 1 not in middles]) == rows
    send, clock = ada.page.locator(".composer-send").bounding_box(), ada.page.locator(".send-later").bounding_box()
    assert send is not None
    assert clock is not None
    assert send["y"] == clock["y"]
    assert clock["x"] + clock["width"] < width
    ada.page.get_by_label("Attach by address").click()
    field = ada.page.get_by_label("Address of a picture").bounding_box()
    assert field is not None
    assert field["x"] > 0
    assert field["x"] + field["width"] < width


@pytest.mark.parametrize("size", [(640, 360), (844, 390)], ids=["at twice the size", "across"])
def test_with_little_height_the_messages_have_a_third_of_it(
    visit: Callable[..., Person], fan: dict, size: tuple[int, int]
):
    ada = visit("ada", viewport={"width": size[0], "height": size[1]})
    ada.open_conversation(fan)
    room = ada.page.locator("#thread-scroll").bounding_box()
    assert room is not None
    assert room["height"] > size[1] / 3
    for part in (ada.composer, ada.page.locator(".composer-send"), ada.page.locator(".triage [value=archive]")):
        expect(part).to_be_in_viewport(ratio=1)
    way_on = ada.page.get_by_label("Back to the inbox").or_(ada.page.locator(".topbar-menu")).filter(visible=True)
    expect(way_on).to_have_count(1)


def test_attached_by_its_address_by_keyboard(ada: Person, fan: dict, site: str):
    ada.open_conversation(fan)
    page, keys = ada.page, ada.page.keyboard
    ada.composer.focus()
    keys.type("Look at this")
    ada.tab_to("Attach by address")
    keys.press("Enter")
    ada.tab_to("Address of a picture, video or sound")
    keys.type("https://127.0.0.1/a.png")
    ada.expects("status of 400")
    keys.press("Enter")
    fault = page.locator("#address-error")
    expect(fault).to_contain_text("private network")
    field = page.get_by_label("Address of a picture")
    expect(field).to_be_focused()
    keys.press("Control+A")
    keys.type(f"{site}/jetty.png")
    keys.press("Enter")
    expect(chips(ada)).to_have_text(["jetty.png"])
    expect(fault).to_be_hidden()
    expect(page.get_by_label("Attach by address")).to_be_focused()
    assert ada.texts() == []
    ada.composer.press("Control+Enter")
    message = ada.message("Look at this")
    expect(message).to_have_attribute("data-status", SENT)
    expect(message.locator("img")).to_have_count(1)


def test_attached_by_its_address_by_plain_forms(visit: Callable[..., Person], fan: dict, site: str):
    ada = visit("ada", java_script_enabled=False)
    ada.open_conversation(fan)
    page = ada.page
    ada.composer.fill("Look at this")
    page.locator(".by-address > summary").click()
    page.locator("#address").fill("https://127.0.0.1/a.png")
    page.get_by_role("button", name="Fetch and attach").click()
    expect(page.locator("#address-error")).to_contain_text("private network")
    page.locator("#address").fill(f"{site}/jetty.png")
    page.get_by_role("button", name="Fetch and attach").click()
    expect(chips(ada)).to_have_text(["jetty.png"])
    expect(ada.composer).to_have_value("Look at this")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#messages > .message", has_text="Look at this").locator("img")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/messages/onlyfans/\d+$"))
