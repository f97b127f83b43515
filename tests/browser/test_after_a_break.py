"""Something breaks, or sleeps, and comes back: without a reload the page equals a fresh load, and its badge told the truth."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import expect

from app.config import redis_socket
from tests.browser.person import Person
from tests.browser.shown import equals_a_fresh_load
from tests.browser.storm import Desk
from tests.browser.test_never_a_gap import cookie_of, thread_with
from tests.servers import empty_redis, is_up, wait_until
from tests.stack.stack import Stack

OFFLINE = re.compile(r"^Offline since \d\d:\d\d")
fans: Iterator[int] = count(520)


def kill_the_workers(stack: Stack) -> None:
    for pid in sorted(stack.pids("web"))[1:]:
        os.kill(pid, signal.SIGKILL)


def kill_web(stack: Stack) -> None:
    stack.kill("web")


def kill_valkey(stack: Stack) -> None:
    stack.kill("valkey")


def empty_valkey(stack: Stack) -> None:
    empty_redis(f"unix://{redis_socket(stack.instance)}")


def write(stack: Stack, thread: int, fan: dict, name: str) -> None:
    """From us and from the fan, as soon as somebody takes it."""
    wait_until(lambda: is_up(f"{stack.url}/healthz"), 30)
    for number in range(3):
        stack.call("POST", f"/api/crm/conversations/{thread}/messages", text=f"{name}, out {number}")
        stack.sandbox.fan("say", fan["platformFanId"], text=f"{name}, in {number}")


@pytest.mark.parametrize("break_it", [kill_the_workers, kill_web, kill_valkey, empty_valkey])
def test_after_a_kill_the_thread_and_the_inbox_equal_a_fresh_load(
    doubled: Stack, arrive: Callable[..., Person], break_it: Callable[[Stack], None]
):
    fan, thread = thread_with(doubled, next(fans))
    ada, bob = arrive("ada", f"/messages/onlyfans/{thread}"), arrive("bob", "/messages/onlyfans")
    write(doubled, thread, fan, "Before")
    expect(ada.message("Before, in 2")).to_be_visible()
    break_it(doubled)
    if break_it in (kill_the_workers, kill_web):
        expect(ada.badge()).to_have_text(OFFLINE)
    write(doubled, thread, fan, "Meanwhile")
    for person in (ada, bob):
        wait_until(lambda: doubled.call("GET", f"/api/crm/conversations/{thread}/messages")["total"] == 12, 30)
        equals_a_fresh_load(person)
    is_live_again(doubled, ada, thread)
    assert not ada.was_reloaded()
    assert not bob.was_reloaded()


def is_live_again(stack: Stack, person: Person, thread: int) -> None:
    stack.call("POST", f"/api/crm/conversations/{thread}/messages", text="Afterwards")
    expect(person.message("Afterwards")).to_be_visible()
    assert person.texts().count("Afterwards") == 1


def test_a_page_that_slept_wakes_up_to_what_it_missed(doubled: Stack, arrive: Callable[..., Person]):
    fan, thread = thread_with(doubled, next(fans))
    bob = arrive("bob", f"/messages/onlyfans/{thread}")
    session = bob.context.new_cdp_session(bob.page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    bob.line.drop()
    write(doubled, thread, fan, "While it slept")
    session.send("Page.setWebLifecycleState", {"state": "active"})
    expect(bob.message("While it slept, in 2")).to_be_visible()
    equals_a_fresh_load(bob)
    assert not bob.was_reloaded()


def test_a_line_that_swallows_everything_is_found_out(doubled: Stack, arrive: Callable[..., Person]):
    fan, thread = thread_with(doubled, next(fans))
    bob = arrive("bob", f"/messages/onlyfans/{thread}")
    bob.line.hold()
    write(doubled, thread, fan, "Into nowhere")
    expect(bob.badge()).to_have_text(OFFLINE, timeout=25_000)
    assert bob.texts() == []
    bob.line.release()
    expect(bob.message("Into nowhere, in 2")).to_be_visible(timeout=20_000)
    equals_a_fresh_load(bob)
    assert not bob.was_reloaded()


def test_a_change_to_very_many_at_once_reaches_the_list_and_the_unread_number(
    doubled: Stack, arrive: Callable[..., Person], signed_in: dict[str, Any]
):
    threads = [thread_with(doubled, number)[1] for number in range(600, 701)]
    bob = arrive("bob", "/messages/onlyfans")
    Desk(doubled.url, cookie_of(signed_in["ada"]), threads[0]).mark_all_unread()
    expect(bob.page.locator("#conversations > .is-unread").nth(30)).to_be_visible()
    equals_a_fresh_load(bob)
    assert not bob.was_reloaded()
