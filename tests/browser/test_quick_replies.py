"""Quick replies by keyboard: / opens them, the text comes filled in, and what is not is said before it goes out."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Request, expect

from app.config import DEMO
from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.servers import wait_until

PICTURE = {"name": "a.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(64)}


@pytest.fixture(scope="module")
def replies(visit_once: Person) -> None:
    """Entered by the form, as a person does."""
    page = visit_once.page
    for code, title, text in (
        ("hi", "Greeting", "Hi {{first_name|love}}, how is {{custom.city}}?"),
        ("his-own", "Second by its code", "From his own pen"),
        ("zz-last", "Price list", "All of it is in the high castle"),
    ):
        page.goto("/settings/replies/new")
        page.get_by_label("Code").fill(code)
        page.get_by_label("Title").fill(title)
        page.get_by_label("Text").fill(text)
        page.get_by_role("button", name="Add reply").click()
        expect(page.get_by_text(f"/{code} was added.")).to_be_visible()


@pytest.fixture(scope="module")
def visit_once(stack: Stack, chromium, sessions):
    person = Person(chromium, stack.url, storage_state=sessions["ada"])
    yield person
    person.leave()


def codes(ada: Person) -> list[str]:
    return ada.page.locator("[role=option]:visible .reply-code").all_inner_texts()


def selected(ada: Person):
    return ada.page.locator("[role=option][aria-selected=true]:visible .reply-code")


@pytest.mark.usefixtures("replies")
def test_by_keyboard_alone_from_slash_to_a_message_that_is_agreed_to(ada: Person, fan: dict):
    ada.expects("status of 422")
    first = fan["name"].split()[0]
    ada.open_conversation(fan)
    page, keys = ada.page, ada.page.keyboard
    asked: list[Request] = []
    page.on("request", lambda request: "/replies" in request.url and asked.append(request))
    expect(ada.composer).to_be_focused()
    keys.type("/hi")
    expect(selected(ada)).to_have_text("/hi")
    assert codes(ada) == ["/hi", "/his-own", "/zz-last"]  # the last by its text alone
    combobox = page.get_by_role("combobox", name="Message")
    expect(combobox).to_be_focused()
    expect(combobox).to_have_attribute("aria-expanded", "true")
    expect(combobox).to_have_attribute("aria-controls", "replies")
    keys.press("ArrowUp")
    expect(selected(ada)).to_have_text("/zz-last")
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    expect(selected(ada)).to_have_text("/his-own")
    active = page.locator(f"[id='{combobox.get_attribute('aria-activedescendant')}']")
    expect(active).to_contain_text("/his-own")
    keys.press("ArrowUp")
    keys.press("Enter")
    expect(ada.composer).to_have_value(f"Hi {first}, how is {{{{custom.city}}}}?")
    assert len(asked) == 1
    expect(page.get_by_role("combobox", name="Message")).to_have_count(0)
    note = page.locator("#composer-note")
    expect(note).to_have_text("Not filled in: {{custom.city}}")

    keys.press("Control+Enter")
    expect(page.locator("#composer [role=alert]")).to_contain_text("{{custom.city}} is not filled in")
    expect(ada.composer).to_be_focused()
    assert ada.texts() == []
    ada.tab_to("Send as it is", most=20)
    keys.press("Enter")
    expect(ada.message("how is {{custom.city}}?")).to_have_attribute("data-status", SENT)
    expect(ada.composer).to_have_value("")
    expect(page.get_by_role("button", name="Send as it is")).to_have_count(0)


@pytest.mark.usefixtures("replies")
def test_what_is_missing_is_written_over_and_goes(ada: Person, fan: dict):
    ada.open_conversation(fan)
    keys = ada.page.keyboard
    keys.type("Well! /gree")
    expect(selected(ada)).to_have_text("/hi")
    keys.press("Tab")
    keys.type("Lisbon")  # the hole is selected
    wanted = f"Well! Hi {fan['name'].split()[0]}, how is Lisbon?"
    expect(ada.composer).to_have_value(wanted)
    expect(ada.page.locator("#composer-note")).to_be_hidden()
    keys.press("Control+z")
    keys.press("Control+z")
    expect(ada.composer).not_to_have_value(wanted)
    ada.write(wanted)
    expect(ada.message(wanted)).to_have_attribute("data-status", SENT)


@pytest.mark.usefixtures("replies")
def test_esc_closes_and_a_slash_within_a_word_opens_nothing(ada: Person, fan: dict):
    ada.open_conversation(fan)
    page, keys = ada.page, ada.page.keyboard
    box = page.get_by_role("listbox", name="Quick replies")
    keys.type("/h")
    expect(box).to_be_visible()
    keys.press("Escape")
    expect(box).to_be_hidden()
    expect(ada.composer).to_be_focused()
    keys.type("i")
    page.wait_for_timeout(300)
    expect(box).to_be_hidden()
    keys.type(" and/or http://")
    page.wait_for_timeout(300)
    expect(box).to_be_hidden()
    keys.type(" /qqqq")
    page.wait_for_timeout(300)
    expect(box).to_be_hidden()
    keys.press("Enter")  # nothing matches: it is an ordinary key
    expect(ada.composer).to_have_value("/hi and/or http:// /qqqq\n")
    keys.type("/")
    expect(box).to_be_visible()
    keys.press("ArrowLeft")
    expect(box).to_be_hidden()


@pytest.mark.usefixtures("replies")
def test_the_button_opens_the_list_for_hands_without_a_slash(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.composer.fill("Well!")
    ada.page.get_by_role("link", name="Quick replies", exact=True).last.click()
    ada.page.get_by_role("option", name="Second by its code").click()
    expect(ada.composer).to_have_value("Well! From his own pen")
    expect(ada.composer).to_be_focused()


def test_a_question_keeps_the_files_that_were_chosen(ada: Person, fan: dict):
    ada.expects("status of 422")
    ada.open_conversation(fan)
    ada.page.locator("#composer input[type=file]").set_input_files([PICTURE])
    ada.write("For {{name}}")
    ada.page.get_by_role("button", name="Send as it is").click()
    expect(ada.message("For {{name}}").locator(".attachment")).to_have_count(1)


@pytest.mark.usefixtures("replies")
def test_without_javascript_a_page_of_links_fills_the_answer(visit: Callable[..., Person], fan: dict):
    ada = visit(java_script_enabled=False)
    ada.expects("status of 400")
    page = ada.page
    ada.sign_in(**DEMO)
    ada.open_conversation(fan)
    page.locator("#composer").get_by_role("link", name="Quick replies").click()
    page.get_by_role("link", name="Greeting").click()
    expect(ada.composer).to_have_value(re.compile(r"^Hi .+, how is \{\{custom\.city\}\}\?$"))
    expect(page.locator("#composer-note")).to_have_text("Not filled in: {{custom.city}}")
    page.locator("#composer input[type=file]").set_input_files([PICTURE])
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#chosen-media > li")).to_have_count(1)  # what was uploaded stays
    page.get_by_role("button", name="Send as it is").click()
    expect(ada.message("how is {{custom.city}}?")).to_have_count(1)


@pytest.mark.usefixtures("replies")
def test_a_code_that_is_typed_while_an_answer_is_on_its_way_is_offered_after_it(ada: Person, fan: dict):
    ada.open_conversation(fan)
    page, keys, held = ada.page, ada.page.keyboard, []
    page.route(re.compile(r"/messages/onlyfans/\d+$"), lambda route: held.append(route))
    ada.composer.press_sequentially("Before it")
    ada.composer.press("Control+Enter")
    keys.type(" /zz")
    expect(selected(ada)).to_have_text("/zz-last")
    wait_until(lambda: page.wait_for_timeout(10) or held)
    held[0].continue_()
    expect(ada.message("Before it")).to_have_attribute("data-status", SENT)
    expect(ada.composer).to_have_value("/zz")
    expect(selected(ada)).to_have_text("/zz-last")
    keys.press("Enter")
    expect(ada.composer).to_have_value("All of it is in the high castle")
