"""The fan beside the thread: tags and notes by keyboard, by two people at once, on a phone, and a failed message sent again."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import BROKEN_LINE
from tests.browser.line import Line
from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.browser.test_pages import PHONE


def test_tags_and_notes_by_keyboard_and_nothing_of_a_colleague_is_written_over(
    ada: Person, bob: Person, stack: Stack, fan: dict
):
    for person in (ada, bob):
        person.expects("status of 422")
        person.open_conversation(fan)
    keys = ada.page.keyboard
    ada.tab_to("New tag")
    keys.type("Night owl")
    keys.press("Enter")
    expect(ada.page.get_by_role("link", name="Night owl")).to_be_visible()
    expect(ada.page.get_by_label("New tag")).to_be_focused()
    ada.tab_to("Take the tag Night owl away", key="Shift+Tab")
    keys.press("Enter")
    expect(ada.page.get_by_role("link", name="Night owl")).to_have_count(0)

    ada.tab_to("Notes")
    keys.type("Likes jazz")
    ada.tab_to("Save notes")
    with ada.page.expect_response(re.compile("/notes$")):
        keys.press("Enter")
    bob.page.get_by_label("Notes", exact=True).fill("Likes rock")
    bob.page.get_by_role("button", name="Save notes").click()
    expect(bob.page.get_by_text("Somebody changed these notes meanwhile.")).to_be_visible()
    expect(bob.page.locator(".notes-theirs")).to_have_text("Likes jazz")
    expect(bob.page.get_by_label("Notes", exact=True)).to_have_value("Likes rock")
    bob.page.get_by_label("Notes", exact=True).fill("Likes jazz and rock")
    with bob.page.expect_response(re.compile("/notes$")):
        bob.page.get_by_role("button", name="Save notes").click()
    assert stack.call("GET", f"/api/crm/fans/{fan['id']}")["notes"] == "Likes jazz and rock"


def test_the_card_follows_what_others_change_and_disturbs_nobody(ada: Person, stack: Stack, fan: dict):
    path = f"/api/crm/fans/{fan['id']}"
    ada.open_conversation(fan)
    page, card, asked = ada.page, ada.page.locator("#fan-side"), []
    ada.mark()
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/fan") else None)
    card.locator(".fan-more summary", has_text="Timeline").click()
    card.get_by_role("link", name=fan["name"]).focus()
    stack.call("PUT", path, json={"name": "Zoe Renamed", "tags": ["Tall", "Night owl"], "notes": "Likes jazz"})
    expect(card.get_by_role("link", name="Zoe Renamed")).to_be_focused()
    expect(card).to_have_attribute("aria-label", "About Zoe Renamed")
    expect(page.locator(".thread-head").get_by_role("link", name="Zoe Renamed")).to_be_visible()
    expect(page).to_have_title(re.compile("Zoe Renamed · Inbox · Greenroom$"))
    expect(card.locator("#tags .tag a")).to_have_text(["Night owl", "Tall"])
    expect(card.get_by_label("Notes", exact=True)).to_have_value("Likes jazz")
    expect(card.locator(".fan-more[open]")).to_have_count(1)

    card.get_by_label("New tag").fill("half a ta")
    card.get_by_label("Notes", exact=True).fill("Likes jazz, and")
    stack.sandbox.fan("tip", fan["platformFanId"], amountCents=700)
    expect(card.locator(".spend-kinds")).to_contain_text("$7.00")
    expect(page.locator("#thread-name")).to_contain_text("$7.00 spent")
    expect(card.get_by_text("Last purchase")).to_be_visible()
    stack.call("PUT", path, json={"name": "Zoe Again", "tags": ["Tall"], "notes": "Likes rock"})
    expect(card.get_by_role("link", name="Zoe Again")).to_be_visible()
    expect(card.get_by_label("Notes", exact=True)).to_be_focused()
    expect(card.get_by_label("Notes", exact=True)).to_have_value("Likes jazz, and")
    expect(card.get_by_label("New tag")).to_have_value("half a ta")
    expect(card.locator("#tags .tag a")).to_have_text(["Night owl", "Tall"])
    card.get_by_label("New tag").fill("")
    ada.composer.focus()
    expect(card.locator("#tags .tag a")).to_have_text(["Tall"])
    expect(card.get_by_label("Notes", exact=True)).to_have_value("Likes jazz, and")
    expect(ada.composer).to_be_focused()
    assert not ada.was_reloaded()
    page.wait_for_timeout(6_000)
    before = len(asked)
    page.wait_for_timeout(6_000)
    assert len(asked) == before, "nothing changed, and nothing was asked"


def test_the_card_is_brought_up_to_date_after_the_line_was_lost(visit: Callable[..., Person], stack: Stack, fan: dict):
    line = Line(stack.port)
    ada = visit("ada", url=line.url)
    ada.expects(BROKEN_LINE)
    ada.open_conversation(fan)
    ada.mark()
    line.cut()
    expect(ada.badge()).to_have_attribute("data-live", "offline")
    stack.call("PUT", f"/api/crm/fans/{fan['id']}", json={"name": "Renamed meanwhile"})
    line.mend()
    expect(ada.page.locator("#fan-side").get_by_role("link", name="Renamed meanwhile")).to_be_visible()
    assert not ada.was_reloaded()
    line.cut()


def test_their_clock_goes_on(ada: Person, fan: dict):
    ada.page.goto(f"/fans/{fan['id']}")
    ada.page.get_by_label("Time zone").fill("Asia/Kolkata")
    ada.page.get_by_role("button", name="Save", exact=True).click()
    expect(ada.page.get_by_text("Saved.")).to_be_visible()
    ada.page.clock.install()
    ada.open_conversation(fan)
    clock = ada.page.locator(".fan-clock time")
    shown, hint = clock.inner_text(), clock.get_attribute("title")
    ada.page.clock.fast_forward("02:00")
    later = ada.page.evaluate(
        "new Date().toLocaleTimeString('en-GB', { timeStyle: 'short', timeZone: 'Asia/Kolkata' })"
    )
    expect(clock).to_have_text(f"{later} IST")
    assert shown != clock.inner_text()
    assert hint != clock.get_attribute("title")


def test_campaigns_and_timeline_come_when_they_are_opened_and_follow(ada: Person, stack: Stack, fan: dict):
    body = {"recipientIds": [fan["id"]], "content": "For the card", "campaignName": "The card's own"}
    stack.call("POST", "/api/messages/bulk", json=body)
    ada.open_conversation(fan)
    ada.page.locator(".fan-more summary", has_text="Campaigns").click()
    expect(ada.page.get_by_role("link", name="The card's own")).to_be_visible()
    expect(ada.page.get_by_text("It went to fans chosen one by one.")).to_be_visible()
    timeline = ada.page.locator(".fan-more", has_text="Timeline")
    timeline.locator("summary").click()
    expect(timeline.get_by_role("link", name="The card's own")).to_be_visible()
    stack.sandbox.fan("tip", fan["platformFanId"], amountCents=700, text="For you")
    expect(timeline.locator(".happening", has_text="$7.00")).to_be_visible()
    timeline.get_by_role("link", name="The card's own").focus()
    stack.call("POST", "/api/messages/bulk", json=body | {"content": "Once more", "campaignName": "Another"})
    expect(timeline.get_by_role("link", name="Another")).to_be_visible()
    expect(ada.page.get_by_role("link", name="Another")).to_have_count(2)
    expect(timeline.get_by_role("link", name="The card's own")).to_be_focused()
    ada.page.get_by_role("link", name="Profile").click()
    ada.page.get_by_role("link", name="Timeline").click()
    expect(ada.page).to_have_title(re.compile(f"Timeline of {re.escape(fan['name'])} · Greenroom$"))
    ada.page.get_by_role("link", name="Notes", exact=True).click()
    expect(ada.page.get_by_text("Nothing here")).to_be_visible()
    ada.page.go_back()
    expect(ada.page.get_by_role("link", name="The card's own")).to_be_visible()


def test_on_a_phone_the_card_opens_over_the_thread_follows_and_closes(
    visit: Callable[..., Person], stack: Stack, fan: dict
):
    ada = visit("ada", viewport=PHONE)
    ada.open_conversation(fan)
    card = ada.page.locator("#fan-side")
    expect(card).to_be_hidden()
    ada.page.get_by_role("button", name=f"About {fan['name']}").click()
    expect(card).to_be_visible()
    ada.page.get_by_label("New tag").fill("Phone")
    ada.page.keyboard.press("Enter")
    expect(card.get_by_role("link", name="Phone")).to_be_visible()
    stack.call("PUT", f"/api/crm/fans/{fan['id']}", json={"name": "Zoe Renamed"})
    expect(card.get_by_role("link", name="Zoe Renamed")).to_be_visible()
    ada.page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_a_failed_message_keeps_its_text_says_why_and_is_sent_again_from_the_thread(
    ada: Person, stack: Stack, fan: dict
):
    ada.open_conversation(fan)
    ada.mark()
    stack.sandbox.faults(refuse=1)
    ada.write("Refused at first")
    message = ada.message("Refused at first")
    expect(message).to_have_attribute("data-status", "failed")
    expect(message.locator(".message-reason")).to_contain_text("Cannot send message to this user")
    stack.sandbox.faults()
    message.get_by_role("button", name="Send again").click()
    expect(message).to_have_attribute("data-status", SENT)
    assert ada.texts() == ["Refused at first"]
    assert not ada.was_reloaded()
