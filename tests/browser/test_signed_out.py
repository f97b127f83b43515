"""Signed out in the middle of work: it is said, one comes back to where one was, and nothing that was typed is lost."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.browser.person import SENT, Person
from tests.stack.stack import DEMO


@pytest.fixture
def ada(visit: Callable[..., Person]) -> Person:
    """Signed in for herself: what she signs out of is nobody else's."""
    person = visit()
    person.sign_in(**DEMO)
    return person


def sign_out_elsewhere(person: Person) -> None:
    """Not by losing the cookie: an answer that is on its way brings it back."""
    with person.second_window() as window:
        window.get_by_role("button", name="Sign out").click()
        expect(window.get_by_role("heading", name="Sign in")).to_be_visible()


def test_what_is_being_written_is_there_again_after_signing_in(ada: Person, fan: dict):
    ada.expects("status of 401")
    ada.open_conversation(fan)
    with ada.page.expect_response(re.compile("/draft$")):
        ada.composer.press_sequentially("Before")
    sign_out_elsewhere(ada)
    ada.composer.press_sequentially(" and after")
    expect(ada.page.get_by_text("You were signed out.")).to_be_visible()
    thread = ada.page.url
    ada.composer.press("Control+Enter")
    expect(ada.page.get_by_text("Sign in, and you go on where you were.")).to_be_visible()
    ada.page.get_by_label("E-mail").fill(DEMO["email"])
    ada.page.get_by_label("Password").fill(DEMO["password"])
    ada.page.keyboard.press("Enter")
    expect(ada.page).to_have_url(thread)
    expect(ada.composer).to_have_value("Before and after")
    assert ada.texts() == []
    ada.composer.press("Control+Enter")
    expect(ada.message("Before and after")).to_have_attribute("data-status", SENT)  # not only on its way
    ada.page.reload()
    expect(ada.composer).to_have_value("")


def test_what_is_being_written_is_there_again_after_signing_in_elsewhere(ada: Person, fan: dict):
    ada.expects("status of 401")
    ada.open_conversation(fan)
    with ada.page.expect_response(re.compile("/draft$")):
        ada.composer.press_sequentially("Before")
    with ada.second_window() as window:
        window.get_by_role("button", name="Sign out").click()
        window.get_by_label("E-mail").fill(DEMO["email"])
        window.get_by_label("Password").fill(DEMO["password"])
        window.keyboard.press("Enter")
        expect(window.get_by_role("heading", name="Sign in")).to_have_count(0)
    ada.composer.press_sequentially(" and after")
    expect(ada.page.get_by_text("You were signed out.")).to_be_visible()
    with ada.page.expect_event("framenavigated"):
        ada.composer.press("Control+Enter")
    expect(ada.badge()).to_have_text("Live")
    expect(ada.composer).to_have_value("Before and after")
    assert ada.texts() == []
    ada.composer.press("Control+Enter")
    expect(ada.message("Before and after")).to_have_attribute("data-status", SENT)


def test_who_saves_a_form_comes_back_to_its_page(ada: Person, fan: dict):
    ada.page.goto(f"/fans/{fan['id']}")
    sign_out_elsewhere(ada)
    ada.page.get_by_role("button", name="Save", exact=True).first.click()
    expect(ada.page).to_have_url(re.compile(rf"/login[?]next=%2Ffans%2F{fan['id']}$|/login[?]next=/fans/{fan['id']}$"))
