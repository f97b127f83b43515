"""A message to many, watched from its page while a reply overtakes it."""

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.servers import wait_until

FANS = range(201, 251)
LIMIT, SECONDS = 10, 2
WHOLE_MS = 25_000
RUNS = re.compile(r"Done about [\w, :]+ UTC · (\d+) in the last minute")


@pytest.fixture
def narrow_pace(stack: Stack) -> Iterator[None]:
    """The product's pace, and the same limit on the platform's own side."""
    stack.set_pace(LIMIT, SECONDS)
    stack.sandbox.reset()
    stack.sandbox.faults(limit=LIMIT, windowSeconds=SECONDS)
    yield
    stack.sandbox.faults()
    stack.set_pace(1000, 1)


def test_fifty_fans_at_the_pace_and_a_reply_goes_first(
    ada: Person, bob: Person, stack: Stack, fan: dict, narrow_pace: None
):
    stack.tag_fans(FANS, "Fifty")
    bob.open_conversation(fan)
    page = ada.page
    page.goto("/campaigns/new")
    page.get_by_label("Name").fill("News for fifty")
    page.get_by_label("Who gets it").select_option(label="Tagged Fifty")
    page.get_by_label("Message", exact=True).fill("Hello to all of you")
    page.get_by_role("button", name="Send to 50 fans").click()
    expect(page.get_by_role("heading", name="News for fifty")).to_be_visible()
    ada.mark()
    expect(page.locator(".meter-count")).to_have_text(re.compile(r"^[1-9]\d? of 50"))

    bob.write("A reply in between")
    expect(bob.message("A reply in between")).to_have_attribute("data-status", SENT)

    expect(page.locator(".meter-count")).to_have_text("50 of 50", timeout=WHOLE_MS)
    expect(page.locator("#progress .state").first).to_contain_text("Completed")
    assert not ada.was_reloaded()
    sends = stack.sandbox.sends()
    assert [each["outcome"] for each in sends] == ["accepted"] * 51
    assert stack.sandbox.stats()["violations"] == 0
    assert len({each["chatId"] for each in sends}) == 51
    place = [each["text"] for each in sends].index("A reply in between")
    ahead = [each for each in sends[:place] if each["receivedAt"] > taken_at(stack, fan, "A reply in between")]
    assert len(ahead) <= 3, "a reply goes with the next free slot"
    assert len(sends) - place > 20


def test_its_rate_and_its_end_move_while_it_runs(ada: Person, stack: Stack, narrow_pace: None):
    body = {"recipientIds": list(FANS), "content": "Hello to you", "campaignName": "At a slow pace"}
    campaign = stack.call("POST", "/api/messages/bulk", json=body)["campaignId"]
    page = ada.page
    page.goto(f"/campaigns/{campaign}")
    ada.mark()
    running = page.locator("#progress")
    expect(running).to_contain_text(RUNS)
    before = rate(running)
    wait_until(lambda: rate(running) > before)
    expect(page.locator(".meter-count")).to_have_text("50 of 50", timeout=WHOLE_MS)
    expect(running).to_contain_text(re.compile(r"Ended [\w, :]+ UTC"))
    expect(running).not_to_contain_text("in the last minute")
    assert not ada.was_reloaded()


def test_the_rest_is_cancelled_after_a_question_that_stays_while_the_page_moves(
    ada: Person, stack: Stack, narrow_pace: None
):
    body = {"recipientIds": list(FANS), "content": "Hello to you", "campaignName": "To be cancelled"}
    campaign = stack.call("POST", "/api/messages/bulk", json=body)["campaignId"]
    page = ada.page
    page.goto(f"/campaigns/{campaign}")
    page.locator("#progress summary", has_text="Cancel the rest").click()
    asked = page.get_by_role("button", name="Cancel the rest for good")
    expect(asked).to_be_visible()
    said = page.locator(".meter-count").inner_text()
    expect(page.locator(".meter-count")).not_to_have_text(said)
    expect(asked).to_be_visible()
    asked.click()
    expect(page.locator("#progress .state").first).to_contain_text("Cancelled")


def rate(running: Locator) -> int:
    """How many went out in the last minute, as the page says it."""
    found = RUNS.search(running.inner_text())
    assert found is not None
    return int(found[1])


def taken_at(stack: Stack, fan: dict, text: str) -> float:
    """When the server had the message, in seconds since 1970: how long a browser takes to type it is none of its doing."""
    thread = stack.call("POST", "/api/crm/conversations", json={"fanId": fan["id"]})["id"]
    messages = stack.call("GET", f"/api/crm/conversations/{thread}/messages?latest=true")["messages"]
    taken = next(each["createdAt"] for each in messages if each["text"] == text)
    return datetime.fromisoformat(taken).timestamp()
