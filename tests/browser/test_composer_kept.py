"""What is begun in the composer stays under the hands: beside the header's actions, on coming back, without a quick reply."""

from playwright.sync_api import Route, expect

from tests.browser.person import Person
from tests.servers import wait_until


def test_what_was_just_typed_is_there_after_an_action_of_the_header(ada: Person, fan: dict):
    ada.open_conversation(fan)
    page = ada.page
    held: list[Route] = []
    page.route("**/draft", lambda route: held.append(route), times=1)
    ada.composer.press_sequentially("half a reply")
    page.get_by_role("button", name="Pin to the top").click()
    wait_until(lambda: page.wait_for_timeout(100) or bool(held))
    expect(page.get_by_text("Pinned to the top.")).to_have_count(0)
    held[0].continue_()
    expect(page.get_by_text("Pinned to the top.")).to_be_visible()
    expect(ada.composer).to_have_value("half a reply")
    page.get_by_role("button", name="No longer on top").click()
    expect(page.get_by_text("No longer pinned.")).to_be_visible()
    expect(ada.composer).to_have_value("half a reply")
