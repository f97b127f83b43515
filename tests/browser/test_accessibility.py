"""What axe-core finds wrong with a page for people who read it by ear, by keyboard or with little contrast: nothing."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.browser.test_pages import PHONE, go, paths
from tests.browser.ways import Place

assert paths  # a fixture
THEMES = ("light", "dark")


def faults(person: Person) -> list[str]:
    found = Axe().run(person.page).response["violations"]
    return [
        f"{person.page.url}: {each['id']}: {node['html'][:200]} {node['failureSummary'].splitlines()[1:2]}"
        for each in found
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("theme", THEMES)
def test_no_page_has_a_fault(visit: Callable[..., Person], paths: list[str], theme: str):
    ada = visit("ada", color_scheme=theme)
    ada.expects("status of 404")
    wrong = [fault for path in [*paths, "/no/such/page"] for fault in faults_at(ada, path, theme)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("theme", THEMES)
def test_nor_has_one_that_is_come_to_through_others(visit: Callable[..., Person], come_to: list[Place], theme: str):
    people = {name: visit(name, color_scheme=theme) for name, _ in come_to}
    wrong = [fault for name, path in come_to for fault in faults_at(people[name], path, theme)]
    assert not wrong, "\n".join(wrong)


def faults_at(person: Person, path: str, theme: str) -> list[str]:
    go(person, path)
    expect(person.page.locator("html")).to_have_attribute("data-bs-theme", theme)
    return faults(person)


@pytest.mark.parametrize("theme", THEMES)
def test_what_opens_in_the_inbox_has_no_fault(visit: Callable[..., Person], fan: dict, theme: str):
    ada = visit("ada", color_scheme=theme)
    ada.expects("status of 422")
    ada.open_conversation(fan)
    page, wrong = ada.page, []
    ada.write("A message")
    expect(ada.message("A message")).to_be_visible()
    ada.composer.press("Alt+n")
    ada.composer.fill("A note")
    ada.composer.press("Control+Enter")
    expect(page.locator("#messages > .note")).to_be_visible()
    ada.composer.fill("For later")
    page.get_by_label("Send later").click()
    wrong += faults(ada)
    page.get_by_role("button", name="In an hour").click()
    expect(page.locator("#messages > .later")).to_be_visible()
    wrong += faults(ada)
    page.get_by_label("Price in dollars").fill("12")
    ada.write("Without a file")
    expect(page.locator("#composer .field-error")).to_be_visible()
    wrong += faults(ada)
    page.get_by_label("Snooze").click()
    wrong += faults(ada)
    page.keyboard.press("Escape")
    page.get_by_label("More filters").click()
    page.get_by_text("Several at once").click()
    wrong += faults(ada)
    page.locator(".fan-more summary", has_text="Timeline").click()
    expect(page.locator(".happening")).to_have_count(1)
    page.get_by_label("New tag").fill("a, b")
    page.keyboard.press("Enter")
    expect(page.locator("#tags .field-error")).to_be_visible()
    wrong += faults(ada)
    page.locator("#main").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    wrong += faults(ada)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("theme", THEMES)
def test_on_a_phone_nothing_has_a_fault(visit: Callable[..., Person], stack: Stack, fan: dict, theme: str):
    ada = visit("ada", viewport=PHONE, color_scheme=theme)
    ada.open_conversation(fan)
    expect(ada.page.locator("html")).to_have_attribute("data-bs-theme", theme)
    ada.write("Good evening")
    expect(ada.message("Good evening")).to_have_attribute("data-status", SENT)
    stack.sandbox.fan("say", fan["platformFanId"], text="And to you")
    expect(ada.message("And to you")).to_be_visible()
    wrong = faults(ada)
    ada.page.get_by_role("button", name=f"About {fan['name']}").click()
    expect(ada.page.locator("#fan-side")).to_be_visible()
    wrong += faults(ada)
    ada.page.goto("/messages/onlyfans")
    wrong += faults(ada)
    assert not wrong, "\n".join(wrong)
