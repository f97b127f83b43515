"""A thread opened, left, scrolled and written in: one request each, nothing lost, nothing jumps."""

import re
from collections.abc import Callable

from playwright.sync_api import Request, Route, expect

from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.servers import wait_until

PAGES = re.compile(r"/messages/onlyfans/\d+$")


def spoken_with(stack: Stack, fan: dict, texts: list[str]) -> int:
    """A thread with these messages. Returns its id."""
    conversation = stack.call("POST", "/api/crm/conversations", json={"fanId": fan["id"]})["id"]
    for text in texts:
        stack.call("POST", f"/api/crm/conversations/{conversation}/messages", json={"text": text})
    return conversation


def test_a_thread_opens_with_one_request_and_back_is_back(ada: Person, stack: Stack, silent_fans):
    first, second = next(silent_fans), next(silent_fans)
    ids = [spoken_with(stack, fan, [f"For {fan['name']}"]) for fan in (first, second)]
    page = ada.page
    page.goto("/messages/onlyfans?sort=newest")
    expect(ada.badge()).to_have_text("Live")
    ada.mark()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))
    for number, (fan, conversation) in enumerate(zip((first, second), ids, strict=True), 1):
        page.locator(f"#conversation-{conversation} .conversation-link").click()
        expect(ada.message(f"For {fan['name']}")).to_be_visible()
        expect(page).to_have_url(re.compile(rf"/messages/onlyfans/{conversation}(\?|$)"))
        expect(page).to_have_title(re.compile(f"{re.escape(fan['name'])} · Inbox · Greenroom$"))
        expect(page.locator(f"#conversation-{conversation} .conversation-link")).to_have_attribute(
            "aria-current", "true"
        )
        expect(page.locator("#conversations [aria-current]")).to_have_count(1)
        expect(ada.composer).to_be_focused()
        page.wait_for_timeout(1500)
        pages = [each for each in asked if each.resource_type in ("document", "fetch", "xhr")]
        assert len(pages) == number, [each.url for each in pages]
    page.go_back()
    expect(ada.message(f"For {first['name']}")).to_be_visible()
    page.go_back()
    expect(ada.composer).to_have_count(0)
    page.go_forward()
    expect(ada.message(f"For {first['name']}")).to_be_visible()
    expect(ada.badge()).to_have_text("Live")
    assert not ada.was_reloaded()
    ada.write("Written after all that")
    expect(ada.message("Written after all that")).to_have_attribute("data-status", SENT)


def test_whoever_goes_on_to_the_search_while_a_thread_opens_types_there(ada: Person, stack: Stack, silent_fans):
    conversation = spoken_with(stack, next(silent_fans), ["Slow to come"])
    page = ada.page
    held: list[Route] = []
    page.goto("/messages/onlyfans")
    expect(ada.badge()).to_have_text("Live")
    page.route(re.compile(rf"/messages/onlyfans/{conversation}(\?|$)"), lambda route: held.append(route))
    page.locator(f"#conversation-{conversation} .conversation-link").press("Enter")
    wait_until(lambda: page.wait_for_timeout(50) or bool(held))
    page.keyboard.press("/")
    page.keyboard.type("some")
    held[0].continue_()
    expect(ada.message("Slow to come")).to_be_visible()
    page.keyboard.type("body")
    page.wait_for_timeout(300)
    page.keyboard.type(" else")
    expect(page.get_by_label("Search conversations")).to_have_value("somebody else")
    expect(ada.composer).to_have_value("")


def test_older_messages_come_while_scrolling_and_the_place_is_kept(ada: Person, stack: Stack, fan: dict):
    texts = [f"Line {number:03}" for number in range(120)]
    conversation = spoken_with(stack, fan, texts)
    page = ada.page
    page.goto(f"/messages/onlyfans/{conversation}")
    expect(ada.message("Line 119")).to_be_in_viewport()
    assert len(ada.texts()) == 50
    scroller = page.locator("#thread-scroll")
    while len(ada.texts()) < 120:
        known = len(ada.texts())
        scroller.evaluate("each => { each.scrollTop = 150 }")
        top = ada.message(ada.texts()[4])
        before = top.bounding_box()
        expect(page.locator("#messages .message-text")).not_to_have_count(known)
        after = top.bounding_box()
        assert before
        assert after
        assert abs(before["y"] - after["y"]) < 3
    assert ada.texts() == texts
    assert page.locator("#messages > .day").count() == len(
        set(page.locator("#messages > [data-row]").evaluate_all("rows => rows.map(each => each.dataset.day)"))
    )
    expect(page.locator("#messages > :first-child")).to_have_class("day")


