"""A rule that takes long to count, while it is built: about how many at once, then the number, and the hands are not held up."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.person import Person
from tests.stack.stack import Stack

MANY = 60_000
WORDS = [f"likes jazz at night {where}" for where in ("alone", "in bars", "on trains", "at home", "by day", "in rain")]
NOTES = " ".join(["Likes Jazz at night and long walks by the river."] * 40 + WORDS)
IN_THE_MEANTIME = r"About (5|6)\d,000 fans|Counting…"  # this where the machine is busy
FANS = """
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
INSERT INTO fans (account_id, platform, handle, handle_key, search_text, notes, stated_value_cents, value_cents,
                  do_not_message, custom, created_at, updated_at)
SELECT (SELECT min(account_id) FROM fans), 'onlyfans', '@crowd' || n, 'crowd' || n, 'crowd' || n, ?, n, n, 0, '{}',
       '2026-01-01 00:00:00', '2026-01-01 00:00:00'
FROM numbers
"""


@pytest.fixture
def crowd(doubled: Stack) -> Iterator[None]:
    """More than any machine looks through in the time that a builder waits."""
    database = Path(doubled.environment["GREENROOM_INSTANCE"]) / "greenroom.sqlite"
    with closing(sqlite3.connect(database, timeout=30)) as connection:
        with connection:
            connection.execute(FANS, (MANY, NOTES))
        yield
        with connection:
            connection.execute("DELETE FROM fans WHERE handle_key LIKE 'crowd%'")


@pytest.fixture
def ada(doubled: Stack, chromium: Browser, signed_in: dict[str, Any]) -> Iterator[Person]:
    person = Person(chromium, doubled.url, storage_state=signed_in["ada"])
    yield person
    person.leave()
    assert person.complaints() == []


def test_about_how_many_then_the_number(ada: Person, crowd: None):
    page = ada.page
    page.goto("/segments/new")
    figure, seen = page.locator("#found .figure"), list[str]()
    page.expose_function("tell", lambda text: seen.append(text))
    page.evaluate("""new MutationObserver(() => tell(document.querySelector("#found .figure")?.textContent ?? ""))
        .observe(document.body, { childList: true, subtree: true, characterData: true })""")
    for number, word in enumerate(WORDS):
        page.get_by_role("button", name="Add a condition").click()
        page.locator(f"#line-0-{number}-field").select_option("notes")
        page.locator(f"#line-0-{number}-op").select_option("contains")
        expect(page.locator(f"#line-0-{number}-value")).to_be_visible()
        page.locator(f"#line-0-{number}-value").fill(word)
    expect(figure).to_have_text("60,000 fans", timeout=30_000)
    expect(page.locator("#found")).to_contain_text("@crowd60000")
    expect(page.locator("#found")).to_contain_text("59,992 more")
    expect(page.get_by_text("Estimated from some of them")).to_have_count(0)
    assert any(re.fullmatch(IN_THE_MEANTIME, text) for text in seen), set(seen)
    expect(page.locator(f"#line-0-{len(WORDS) - 1}-value")).to_be_focused()
