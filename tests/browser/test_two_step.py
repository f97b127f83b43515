"""Two-step sign-in by hand: set up with a phone's app, asked for a code, in by a recovery code; with the keyboard alone."""

import time
from collections.abc import Callable

from playwright.sync_api import expect
from pyotp.totp import TOTP

from tests.browser.person import Person
from tests.browser.stack import Stack
from tests.browser.test_accessibility import faults

CLEO = {"email": "cleo@example.com", "password": "correct horse battery"}


def test_a_phone_is_asked_for_from_then_on(visit: Callable[..., Person], stack: Stack):
    stack.add_person(**CLEO, role="chatter")
    cleo = visit()
    cleo.expects("status of 401")
    cleo.sign_in(**CLEO)
    page = cleo.page
    page.goto("/settings/me")
    page.get_by_role("link", name="Set it up").press("Enter")
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    phone = TOTP(page.locator(".numbered code").inner_text().replace(" ", ""))
    page.get_by_role("textbox", name="Code").press_sequentially(phone.now())
    page.keyboard.press("Tab")
    page.keyboard.type(CLEO["password"])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    codes = page.locator(".recovery-codes li").all_inner_texts()
    assert len(codes) == 10
    assert faults(cleo) == []
    page.get_by_role("link", name="I have kept them").press("Enter")
    expect(page.get_by_role("link", name="Change", exact=True)).to_be_visible()

    again = visit()
    again.expects("status of 401")
    page = again.page
    again.say_password(**CLEO)
    assert faults(again) == []
    page.keyboard.type("123")
    page.keyboard.press("Enter")
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    assert faults(again) == []
    page.get_by_role("textbox", name="Code").fill(phone.at(time.time(), counter_offset=1))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()

    without = visit()
    without.say_password(**CLEO)
    without.page.keyboard.type(codes[3])
    without.page.keyboard.press("Enter")
    expect(without.page.get_by_role("heading", name="Inbox")).to_be_visible()
