"""What is begun in the composer stays under the hands: beside the header's actions, on coming back, without a quick reply."""

from playwright.sync_api import Route, expect

from tests.browser.person import Person
from tests.browser.stack import Stack
from tests.browser.test_thread import spoken_with
from tests.servers import wait_until


def test_what_was_just_typed_is_there_after_an_action_of_the_header(ada: Person, fan: dict):
    ada.open_conversation(fan)
    page = ada.page
    held: list[Route] = []
    page.route("**/draft", lambda route: held.append(route), times=1)
    ada.composer.press_sequentially("half a reply")
    page.get_by_role("button", name="Pin to the top").click()
    wait_until(lambda: page.wait_for_timeout(100) or bool(held))
    expect(page.get_by_text("Pinned to the top.")).to_have_count(0)
    held[0].continue_()
    expect(page.get_by_text("Pinned to the top.")).to_be_visible()
    expect(ada.composer).to_have_value("half a reply")
    page.get_by_role("button", name="No longer on top").click()
    expect(page.get_by_text("No longer pinned.")).to_be_visible()
    expect(ada.composer).to_have_value("half a reply")


def test_a_draft_is_gone_on_with_at_its_end(ada: Person, stack: Stack, silent_fans):
    first, second = (spoken_with(stack, next(silent_fans), ["Hello"]) for _ in range(2))
    page, keys = ada.page, ada.page.keyboard
    page.goto(f"/messages/onlyfans/{first}")
    expect(ada.badge()).to_have_text("Live")
    keys.type("I will send you")
    page.locator(f"#conversation-{second} .conversation-link").click()
    expect(ada.composer).to_have_value("")
    page.locator(f"#conversation-{first} .conversation-link").click()
    expect(ada.composer).to_have_value("I will send you")
    expect(ada.composer).to_be_focused()
    with page.expect_response("**/draft"):
        keys.type(" two")
    expect(ada.composer).to_have_value("I will send you two")
    page.reload()
    expect(ada.badge()).to_have_text("Live")
    expect(ada.composer).to_be_focused()
    keys.type(" pictures")
    expect(ada.composer).to_have_value("I will send you two pictures")


def test_the_buttons_slash_goes_where_nothing_is_chosen(ada: Person, fan: dict):
    ada.open_conversation(fan)
    button, box = ada.page.locator("[data-replies]"), ada.page.locator(".replies-box")
    button.click()
    expect(ada.composer).to_have_value("/")
    expect(box).to_be_visible()
    ada.composer.press("Escape")
    expect(ada.composer).to_have_value("")
    ada.composer.press_sequentially("/")  # one's own stays
    expect(box).to_be_visible()
    ada.composer.blur()
    expect(box).to_have_count(0)
    expect(ada.composer).to_have_value("/")
    ada.composer.fill("Hello")
    button.click()
    expect(box).to_be_visible()
    ada.composer.press("Control+Enter")
    expect(ada.message("Hello")).to_have_count(1)
    assert [text.strip() for text in ada.texts()] == ["Hello"]
