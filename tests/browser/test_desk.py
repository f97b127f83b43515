"""Notes between colleagues, and answers that wait for their time: live for everyone, by keyboard."""

import re

from playwright.sync_api import Route, expect

from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.browser.test_two_people import accepted


def test_a_note_by_keyboard_is_there_for_a_colleague_at_once(ada: Person, bob: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    bob.open_conversation(fan)
    ada.write("A message")
    ada.composer.press("Alt+n")
    expect(ada.page.get_by_label("Note", exact=True)).to_be_checked()
    expect(ada.page.get_by_role("button", name="Send", exact=True)).to_be_hidden()
    ada.composer.press_sequentially("He has a dog called Bo")
    ada.composer.press("Control+Enter")
    for person in (ada, bob):
        expect(person.page.locator("#messages > .note")).to_contain_text("He has a dog called Bo")
    expect(ada.composer).to_have_value("")
    expect(ada.page.get_by_label("Reply", exact=True)).to_be_checked()
    expect(ada.message("A message")).to_have_attribute("data-status", SENT)
    assert accepted(stack, fan) == ["A message"]

    ada.page.get_by_role("link", name="Change the note").click()
    ada.page.get_by_label("Text").fill("He has a cat called Bo")
    ada.page.get_by_role("button", name="Save").click()
    expect(bob.page.locator("#messages > .note")).to_contain_text("a cat called Bo")
    ada.page.get_by_role("link", name="Change the note").click()
    ada.page.get_by_role("button", name="Delete").click()
    expect(ada.page.get_by_text("This note was deleted.")).to_be_visible()
    expect(bob.page.locator("#messages > .note")).to_have_count(0)
    ada.page.get_by_role("button", name="Bring it back").click()
    expect(bob.page.locator("#messages > .note")).to_contain_text("a cat called Bo")


def test_an_answer_for_later_is_cancelled_when_the_fan_writes_first(ada: Person, bob: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    bob.open_conversation(fan)
    ada.composer.fill("Good morning to you")
    ada.page.get_by_label("Send later").focus()
    ada.page.keyboard.press("Enter")
    ada.tab_to("In an hour")
    ada.page.keyboard.press("Enter")
    for person in (ada, bob):
        expect(person.page.locator("#messages > .later")).to_contain_text("unless they write first")
    expect(ada.composer).to_have_value("")
    stack.sandbox.fan("say", fan["platformFanId"], text="I am up already")
    for person in (ada, bob):
        expect(person.page.locator("#messages > .later")).to_contain_text("Not sent: They wrote first.")
    bob.page.get_by_role("button", name="Send now").click()
    for person in (ada, bob):
        expect(person.page.locator("#messages > .later")).to_have_count(0)
        expect(person.message("Good morning to you")).to_have_attribute("data-status", SENT)
    ada.page.reload()
    assert ada.texts() == ["I am up already", "Good morning to you"]


def test_an_answer_for_later_comes_back_to_the_composer(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.composer.fill("On second thoughts")
    ada.page.get_by_label("Send later").click()
    ada.page.get_by_label(re.compile("^At, by")).fill("2020-01-01T09:00")
    ada.expects("status of 422")
    ada.page.get_by_role("button", name="Send then").click()
    expect(ada.page.locator("#composer [role=alert]")).to_contain_text("a time to come")
    expect(ada.composer).to_have_value("On second thoughts")
    ada.page.get_by_role("button", name=re.compile("^Tomorrow")).click()
    ada.page.locator("#messages > .later").get_by_role("button", name="Edit").click()
    expect(ada.page.locator("#messages > .later")).to_have_count(0)
    expect(ada.composer).to_have_value("On second thoughts")


def test_an_answer_for_later_is_edited_once_nothing_else_is_begun(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.composer.fill("On second thoughts")
    ada.page.get_by_label("Send later").click()
    ada.page.get_by_role("button", name=re.compile("^Tomorrow")).click()
    later = ada.page.locator("#messages > .later")
    expect(ada.composer).to_have_value("")
    ada.expects("status of 409")
    held: list[Route] = []  # a draft that would land after what is asked next
    ada.page.route(re.compile("/draft$"), lambda route: held.append(route), times=1)
    ada.composer.press_sequentially("But first")
    later.get_by_role("button", name="Edit").click()
    ada.page.wait_for_timeout(500)
    held[0].continue_()
    expect(later.get_by_role("alert")).to_have_text("You have begun another answer here: send or empty it first.")
    expect(ada.composer).to_have_value("But first")
    ada.composer.fill("")
    later.get_by_role("button", name="Edit").click()
    expect(ada.composer).to_have_value("On second thoughts")
    ada.page.wait_for_timeout(1000)
    ada.page.reload()
    expect(ada.composer).to_have_value("On second thoughts")
