"""Media under the hands: picked by keyboard, uploaded on the spot, and what a fan bought."""

import io
import re
import zlib
from collections.abc import Callable
from struct import pack

import pytest
from playwright.sync_api import Route, expect

from tests.browser.person import SENT, Person
from tests.browser.stack import Stack


def picture(red: int, side: int = 40) -> bytes:
    """A PNG that a browser shows."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + bytes((red, 120, 160)) * side) * side
    head = chunk(b"IHDR", pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture
def two_pictures(stack: Stack) -> tuple[str, str]:
    """Their names; no other test has them."""
    names = ("lighthouse.png", "harbour.png")
    for red, name in enumerate(names):
        stack.call("POST", "/api/media", files={"file": (name, io.BytesIO(picture(60 * red)), "image/png")})
    return names


def chips(ada: Person):
    return ada.page.locator("#chosen-media .chosen-name")


def file_of(name: str, content: bytes) -> dict:
    return {"name": name, "mimeType": "image/png", "buffer": content}


def test_two_media_one_of_them_free_by_keyboard_alone_and_the_fan_buys(
    ada: Person, stack: Stack, fan: dict, two_pictures: tuple[str, str]
):
    ada.open_conversation(fan)
    page, keys = ada.page, ada.page.keyboard
    ada.composer.focus()
    keys.type("Two views of the sea")
    ada.tab_to("Library")
    keys.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_label("Search by name")).to_be_focused()
    keys.type("harbour")
    expect(page.locator(".tile")).to_have_count(1)
    ada.tab_to("harbour.png")
    keys.press("Space")
    expect(page.locator("[data-count]")).to_have_text("1 chosen")
    ada.tab_to("Search by name")
    keys.press("Control+A")
    keys.type("lighthouse")
    expect(page.locator(".tile-name")).to_have_text(["lighthouse.png"])
    ada.tab_to("lighthouse.png")
    keys.press("Space")
    expect(page.locator("[data-count]")).to_have_text("2 chosen")
    ada.tab_to("Add to the message")
    keys.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(chips(ada)).to_have_text(["harbour.png", "lighthouse.png"])
    expect(ada.composer).to_be_focused()
    expect(page.get_by_label("Free preview").first).to_be_hidden()
    ada.tab_to("Price in dollars")
    keys.type("20")
    for _ in chips(ada).all():
        ada.tab_to("Free preview", key="Shift+Tab")
    keys.press("Space")
    ada.tab_to("Price in dollars")
    keys.press("Enter")
    message = ada.message("Two views of the sea")
    expect(message).to_have_attribute("data-status", SENT)
    expect(message.locator(".preview-mark")).to_have_count(1)
    expect(chips(ada)).to_have_count(0)

    assert known(ada) == {"harbour.png": "Sent", "lighthouse.png": "Sent, not bought"}
    stack.sandbox.fan("buy", fan["platformFanId"], account="acct_demo")
    expect(message).to_contain_text("bought")
    assert known(ada) == {"harbour.png": "Bought $20.00", "lighthouse.png": "Bought $20.00"}


def known(ada: Person) -> dict[str, str]:
    """What the picker says of the two, without the day."""
    page = ada.page
    page.get_by_role("button", name="Library").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    said = {}
    for name in ("harbour.png", "lighthouse.png"):
        tile = page.locator(".tile", has_text=name)
        expect(tile).to_have_class(re.compile("is-known"))
        said[name] = re.sub(r" \d+ \w{3}\b", "", tile.locator(".tile-got").inner_text())
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Library")).to_be_focused()
    return said


def test_files_are_uploaded_as_soon_as_they_are_chosen_dropped_or_pasted(ada: Person, fan: dict):
    ada.expects("status of 415")
    ada.open_conversation(fan)
    page = ada.page
    ada.mark()
    page.locator("#composer input[type=file]").set_input_files(
        [file_of("one.png", picture(1)), file_of("bad.png", b"<html>")]
    )
    expect(page.get_by_role("alert")).to_contain_text("Only pictures, videos and sounds can be sent.")
    give(ada, "paste", "#composer textarea", "two.png")
    give(ada, "drop", "#thread-scroll", "three.png")
    expect(chips(ada)).to_have_text(["one.png", "bad.png", "two.png", "three.png"])
    page.get_by_role("button", name="Remove bad.png").click()
    page.get_by_role("button", name="Remove two.png").click()
    expect(chips(ada)).to_have_text(["one.png", "three.png"])
    ada.write("Two pictures")
    expect(ada.message("Two pictures")).to_have_attribute("data-status", SENT)
    expect(ada.message("Two pictures").locator("img")).to_have_count(2)
    assert not ada.was_reloaded()


def test_files_alone_show_at_once_by_their_names(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.page.locator("#composer input[type=file]").set_input_files(
        [file_of("one.png", picture(1)), file_of("two.png", picture(2))]
    )
    expect(ada.page.get_by_role("progressbar")).to_have_count(0)
    expect(ada.page.get_by_role("button", name="Remove two.png")).to_be_visible()
    held: list[Route] = []
    ada.page.route(re.compile(r"/messages/onlyfans/\d+$"), lambda route: held.append(route), times=1)
    ada.page.get_by_role("button", name="Send", exact=True).click()
    going = ada.page.locator("#messages > .is-going")
    expect(going.locator(".attachment-file")).to_have_text(["one.png", "two.png"])
    expect(going).to_contain_text("On its way…")
    thread = ada.page.url
    ada.page.goto("/fans")  # what was to be sent is kept all the same
    ada.page.goto(thread)
    expect(chips(ada)).to_have_text(["one.png", "two.png"])
    ada.page.get_by_role("button", name="Send", exact=True).click()
    expect(ada.page.locator("#messages > .message img")).to_have_count(2)
    expect(going).to_have_count(0)
    expect(chips(ada)).to_have_count(0)


def give(ada: Person, kind: str, where: str, name: str) -> None:
    """A file from the clipboard or the desktop, which no test can reach with its hands."""
    ada.page.evaluate(
        """([kind, where, name, bytes]) => {
          const carried = new DataTransfer();
          carried.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
          const event = kind === "paste"
            ? new ClipboardEvent("paste", { clipboardData: carried, bubbles: true, cancelable: true })
            : new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true });
          document.querySelector(where).dispatchEvent(event);
        }""",
        [kind, where, name, list(picture(9))],
    )


def test_a_message_waits_for_a_file_that_is_still_coming(ada: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    held: list[Route] = []
    ada.page.route(re.compile("/media/upload$"), lambda route: held.append(route))
    ada.page.locator("#composer input[type=file]").set_input_files([file_of("slow.png", picture(3))])
    expect(ada.page.get_by_role("progressbar", name="Uploading slow.png")).to_be_visible()
    ada.composer.fill("With a picture")
    ada.composer.press("Control+Enter")
    expect(ada.page.locator("#announcer")).to_contain_text("Wait until")
    assert ada.texts() == []
    while not held:
        ada.page.wait_for_timeout(10)
    held.pop().continue_()
    expect(ada.page.get_by_role("button", name="Remove slow.png")).to_be_visible()
    expect(ada.page.get_by_role("progressbar")).to_have_count(0)
    ada.composer.press("Control+Enter")
    expect(ada.message("With a picture").locator("img")).to_have_count(1)


def test_the_library_by_plain_forms(visit: Callable[..., Person], fan: dict, two_pictures: tuple[str, str]):
    ada = visit("ada", java_script_enabled=False)
    ada.open_conversation(fan)
    page = ada.page
    ada.composer.fill("By plain forms")
    page.get_by_label("Price in dollars").fill("12")
    page.get_by_role("button", name="Library").click()
    page.get_by_label("lighthouse.png").first.check()
    page.get_by_label("Search by name").fill("harbour")
    page.get_by_role("button", name="Show").click()
    page.get_by_label("harbour.png").first.check()
    page.get_by_role("button", name="Add to the message").click()
    expect(chips(ada)).to_have_text(["lighthouse.png", "harbour.png"])
    page.get_by_role("button", name="Remove harbour.png").click()
    expect(chips(ada)).to_have_text(["lighthouse.png"])
    expect(ada.composer).to_have_value("By plain forms")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(ada.message("By plain forms")).to_contain_text("$12.00")


def test_a_medium_shows_nothing_but_itself(ada: Person, stack: Stack):
    """Also where a stranger's file got past the first look: no script of it runs."""
    made = stack.call(
        "POST", "/api/media", files={"file": ("x.html", b"GIF89a<script>window.ran=1</script>", "text/html")}
    )
    ada.expects("Applying inline style")
    ada.page.goto("/messages/onlyfans")
    answer = ada.page.request.get(made["url"])
    assert answer.headers["content-type"] == "image/gif"
    ada.page.goto(made["url"])
    assert ada.page.evaluate("window.ran") is None
