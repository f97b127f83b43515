"""Whoever leaves a form with something unsaved in it is asked first, and nobody else."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.browser.person import Person


@pytest.fixture
def questions(ada: Person) -> Iterator[list[str]]:
    """The browser's questions, each answered with staying."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    ada.page.on("dialog", stay)
    yield asked
    ada.page.remove_listener("dialog", stay)


def leave(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Fans").click()


def test_leaving_what_was_typed_asks_first_and_what_was_typed_stays(ada: Person, questions: list[str]):
    page = ada.page
    page.goto("/settings/replies/new")
    page.get_by_label("Title").press_sequentially("Thanks for the tip")
    leave(page)
    expect(page.get_by_label("Title")).to_have_value("Thanks for the tip")
    assert questions == ["beforeunload"]
    page.get_by_role("link", name="Cancel").click()
    expect(page.get_by_role("heading", name="Quick replies")).to_be_visible()
    assert questions == ["beforeunload"], "Cancel says what is wanted"


def test_nothing_typed_or_everything_saved_is_left_without_a_question(ada: Person, questions: list[str]):
    page = ada.page
    page.goto("/settings/replies/new")
    page.get_by_label("Title").focus()
    leave(page)
    expect(page.get_by_role("heading", name="Fans")).to_be_visible()
    page.goto("/settings/replies/new")
    page.get_by_label("Code").press_sequentially("asked")
    page.get_by_label("Title").press_sequentially("Asked")
    page.get_by_label("Text").press_sequentially("Asked?")
    page.get_by_role("button", name="Add reply").click()
    expect(page.get_by_role("heading", name="Quick replies")).to_be_visible()
    leave(page)
    expect(page.get_by_role("heading", name="Fans")).to_be_visible()
    assert not questions


def test_what_was_refused_is_still_unsaved(ada: Person, questions: list[str]):
    page = ada.page
    page.goto("/settings/replies/new")
    ada.expects("400")
    page.get_by_label("Code").press_sequentially("two words")
    page.get_by_label("Title").press_sequentially("Refused")
    page.get_by_label("Text").press_sequentially("Refused")
    page.get_by_role("button", name="Add reply").click()
    expect(page.get_by_label("Code")).to_have_attribute("aria-invalid", "true")
    leave(page)
    expect(page.get_by_label("Title")).to_have_value("Refused")
    assert questions == ["beforeunload"]


def test_a_rule_that_grows_step_by_step_is_unsaved_until_it_is_saved(ada: Person, questions: list[str]):
    page = ada.page
    page.goto("/segments")
    ada.begin_rule("Asked for", "nobody")
    page.get_by_role("button", name="Add a group").click()
    expect(page.locator("#line-1-0-field")).to_be_visible()
    leave(page)
    expect(page.get_by_label("Name")).to_have_value("Asked for")
    assert questions == ["beforeunload"]
    page.get_by_role("button", name="Remove this condition").last.click()
    expect(page.locator("#line-1-0-field")).to_have_count(0)
    page.get_by_role("button", name="Save the segment").click()
    expect(page.get_by_text("Asked for was saved.")).to_be_visible()
    assert questions == ["beforeunload"]
