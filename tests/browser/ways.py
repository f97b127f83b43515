"""Ways to the pages that one only comes to through others: each is gone once, as a person goes it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from pyotp.totp import TOTP

from tests.browser.person import Person
from tests.browser.stack import Stack

COME_TO = (  # in the order in which the ways are gone
    "/login",
    "/login/code",
    "/invitations/{word}",
    "/passwords/{word}",
    "/campaigns/{campaign}/considered",
    "/campaigns/{campaign}/edit",
    "/messages/onlyfans/notes/{note}",
    "/messages/onlyfans/later/{later}",
    "/imports/{import_}/mapping",
    "/settings/replies/{reply}",
)
Place = tuple[str, str]  # who is there, as `visit` names them, and the address
DORA = {"email": "dora@example.com", "password": "correct horse battery"}
LONG = "an-unbroken-word-" * 12
OPEN_DATES = f"Username,{LONG},Last Seen\n{LONG[:90]},{LONG},03/04/2026\n"


@pytest.fixture
def come_to(gone: list[Place], stack: Stack, chromium: Browser, sessions: dict[str, Any]) -> list[Place]:
    """One for each of COME_TO. Who is half-way in has just said the password: that is forgotten after ten minutes."""
    with somebody(chromium, stack) as dora:
        dora.say_password(**DORA)
        sessions["half-way"] = dora.context.storage_state()
    return gone


@pytest.fixture(scope="session")
def gone(stack: Stack, chromium: Browser, sessions: dict[str, Any], silent_fans: Iterator[dict]) -> list[Place]:
    stack.add_person(**DORA, role="chatter")
    with somebody(chromium, stack) as stranger, somebody(chromium, stack, sessions["ada"]) as ada:
        stranger.page.goto("/")
        found = [("", stranger.page.url), ("half-way", ask_for_code(chromium, stack))]
        found += [("", each) for each in make_links(ada)]
        found += [("ada", each) for each in (*look_at_draft(ada), *write_down(ada, next(silent_fans)))]
        found += [("ada", each) for each in (leave_dates_open(ada), add_reply(ada))]
    paths = [(whose, address.removeprefix(stack.url).partition("?")[0]) for whose, address in found]
    for (_, path), wanted in zip(paths, COME_TO, strict=True):
        assert re.fullmatch(re.sub(r"\{\w+\}", r"[\\w.-]+", wanted), path), path
    return paths


@contextmanager
def somebody(chromium: Browser, stack: Stack, session: Any = None) -> Iterator[Person]:
    person = Person(chromium, stack.url, storage_state=session)
    yield person
    person.leave()


def ask_for_code(chromium: Browser, stack: Stack) -> str:
    with somebody(chromium, stack) as dora:
        dora.sign_in(**DORA)
        turn_two_step_on(dora)
    with somebody(chromium, stack) as dora:
        dora.say_password(**DORA)
        return dora.page.url


def turn_two_step_on(person: Person) -> None:
    page = person.page
    page.goto("/settings/me")
    page.get_by_role("link", name="Set it up").click()
    phone = TOTP(page.locator(".numbered code").inner_text().replace(" ", ""))
    page.get_by_role("textbox", name="Code").fill(phone.now())
    page.get_by_label("Password").fill(DORA["password"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()


def make_links(owner: Person) -> tuple[str, str]:
    """For somebody new, and for a new password."""
    page, link = owner.page, owner.page.get_by_label("The link")
    page.goto("/settings/people")
    page.get_by_label("E-mail").fill(f"{LONG[:50]}@example.com")
    page.get_by_role("button", name="Make the link").click()
    invitation = link.input_value()
    page.locator("tr", has_text=DORA["email"]).locator("summary").click()
    page.get_by_role("button", name="Link for a new password").locator("visible=true").click()
    expect(link).not_to_have_value(invitation)
    return invitation, link.input_value()


def look_at_draft(person: Person) -> tuple[str, str]:
    """Who would get it, and the draft."""
    page = person.page
    page.goto("/campaigns/new")
    page.get_by_label("Name").fill(LONG[:100])
    page.get_by_label("Message", exact=True).fill(LONG)
    page.get_by_role("button", name="See who", exact=True).click()
    expect(page.get_by_role("heading", name="Who gets")).to_be_visible()
    considered = page.url
    page.get_by_role("link", name="Back to the campaign").click()
    expect(page.get_by_label("Message", exact=True)).to_have_value(LONG)
    return considered, page.url


def write_down(person: Person, fan: dict) -> tuple[str, str]:
    """A note, and an answer for later, whose page is for who has no JavaScript."""
    person.open_conversation(fan)
    page = person.page
    person.composer.press("Alt+n")
    person.composer.fill(LONG)
    person.composer.press("Control+Enter")
    expect(page.locator("#messages > .note")).to_be_visible()
    expect(page.get_by_label("Reply", exact=True)).to_be_checked()  # the composer is a fresh one
    expect(person.composer).to_have_value("")
    person.composer.fill(LONG)
    page.get_by_label("Send later").click()
    page.get_by_role("button", name="In an hour").click()
    expect(page.locator("#messages > .later")).to_be_visible()
    later = page.locator("#messages > .later").get_by_role("link", name="Change", include_hidden=True)
    address = str(later.get_attribute("href"))
    page.get_by_role("link", name="Change the note").click()
    expect(page.get_by_label("Text")).to_have_value(LONG)
    return page.url, address


def leave_dates_open(person: Person) -> str:
    """A file with a question."""
    page = person.page
    page.goto("/imports")
    file = {"name": f"{LONG[:100]}.csv", "mimeType": "text/csv", "buffer": OPEN_DATES.encode()}
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator(".field-error", has_text="Last Seen")).to_be_visible()
    return page.url


def add_reply(person: Person) -> str:
    page = person.page
    page.goto("/settings/replies/new")
    page.get_by_label("Code").fill("a-long-one")
    page.get_by_label("Title").fill(LONG[:200])
    page.get_by_label("Text").fill(LONG)
    page.get_by_role("button", name="Add reply").click()
    page.get_by_role("link", name=LONG[:200]).click()
    expect(page.get_by_label("Code")).to_have_value("a-long-one")
    return page.url
