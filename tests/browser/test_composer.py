"""Under the hands of someone who writes all day."""

import re
from collections.abc import Callable

from playwright.sync_api import Route, expect

from app.config import DEMO
from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.browser.test_two_people import accepted


def test_an_error_stands_beside_the_field_and_nothing_is_lost(ada: Person, fan: dict):
    ada.expects("status of 422")
    ada.open_conversation(fan)
    page = ada.page
    ada.mark()
    page.get_by_label("Price in dollars").fill("12.50")
    ada.write("Something for you")
    expect(page.locator("#composer [role=alert]")).to_contain_text("attachment")
    expect(ada.composer).to_have_value("Something for you")
    expect(page.get_by_label("Price in dollars")).to_have_value("12.50")
    assert ada.texts() == []
    page.get_by_label("Price in dollars").fill("")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(ada.message("Something for you")).to_have_attribute("data-status", SENT)
    expect(page.locator("#composer [role=alert]")).to_have_count(0)
    assert not ada.was_reloaded()


def test_a_double_click_sends_once(ada: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    ada.composer.fill("Only once")
    ada.page.get_by_role("button", name="Send", exact=True).dblclick()
    expect(ada.message("Only once")).to_have_attribute("data-status", SENT)
    ada.write("And then this")
    expect(ada.message("And then this")).to_have_attribute("data-status", SENT)
    assert ada.texts() == ["Only once", "And then this"]
    assert accepted(stack, fan) == ["Only once", "And then this"]


def test_ctrl_enter_sends_and_the_focus_comes_back(ada: Person, fan: dict):
    ada.open_conversation(fan)
    for text in ("By the keyboard", "And again"):
        ada.composer.press_sequentially(text)
        ada.composer.press("Control+Enter")
        expect(ada.message(text)).to_be_visible()
        expect(ada.composer).to_have_value("")
        expect(ada.composer).to_be_focused()
    assert ada.texts() == ["By the keyboard", "And again"]


def hold_first(ada: Person) -> list[Route]:
    """Sends a message whose request is held on its way."""
    held: list[Route] = []
    ada.page.route(re.compile(r"/messages/onlyfans/\d+$"), lambda route: held.append(route))
    ada.composer.press_sequentially("The first")
    ada.composer.press("Control+Enter")
    return held


def let_go(ada: Person, held: list[Route]) -> None:
    while not held:
        ada.page.wait_for_timeout(10)
    held.pop().continue_()


def test_what_is_typed_while_a_message_is_on_its_way_stays(ada: Person, fan: dict):
    ada.open_conversation(fan)
    held = hold_first(ada)
    ada.page.keyboard.type(" and already the next")
    let_go(ada, held)
    expect(ada.message("The first")).to_be_visible()
    expect(ada.composer).to_have_value("and already the next")
    assert ada.texts() == ["The first"]
    expect(ada.composer).to_be_focused()


def test_whoever_went_on_to_another_control_meanwhile_stays_on_it(ada: Person, fan: dict):
    ada.open_conversation(fan)
    held = hold_first(ada)
    ada.tab_to("Library")
    let_go(ada, held)
    expect(ada.composer).to_have_value("")
    expect(ada.page.get_by_role("button", name="Library")).to_be_focused()


def test_whoever_left_the_field_meanwhile_types_nothing_into_it(ada: Person, fan: dict):
    """Escape, and then a key that means something else."""
    ada.open_conversation(fan)
    held = hold_first(ada)
    ada.page.keyboard.press("Escape")
    let_go(ada, held)
    expect(ada.composer).to_have_value("")
    expect(ada.message("The first")).to_be_visible()
    ada.page.wait_for_timeout(300)
    expect(ada.composer).not_to_be_focused()
    ada.page.keyboard.press("r")
    expect(ada.composer).to_be_focused()
    expect(ada.composer).to_have_value("")


def test_a_second_message_written_before_the_first_has_left_follows_it(ada: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    held: list[Route] = []
    ada.page.route(
        re.compile(r"/messages/onlyfans/\d+$"), lambda route: route.continue_() if held else held.append(route)
    )
    ada.composer.fill("The first")
    ada.composer.press("Control+Enter")
    ada.composer.fill("The second")
    ada.composer.press("Control+Enter")
    ada.composer.press("Control+Enter")
    while not held:
        ada.page.wait_for_timeout(10)
    held[0].continue_()
    expect(ada.message("The second")).to_have_attribute("data-status", SENT)
    expect(ada.composer).to_have_value("")
    ada.page.wait_for_timeout(500)
    assert ada.texts() == ["The first", "The second"]
    assert accepted(stack, fan) == ["The first", "The second"]


def test_from_sign_in_to_a_sent_message_by_the_keyboard_alone(visit: Callable[..., Person], fan: dict):
    ada = visit()
    page, keys = ada.page, ada.page.keyboard
    page.goto("/login")
    keys.type(DEMO["email"])
    keys.press("Tab")
    keys.type(DEMO["password"])
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    ada.tab_to("Fans")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Fans")).to_be_visible()
    ada.tab_to("Search fans")
    keys.type(fan["handle"])
    expect(page.locator(".count")).to_contain_text("found")
    ada.tab_to(fan["name"])
    keys.press("Enter")
    expect(page.get_by_role("heading", name=fan["name"])).to_be_visible()
    ada.tab_to("Open conversation")
    keys.press("Enter")
    expect(ada.composer).to_be_focused()
    keys.type("Not one click")
    keys.press("Control+Enter")
    expect(ada.message("Not one click")).to_have_attribute("data-status", SENT)
