"""Updates disturb nobody: the focus stays, nothing jumps under the pointer, and who cannot see hears what came."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.person import SENT, Person
from tests.browser.shown import equals_a_fresh_load
from tests.browser.stack import Stack
from tests.browser.storm import Desk
from tests.browser.test_never_a_gap import cookie_of
from tests.browser.test_thread import spoken_with
from tests.servers import wait_until

ORDER = "() => [...document.querySelectorAll('#conversations > li:not([hidden])')].map((row) => row.id)"


@pytest.fixture
def desk_of(stack: Stack, sessions: dict[str, Any]) -> Callable[[int], Desk]:
    """Ada's notes, written elsewhere."""
    return lambda thread: Desk(stack.url, cookie_of(sessions["ada"]), thread)


def archive(stack: Stack, thread: int) -> None:
    """As a colleague does."""
    stack.call("PUT", f"/api/crm/conversations/{thread}", json={"archived": True})


def test_the_focus_stays_on_a_link_whose_row_is_changed(ada: Person, desk_of: Callable[[int], Desk], stack, fan):
    thread = spoken_with(stack, fan, ["Hello"])
    desk = desk_of(thread)
    note = desk.note("See https://example.com/here")
    ada.page.goto(f"/messages/onlyfans/{thread}")
    expect(ada.badge()).to_have_text("Live")
    link = ada.page.locator("#messages > .note").get_by_role("link", name="example.com")
    link.focus()
    desk.change(note, "He sells chairs: see https://example.com/here")
    expect(ada.page.get_by_text("He sells chairs")).to_be_visible()
    expect(link).to_be_focused()


def test_the_focus_goes_to_a_neighbour_when_its_row_is_put_away(ada: Person, stack: Stack, silent_fans):
    below, above = (spoken_with(stack, next(silent_fans), ["Hello"]) for _ in range(2))
    page = ada.page
    page.goto("/messages/onlyfans")
    expect(ada.badge()).to_have_text("Live")
    expect(page.locator(f"#conversation-{below}")).to_be_visible()
    page.locator(f"#conversation-{above} .conversation-link").focus()
    archive(stack, above)
    expect(page.locator(f"#conversation-{above}")).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('.conversation-link')")


def test_nothing_moves_or_goes_away_under_the_pointer(ada: Person, stack: Stack, silent_fans):
    moving, leaving = next(silent_fans), next(silent_fans)
    ids = [spoken_with(stack, each, ["Hello"]) for each in (moving, leaving)]
    page = ada.page
    page.goto("/messages/onlyfans")
    expect(ada.badge()).to_have_text("Live")
    rows = [page.locator(f"#conversation-{each}") for each in ids]
    rows[0].hover()
    order, place = page.evaluate(ORDER), rows[0].bounding_box()
    archive(stack, ids[1])
    stack.sandbox.fan("say", moving["platformFanId"], text="I move up, but not yet")
    expect(rows[0]).to_contain_text("I move up, but not yet")
    assert page.evaluate(ORDER) == order
    assert rows[0].bounding_box() == place
    page.mouse.move(1000, 400)
    expect(rows[1]).to_be_hidden()
    wait_until(lambda: page.evaluate(ORDER)[0] == f"conversation-{ids[0]}")


def test_j_and_k_go_on_from_where_they_are_when_rows_move(ada: Person, stack: Stack, silent_fans):
    fans = [next(silent_fans) for _ in range(4)]
    ids = [f"conversation-{spoken_with(stack, each, ['Hello'])}" for each in fans]
    page, keys = ada.page, ada.page.keyboard
    page.goto("/messages/onlyfans")
    expect(ada.badge()).to_have_text("Live")

    def moves_up(number: int) -> list[str]:
        time.sleep(1)  # the platform tells whole seconds: within one nobody knows who spoke last
        stack.sandbox.fan("say", fans[number]["platformFanId"], text="Up I go")
        expect(page.locator(f"#{ids[number]}")).to_contain_text("Up I go")
        wait_until(
            lambda: (
                page.evaluate(ORDER).index(ids[number]) < min(map(page.evaluate(ORDER).index, {*ids} - {ids[number]}))
            )
        )
        return page.evaluate(ORDER)

    def is_at(row: str) -> None:
        expect(page.locator(f"#{row} .conversation-link")).to_be_focused()

    while page.evaluate("document.activeElement.closest('li')?.id") != ids[2]:
        keys.press("j")
    order = moves_up(0)  # from below it to the top
    is_at(ids[2])
    keys.press("j")
    is_at(order[order.index(ids[2]) + 1])
    keys.press("k")
    is_at(ids[2])
    order = moves_up(2)  # itself
    is_at(ids[2])
    keys.press("j")
    is_at(order[order.index(ids[2]) + 1])


