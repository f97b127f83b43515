"""What a page shows of the inbox, to be compared with what a fresh load of the same address shows."""

import difflib
import time

from playwright.sync_api import Page, expect

from tests.browser.person import Person

# Left out is what only says where this person came from: what is new since then, what they searched for, where the focus is.
SHOWN = """() => {
  const words = (row) => row.textContent.replace(/\\s+/g, " ").trim();
  const kind = (row) => [...row.classList].filter((name) => name !== "is-found").sort().join(" ");
  const thread = [...document.querySelectorAll("#messages > li:not(.new-line, .older)")];
  const list = [...document.querySelectorAll("#conversations > li:not([hidden])")];
  const unread = document.getElementById("unread-total");
  return {
    thread: thread.map((row) => `${row.id} ${kind(row)} ${row.dataset.status ?? ""} ${words(row)}`),
    list: list.map((row) => `${row.id} ${kind(row)} ${words(row)}`),
    unread: unread.hidden ? [] : [unread.textContent.trim()],
  };
}"""


def shown(page: Page) -> dict[str, list[str]]:
    return page.evaluate(SHOWN)


def equals_a_fresh_load(person: Person, seconds: float = 60) -> None:
    """Waits until the person's page is live and shows what a fresh load of its address shows."""
    expect(person.badge()).to_have_text("Live", timeout=seconds * 1000)
    ends_at = time.monotonic() + seconds
    with person.second_window() as fresh:
        while differences := differences_to(fresh, person.page):
            assert time.monotonic() < ends_at, "\n".join(["Not as a fresh load:", *differences[:30]])
            fresh.reload()


def differences_to(fresh: Page, stood_open: Page) -> list[str]:
    for page in (fresh, stood_open):
        load_older(page)
    now, before = shown(fresh), shown(stood_open)
    # A list that stood open has grown; the newest of it are those of a fresh one.
    before["list"] = before["list"][: len(now["list"])]
    pairs = [(before[part], now[part]) for part in ("unread", "list", "thread")]
    return [
        line for had, has in pairs for line in difflib.unified_diff(had, has, "stood open", "fresh", n=0, lineterm="")
    ]


def load_older(page: Page) -> None:
    """Scrolls up until the whole thread is there."""
    while page.locator("#older").count():
        first = page.locator("#messages > [data-row]").first.get_attribute("id")
        page.locator("#thread-scroll").evaluate("each => { each.scrollTop = 0 }")
        came = "id => !document.getElementById('older') || document.querySelector('#messages > [data-row]').id !== id"
        page.wait_for_function(came, arg=first, timeout=30_000)
