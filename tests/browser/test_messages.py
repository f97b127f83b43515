"""What messages look like: whose they are and of which day, in every script, in their own time, and safe to click."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.browser.test_pages import PHONE, too_wide
from tests.browser.test_thread import spoken_with

FULL = re.compile(r"^[A-Z][a-z]+day, \d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d:\d\d UTC \(UTC\)$")
LINES_AND_ROWS = """() => [...document.querySelectorAll("#messages > .day, #messages > [data-row]")].map((each) =>
  each.matches(".day") ? `-- ${each.textContent.trim()}` : each.querySelector(".message-text").textContent)"""
FAMILY = "\N{WOMAN}\N{ZERO WIDTH JOINER}\N{WOMAN}\N{ZERO WIDTH JOINER}\N{GIRL}"
ARABIC, HEBREW = "مرحبا! كيف حالك؟", "שלום!"


def noon(days_ago: int) -> datetime:
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=days_ago)


def said_at(stack: Stack, fan: dict, said: dict[str, datetime]) -> int:
    """A thread with these messages of ours, each of its own time. Returns its id."""
    thread = spoken_with(stack, fan, list(said))
    database = Path(stack.environment["GREENROOM_INSTANCE"]) / "greenroom.sqlite"
    with closing(sqlite3.connect(database, timeout=15)) as connection, connection:
        for text, at in said.items():
            moment = at.strftime("%Y-%m-%d %H:%M:%S.%f")
            connection.execute("UPDATE messages SET created_at = ? WHERE text = ?", [moment, text])
    return thread


def follows(message: Locator) -> None:
    """Stands together with the one below it."""
    expect(message).to_have_class(re.compile(r"\bis-followed\b"))


def ends(message: Locator) -> None:
    """Is the last of what its side says in one go."""
    expect(message).not_to_have_class(re.compile(r"\bis-followed\b"))


def test_what_one_side_says_in_one_go_stands_together_under_its_day(ada: Person, bob: Person, stack: Stack, fan: dict):
    long_ago, lately = noon(400), noon(3)
    told = {
        "Long ago": long_ago,
        "First of three": lately,
        "Second of three": lately + timedelta(minutes=1),
        "Third of three": lately + timedelta(minutes=2),
        "A while later": lately + timedelta(minutes=20),
    }
    thread = said_at(stack, fan, told)
    page = ada.page
    page.goto(f"/messages/onlyfans/{thread}")
    expect(ada.badge()).to_have_text("Live")
    ada.mark()
    days = [f"-- {each:%A}, {each.day} {each:%B}" for each in (long_ago, lately)]
    days = [
        day if at.year == datetime.now(UTC).year else f"{day} {at.year}"
        for day, at in zip(days, (long_ago, lately), strict=True)
    ]
    texts = list(told)
    old = [days[0], texts[0], days[1], *texts[1:]]
    assert page.evaluate(LINES_AND_ROWS) == old
    for text in ("First of three", "Second of three"):
        follows(ada.message(text))
    for text in ("Long ago", "Third of three", "A while later"):
        ends(ada.message(text))

    ada.write("Today")
    expect(ada.message("Today")).to_have_attribute("data-status", SENT)
    ends(ada.message("A while later"))
    bob.open_conversation(fan)
    for text in ("One", "Two"):
        stack.sandbox.fan("say", fan["platformFanId"], text=f"{text} from the fan")
        bob.read(f"{text} from the fan")
    bob.write("From Bob")
    expect(ada.message("From Bob")).to_be_visible()
    follows(ada.message("One from the fan"))
    for text in ("Today", "Two from the fan", "From Bob"):
        ends(ada.message(text))
    (line,) = page.evaluate(LINES_AND_ROWS)[len(old) : -4]
    assert line.startswith("-- ")
    live = [*old, line, "Today", "One from the fan", "Two from the fan", "From Bob"]
    assert page.evaluate(LINES_AND_ROWS) == live
    assert not ada.was_reloaded()
    page.reload()
    expect(ada.badge()).to_have_text("Live")
    assert page.evaluate(LINES_AND_ROWS) == live


def test_a_time_names_its_zone_and_its_day_to_who_points_at_it(ada: Person, stack: Stack, fan: dict):
    thread = said_at(stack, fan, {"Pointed at": noon(3), "The last one": noon(3) + timedelta(minutes=1)})
    ada.page.goto(f"/messages/onlyfans/{thread}")
    message = ada.message("Pointed at")
    follows(message)
    foot, time = message.locator(".message-foot"), message.locator("time")
    expect(foot).to_have_css("opacity", "0")
    message.hover()
    expect(foot).to_have_css("opacity", "1")
    expect(time).to_have_text("12:00 UTC")
    expect(time).to_have_attribute("title", FULL)
    expect(time).to_have_attribute("datetime", f"{noon(3):%Y-%m-%dT%H:%M:%SZ}")
    for each in ada.page.locator("#conversations time, #fan-side time").all():
        expect(each).to_have_attribute("title", FULL)


def test_every_script_runs_its_own_way(ada: Person, stack: Stack, fan: dict):
    ada.page.goto(f"/fans/{fan['id']}")
    ada.page.get_by_label("Name", exact=True).fill(HEBREW)
    ada.page.get_by_role("button", name="Save", exact=True).click()
    expect(ada.page.get_by_text("Saved.")).to_be_visible()
    ada.open_conversation(fan)
    ada.write("Left to right")
    expect(ada.message("Left to right")).to_have_attribute("data-status", SENT)
    for text in (ARABIC, f"{FAMILY} {FAMILY}"):
        stack.sandbox.fan("say", fan["platformFanId"], text=text)
        ada.read(text)
    ada.composer.fill(ARABIC)
    expect(ada.composer).to_have_css("direction", "rtl")
    for _ in range(2):
        assert ada.texts() == ["Left to right", ARABIC, f"{FAMILY} {FAMILY}"]
        for text, way in (("Left to right", "ltr"), (ARABIC, "rtl"), (FAMILY, "ltr")):
            expect(ada.message(text).locator(".message-text")).to_have_css("direction", way)
        head, card = (ada.page.locator(f"{each} bdi", has_text=HEBREW) for each in ("#thread-name", "#fan-side"))
        row = ada.page.locator("#conversations > li", has=ada.page.locator("[aria-current]"))
        for each in (head, card, row.locator(".conversation-name bdi")):
            expect(each).to_have_css("direction", "rtl")
        expect(row.locator(".conversation-bottom bdi")).to_have_text(f"{FAMILY} {FAMILY}")
        ada.page.reload()
    ada.composer.fill("")


def test_on_a_phone_whatever_was_said_wraps(visit: Callable[..., Person], stack: Stack, fan: dict):
    ada = visit("ada", viewport=PHONE)
    said = ["w" * 300, "م" * 300, FAMILY * 60, "https://example.com/" + "path/" * 60, "one_word " * 60]
    thread = spoken_with(stack, fan, said)
    for theme in ("light", "dark"):
        ada.page.emulate_media(color_scheme=theme)
        ada.page.goto(f"/messages/onlyfans/{thread}")
        expect(ada.page.locator("#messages .bubble")).to_have_count(len(said))
        for bubble in ada.page.locator("#messages .bubble").all():
            box = bubble.bounding_box()
            assert box
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= PHONE["width"]
            assert bubble.evaluate("each => each.scrollWidth <= each.clientWidth")
        assert ada.page.locator("#thread-scroll").evaluate("each => each.scrollWidth <= each.clientWidth")
        assert not too_wide(ada)


def test_a_link_runs_nothing_here_and_tells_nothing_there(ada: Person, stack: Stack, fan: dict):
    ada.context.route("https://example.com/**", lambda route: route.fulfill(body="<p>There", content_type="text/html"))
    ada.open_conversation(fan)
    said = "javascript:alert(1) data:text/html,x JaVaScRiPt://x https://example.com/a?b=1&c='d'<img src=x onerror=alert(1)>"
    stack.sandbox.fan("say", fan["platformFanId"], text=said)
    links = ada.message("javascript:").locator(".message-text a")
    expect(links).to_have_count(1)
    expect(ada.page.locator("#messages img")).to_have_count(0)
    for word in ("noopener", "noreferrer", "nofollow"):
        expect(links).to_have_attribute("rel", re.compile(rf"\b{word}\b"))
    expect(links).to_have_attribute("target", "_blank")
    with ada.context.expect_page() as opened:
        links.click()
    there = opened.value
    there.wait_for_load_state()
    assert there.url.startswith("https://example.com/a?b=1&c=")
    assert there.evaluate("[window.opener, document.referrer]") == [None, ""]


def test_what_is_deleted_or_edited_is_so_in_the_open_thread_of_another(
    ada: Person, bob: Person, stack: Stack, fan: dict
):
    ada.open_conversation(fan)
    bob.open_conversation(fan)
    written = stack.sandbox.fan("write", fan["platformFanId"], text="Written on the phone")["message"]
    for person in (ada, bob):
        expect(person.message("Written on the phone")).to_be_visible()
        person.mark()
    stack.sandbox.delete(fan["platformFanId"], written["id"])
    for person in (ada, bob):
        expect(person.message("Written on the phone")).to_have_class(re.compile(r"\bis-deleted\b"))
        expect(person.message("Written on the phone")).to_contain_text("Deleted there")

    ada.composer.press("Alt+n")
    ada.composer.fill("He likes tea")
    ada.composer.press("Control+Enter")
    note = bob.page.locator("#messages > .note")
    expect(note).to_contain_text("He likes tea")
    with ada.second_window() as elsewhere:
        elsewhere.get_by_role("link", name="Change the note").click()
        elsewhere.get_by_label("Text").fill("He likes coffee")
        elsewhere.get_by_role("button", name="Save").click()
        expect(note).to_contain_text("He likes coffee")
        expect(note).to_contain_text("edited")
        elsewhere.get_by_role("link", name="Change the note").click()
        elsewhere.get_by_role("button", name="Delete").click()
        expect(note).to_have_count(0)
    for person in (ada, bob):
        assert not person.was_reloaded()
