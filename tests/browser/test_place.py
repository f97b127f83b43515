"""A thread opens at its newest message and stays there, whoever looks at it."""

import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import Person
from tests.browser.stack import Stack
from tests.browser.test_media import picture
from tests.browser.test_thread import spoken_with

VERA = {"email": "vera@example.com", "password": "correct horse battery"}
BELOW = "each => each.scrollHeight - each.scrollTop - each.clientHeight"


@pytest.fixture
def vera(stack: Stack, visit: Callable[..., Person]) -> Person:
    """Who may read, and not answer."""
    stack.add_person(**VERA, role="viewer")
    vera = visit()
    vera.sign_in(**VERA)
    return vera


def test_who_only_looks_sees_the_newest_the_news_and_what_is_older(vera: Person, stack: Stack, silent_fans):
    fan, other = next(silent_fans), next(silent_fans)
    conversation = spoken_with(stack, fan, [f"Line {number:03}" for number in range(60)])
    spoken_with(stack, other, ["Of another"])
    page = vera.page
    page.goto(f"/messages/onlyfans/{conversation}")
    expect(vera.badge()).to_have_text("Live")
    expect(page.get_by_text("You may read this, not answer.")).to_be_visible()
    expect(vera.message("Line 059")).to_be_in_viewport()
    stack.sandbox.fan("say", fan["platformFanId"], text="Anybody there?")
    expect(vera.message("Anybody there?")).to_be_in_viewport()
    page.wait_for_timeout(1_500)  # so long it is read by who answers
    expect(page.locator(f"#conversation-{conversation} .unread")).to_be_visible()
    scroll_up(page)
    expect(vera.message("Line 000")).to_be_attached()
    page.locator("#conversations .conversation-link", has_text=other["name"]).click()
    expect(vera.message("Of another")).to_be_in_viewport()
    page.locator("#conversations .conversation-link", has_text=fan["name"]).click()
    expect(vera.message("Anybody there?")).to_be_in_viewport()
    scroll_up(page)
    expect(vera.message("Line 000")).to_be_attached()


def scroll_up(page: Page) -> None:
    """By hand."""
    page.locator("#thread-scroll").hover()
    for _ in range(10):
        page.mouse.wheel(0, -2_000)
        page.wait_for_timeout(50)


def test_a_thread_with_a_picture_opens_at_its_newest_each_time(ada: Person, stack: Stack, fan: dict):
    conversation = spoken_with(stack, fan, [f"Line {number:03}" for number in range(12)])
    file = {"file": ("harbour.png", io.BytesIO(picture(7, side=400)), "image/png")}
    url = stack.call("POST", "/api/media", files=file)["url"]
    address = f"/api/crm/conversations/{conversation}/messages"
    stack.call("POST", address, json={"text": "The harbour", "attachments": [{"url": url, "type": "photo"}]})
    for number in range(3):
        stack.call("POST", address, json={"text": f"After it {number}"})
    page = ada.page
    page.goto(f"/messages/onlyfans/{conversation}")
    for _ in range(12):
        page.reload()
        expect(ada.badge()).to_have_text("Live")
        page.wait_for_timeout(300)
        assert page.locator("#thread-scroll").evaluate(BELOW) < 1
