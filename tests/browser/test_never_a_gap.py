"""Two web processes on one database and one Valkey: whatever breaks, the page ends up equal to a fresh load of it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.line import Line
from tests.browser.listener import Listener
from tests.browser.person import Person
from tests.browser.shown import equals_a_fresh_load
from tests.browser.storm import Desk, at_once, breaking
from tests.servers import wait_until
from tests.stack.stack import Stack

SENT_BY_US, SAID_BY_THE_FAN, NOTES = 520, 440, 40
LISTENERS = 4
BRIEF = """() => [...document.querySelectorAll("#messages > [data-row]")].map((row) => [
  row.id, row.dataset.status ?? "", row.querySelector(".message-text, .note-text").textContent,
])"""


@pytest.mark.timeout(600)
def test_a_thousand_messages_while_every_line_breaks(
    doubled: Stack, arrive: Callable[..., Person], signed_in: dict[str, Any]
):
    fan, thread = thread_with(doubled, 500)
    people = [arrive(name, f"/messages/onlyfans/{thread}") for name in ("ada", "bob")]
    cookie = cookie_of(signed_in["ada"])
    lines = [Line(doubled.port) for _ in range(LISTENERS)]
    listeners = [Listener(line.url, cookie, thread) for line in lines]
    desk = Desk(doubled.url, cookie_of(signed_in["bob"]), thread)

    def send() -> None:
        for number in range(SENT_BY_US):
            doubled.call("POST", f"/api/crm/conversations/{thread}/messages", text=f"Out {number}")

    def say() -> None:
        for number in range(SAID_BY_THE_FAN):
            doubled.sandbox.fan("say", fan["platformFanId"], text=f"In {number}")

    def take_notes() -> None:
        for number in range(NOTES):
            note = desk.note(f"Note {number}")
            if number % 4 == 1:
                desk.change(note, f"Note {number}, changed")
            elif number % 4 == 2:
                desk.delete(note)

    def has_arrived() -> bool:
        counted = doubled.call("GET", f"/api/crm/conversations/{thread}/messages?limit=1")["total"]
        return counted == SENT_BY_US + SAID_BY_THE_FAN and not unsent(doubled, thread)

    with breaking([*lines, *(person.line for person in people)]):
        at_once(send, say, take_notes, meanwhile=lambda: breathe(people), seconds=300)
        wait_until(lambda: breathe(people) and has_arrived(), 120, 0.3)

    for person in people:
        equals_a_fresh_load(person)
        assert not person.was_reloaded()
    whole = [tuple(row) for row in people[0].page.evaluate(BRIEF)]
    texts = [text for _, _, text in whole]
    assert [text for text in texts if text.startswith("Out")] == [f"Out {n}" for n in range(SENT_BY_US)]
    assert sorted(text for text in texts if text.startswith("In")) == sorted(f"In {n}" for n in range(SAID_BY_THE_FAN))
    changed = [f"Note {n}" + (", changed" if n % 4 == 1 else "") for n in range(NOTES) if n % 4 != 2]
    assert [text for text in texts if text.startswith("Note")] == changed
    for listener in listeners:
        wait_until(lambda listener=listener: listener.shown() == whole, 60)
        assert not listener.was_left_behind
        listener.leave()
    print(f"lines broke {sum(each.breaks for each in listeners)} times under {LISTENERS} listeners")
    for line in lines:
        line.cut()


def thread_with(stack: Stack, number: int) -> tuple[dict, int]:
    fan = stack.call("GET", f"/api/crm/fans/{number}")
    return fan, stack.call("POST", "/api/crm/conversations", fanId=fan["id"])["id"]


def unsent(stack: Stack, thread: int) -> int:
    newest = stack.call("GET", f"/api/crm/conversations/{thread}/messages?latest=true&limit=200")["messages"]
    return sum(each["status"] in ("queued", "sending") for each in newest)


def cookie_of(state: dict[str, Any]) -> str:
    return "; ".join(f"{each['name']}={each['value']}" for each in state["cookies"])


def breathe(people: list[Person]) -> bool:
    """Playwright's side of the pages runs only while it is asked something."""
    for person in people:
        person.page.wait_for_timeout(20)
    return True