def test_a_draft_goes_along_to_another_window_and_colleagues_see_who_writes(
    ada: Person, bob: Person, visit: Callable[..., Person], fan: dict
):
    ada.open_conversation(fan)
    bob.open_conversation(fan)
    ada.composer.press_sequentially("I was just about to say")
    expect(bob.page.get_by_text("Ada Green is writing…")).to_be_visible()
    expect(ada.page.locator("#writing")).to_be_empty()
    with ada.page.expect_response(re.compile("/draft$")):
        ada.composer.press_sequentially(" that")
    elsewhere = visit("ada")
    elsewhere.open_conversation(fan)
    expect(elsewhere.composer).to_have_value("I was just about to say that")
    elsewhere.write("I was just about to say that it is done")
    expect(bob.message("it is done")).to_be_visible()
    expect(bob.page.locator("#writing")).to_be_empty()
    ada.page.reload()
    expect(ada.composer).to_have_value("")


def test_what_was_typed_just_before_leaving_the_thread_is_kept(ada: Person, stack: Stack, silent_fans):
    first, second = next(silent_fans), next(silent_fans)
    ids = [spoken_with(stack, fan, ["Hello"]) for fan in (first, second)]
    page = ada.page
    page.goto(f"/messages/onlyfans/{ids[0]}")
    ada.composer.press_sequentially("Half a sen")
    page.locator(f"#conversation-{ids[1]} .conversation-link").click()
    expect(page).to_have_title(re.compile(re.escape(second["name"])))
    expect(ada.composer).to_have_value("")
    page.locator(f"#conversation-{ids[0]} .conversation-link").click()
    expect(ada.composer).to_have_value("Half a sen")


def test_an_answer_is_stopped_once_by_what_came_in_the_same_moment(ada: Person, bob: Person, fan: dict):
    ada.expects("status of 422")
    ada.open_conversation(fan)
    bob.open_conversation(fan)
    ada.composer.fill("My answer")
    bob.write("Bob was quicker")
    expect(ada.message("Bob was quicker")).to_be_visible()
    ada.composer.press("Control+Enter")
    expect(ada.page.locator("#composer [role=alert]")).to_contain_text("Bob was quicker")
    expect(ada.composer).to_have_value("My answer")
    expect(ada.composer).to_be_focused()
    ada.composer.press("Control+Enter")
    expect(ada.message("My answer")).to_have_attribute("data-status", SENT)
    assert ada.texts() == ["Bob was quicker", "My answer"]
    bob.read("My answer")
    bob.write("And now, having seen it, without being stopped")
    expect(ada.message("without being stopped")).to_be_visible()


def test_who_comes_back_reads_what_others_did(ada: Person, bob: Person, fan: dict):
    ada.open_conversation(fan)
    ada.page.goto("/fans")
    bob.open_conversation(fan)
    bob.write("I promised him a picture")
    expect(bob.message("I promised him a picture")).to_have_attribute("data-status", SENT)
    ada.open_conversation(fan)
    expect(ada.page.get_by_text("Since you last looked")).to_be_visible()
    expect(ada.page.get_by_text(re.compile(r"wrote 1 message\."))).to_be_visible()
    expect(ada.page.locator("#messages > .new-line")).to_be_visible()
    ada.page.reload()
    expect(ada.page.get_by_text("Since you last looked")).to_have_count(0)


def test_links_lead_out_safely_and_anything_wraps(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.write("See https://example.com/a?b=<i>c&d. Or " + "w" * 300 + " مرحبا 👩‍👩‍👧")
    link = ada.page.locator("#messages .message-text a")
    expect(link).to_have_attribute("href", "https://example.com/a?b=")
    expect(link).to_have_attribute("rel", re.compile("noopener noreferrer"))
    scroller = ada.page.locator("#thread-scroll")
    assert scroller.evaluate("each => each.scrollWidth <= each.clientWidth")