def test_a_screen_reader_hears_what_the_fan_says(ada: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    ada.write("Mine is not read out")
    expect(ada.message("Mine is not")).to_have_attribute("data-status", SENT)
    announcer = ada.page.get_by_role("status").and_(ada.page.locator("#announcer"))
    expect(announcer).to_be_empty()
    stack.sandbox.fan("say", fan["platformFanId"], text="Do you hear me?")
    expect(announcer).to_have_text("New message: Do you hear me?")


def test_of_a_burst_a_screen_reader_hears_how_many_and_the_last(ada: Person, bob: Person, stack: Stack, fan: dict):
    bob.open_conversation(fan)
    ada.open_conversation(fan)
    heard = ada.page.evaluate_handle("""() => {
      const heard = [], announcer = document.getElementById("announcer");
      new MutationObserver(() => heard.push(announcer.textContent)).observe(announcer, { childList: true });
      return heard;
    }""")
    for word in ("One", "Two", "Three"):
        stack.sandbox.fan("say", fan["platformFanId"], text=f"{word} of three")
    bob.composer.press("Alt+n")
    bob.composer.fill("He is in a hurry")
    bob.composer.press("Control+Enter")
    for person in (ada, bob):
        expect(person.message("Three of three")).to_be_visible()
    expect(ada.page.locator("#messages > .note")).to_be_visible()
    ada.page.wait_for_timeout(1_500)
    said = ". ".join(heard.json_value())
    alone, many = said.count("New message: "), [int(each) for each in re.findall(r"(\d+) new messages from", said)]
    assert alone + sum(many) == 3
    assert many
    assert f"new messages from {fan['name']}: … " in said
    assert said.count("A new note") == 1


def test_news_of_what_is_not_on_the_page_comes_with_its_page(ada: Person, desk_of: Callable[[int], Desk], stack, fan):
    thread = spoken_with(stack, fan, [])
    desk = desk_of(thread)
    note = desk.note("Above it all")
    assert spoken_with(stack, fan, [f"Line {number:02}" for number in range(60)]) == thread
    page = ada.page
    page.goto(f"/messages/onlyfans/{thread}")
    expect(ada.badge()).to_have_text("Live")
    ada.mark()
    desk.change(note, "Above it all, and changed")
    desk.note("Down here")
    expect(page.get_by_text("Down here")).to_be_visible()
    expect(page.get_by_text("Above it all")).to_have_count(0)
    equals_a_fresh_load(ada)
    expect(page.get_by_text("Above it all, and changed")).to_have_count(1)
    assert ada.texts() == [f"Line {number:02}" for number in range(60)]
    assert not ada.was_reloaded()


def test_who_scrolls_up_while_news_come_is_not_taken_back(ada: Person, stack: Stack, fan: dict):
    thread = spoken_with(stack, fan, [f"Line {number:02}" for number in range(30)])
    page = ada.page
    page.goto(f"/messages/onlyfans/{thread}")
    expect(ada.badge()).to_have_text("Live")
    place = page.evaluate(
        """async () => {
          const scroller = document.getElementById("thread-scroll");
          const news = new CustomEvent("greenroom:news", { bubbles: true, detail: { isNew: true } });
          scroller.scrollTop = 100;
          document.querySelector("#messages > [data-row]").dispatchEvent(news); // before any scroll event
          for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
          return scroller.scrollTop;
        }"""
    )
    assert place == 100


def test_a_thread_that_is_opened_at_an_old_message_is_live_where_it_is(
    ada: Person, desk_of: Callable[[int], Desk], stack: Stack, fan: dict
):
    lines = [f"Line {number:02}" for number in range(60)]
    thread = spoken_with(stack, fan, lines[:3])
    desk = desk_of(thread)
    note = desk.note("In sight")
    spoken_with(stack, fan, lines[3:])
    first = stack.call("GET", f"/api/crm/conversations/{thread}/messages?limit=1")["messages"][0]["id"]
    page = ada.page
    page.goto(f"/messages/onlyfans/{thread}?at={first}")
    expect(ada.badge()).to_have_text("Live")
    shown_first = ada.texts()
    desk.note("Far below")
    desk.change(note, "In sight, and changed")
    expect(page.get_by_text("In sight, and changed")).to_be_visible()
    assert ada.texts() == shown_first == lines[: len(shown_first)]
    expect(page.get_by_text("Far below")).to_have_count(0)
    while page.locator("#newer").count():
        known = len(ada.texts())
        page.get_by_role("link", name="Newer messages").click()
        expect(page.locator("#messages .message-text")).not_to_have_count(known)
    assert ada.texts() == lines
    expect(page.get_by_text("Far below")).to_have_count(1)
