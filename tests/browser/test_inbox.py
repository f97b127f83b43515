"""The inbox as work: keys, what is put away and comes back, and a list that others change meanwhile."""

import re

from playwright.sync_api import Route, expect

from tests.browser.person import Person
from tests.browser.stack import Stack


def test_by_keys_from_the_list_to_an_answer_and_away(ada: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    ada.write("So that it is on top")
    expect(ada.message("So that it is on top")).to_be_visible()
    page, keys = ada.page, ada.page.keyboard
    page.goto("/messages/onlyfans")
    expect(ada.badge()).to_have_text("Live")
    row = page.locator("#conversations > li", has_text=fan["name"])
    above = page.locator("#conversations > li:not([hidden])").evaluate_all(
        "(rows, id) => rows.findIndex((each) => each.id === id)", row.get_attribute("id")
    )  # a fan may just have written
    for _ in range(above + 1):
        keys.press("j")
    expect(row.locator(".conversation-link")).to_be_focused()
    keys.press("j")
    keys.press("k")
    keys.press("Enter")
    expect(ada.composer).to_be_focused()
    keys.press("Escape")
    keys.press("?")
    expect(page.get_by_role("heading", name="Keys")).to_be_visible()
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Keys")).to_be_hidden()
    keys.press("r")
    keys.type("e, j and k are letters here")
    expect(ada.composer).to_have_value("e, j and k are letters here")
    ada.composer.fill("")
    keys.press("Escape")
    keys.press("e")
    expect(page.locator(".toast-line")).to_contain_text("Archived")
    expect(row).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect(row).to_be_visible()


def test_assigned_pinned_and_snoozed_for_everyone_at_once(ada: Person, bob: Person, fan: dict):
    ada.open_conversation(fan)
    ada.write("For the list")
    bob.page.goto("/messages/onlyfans")
    expect(bob.badge()).to_have_text("Live")
    row = bob.page.locator("#conversations > li", has_text=fan["name"])
    expect(row).to_be_visible()

    ada.page.get_by_title("Who answers").click()
    ada.page.get_by_role("button", name=re.compile(r"\(you\)")).click()
    expect(ada.page.get_by_text("Assigned.")).to_be_visible()
    expect(row.get_by_title(re.compile("answers$"))).to_be_visible()
    ada.page.get_by_role("button", name="Pin to the top").click()
    expect(row.get_by_text("pinned")).to_be_attached()
    expect(bob.page.locator("#conversations > li").first).to_contain_text(fan["name"])
    ada.page.get_by_label("Snooze").click()
    ada.page.get_by_role("button", name="Until they write").click()
    expect(row).to_be_hidden()
    bob.page.get_by_label("Show", exact=True).select_option("snoozed")
    expect(row).to_be_visible()
    ada.page.get_by_role("button", name="Back to the inbox").click()
    expect(row).to_have_count(0)  # it no longer belongs into the list of the snoozed
    bob.page.get_by_label("Show", exact=True).select_option("")
    expect(row).to_be_visible()
    ada.page.get_by_role("button", name="No longer on top").click()
    expect(row.get_by_text("pinned")).to_have_count(0)


def test_an_open_threads_header_says_what_a_colleague_does(ada: Person, bob: Person, fan: dict):
    ada.open_conversation(fan)
    ada.write("For both of us")
    bob.open_conversation(fan)
    head = ada.page.locator(".thread-head")
    ada.mark()
    expect(ada.composer).to_have_value("")
    ada.page.evaluate("document.activeElement.blur()")
    bob.page.get_by_title("Who answers").click()
    bob.page.get_by_role("button", name=re.compile(r"\(you\)")).click()
    expect(head.get_by_title("Who answers")).to_have_text(re.compile("Bob"))
    expect(ada.composer).not_to_be_focused()
    ada.page.get_by_role("button", name="Mark as unread").focus()
    bob.page.get_by_role("button", name="Pin to the top").click()
    expect(head.get_by_role("button", name="No longer on top")).to_be_visible()
    expect(ada.page.get_by_role("button", name="Mark as unread")).to_be_focused()

    head.get_by_title("Who answers").click()
    bob.page.get_by_role("button", name="Archive", exact=False).click()
    ada.page.wait_for_timeout(1_500)
    expect(head.get_by_role("button", name="Nobody")).to_be_visible()  # a menu stays as long as it is open
    ada.page.keyboard.press("Escape")
    expect(head.get_by_role("button", name="Back to the inbox")).to_be_visible()
    head.get_by_title("Who answers").click()
    head.get_by_role("button", name="Nobody").click()
    expect(bob.page.locator(".thread-head").get_by_title("Who answers")).to_have_text("Assign")


def test_the_header_says_what_was_done_by_key(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.write("To be put away")
    expect(ada.message("To be put away")).to_be_visible()
    ada.page.reload()
    expect(ada.badge()).to_have_text("Live")
    archive = ada.page.get_by_role("button", name="Archive (e)")
    expect(ada.composer).to_be_focused()
    ada.page.keyboard.press("Escape")
    ada.page.keyboard.press("e")
    expect(ada.page.get_by_role("button", name="Back to the inbox")).to_be_visible()
    expect(archive).to_have_count(0)
    ada.page.keyboard.press("z")
    expect(archive).to_be_visible()


def test_keys_are_for_the_open_thread_also_where_the_list_does_not_have_it(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.write("Not in a list of what nobody has")
    expect(ada.message("Not in a list of what nobody has")).to_be_visible()
    ada.page.goto(f"{ada.page.url}?tag=nobody")
    expect(ada.badge()).to_have_text("Live")
    expect(ada.page.locator("#conversations > li")).to_have_count(0)
    expect(ada.composer).to_be_focused()
    ada.page.keyboard.press("Escape")
    ada.page.keyboard.press("e")
    expect(ada.page.get_by_role("button", name="Back to the inbox")).to_be_visible()
    ada.page.keyboard.press("z")
    expect(ada.page.get_by_role("button", name="Archive (e)")).to_be_visible()


def test_undo_brings_back_what_was_pinned(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.write("So that it is on top")
    page, keys = ada.page, ada.page.keyboard
    page.get_by_role("button", name="Pin to the top").click()
    expect(page.get_by_text("Pinned to the top.")).to_be_visible()
    expect(ada.badge()).to_have_text("Live")
    keys.press("Escape")
    row = page.locator("#conversations > li", has_text=fan["name"])
    expect(row.get_by_text("pinned")).to_be_attached()
    keys.press("e")
    expect(row).to_be_hidden()
    keys.press("z")
    expect(row).to_be_visible()
    expect(row.get_by_text("pinned")).to_be_attached()
    page.reload()
    expect(row.get_by_text("pinned")).to_be_attached()
    page.get_by_role("button", name="No longer on top").click()
    expect(row.get_by_text("pinned")).to_have_count(0)  # else it might stay so for the tests after this one


def test_the_address_is_the_search_also_beside_an_open_thread(ada: Person, stack: Stack, silent_fans):
    first, second = next(silent_fans), next(silent_fans)
    for fan in (first, second):
        stack.call("PUT", f"/api/crm/fans/{fan['id']}", json={"tags": ["in the address"]})
        ada.open_conversation(fan)
        ada.write("In the list")
        expect(ada.message("In the list")).to_be_visible()
    page = ada.page
    rows = page.locator("#conversations > li:not([hidden])")
    page.goto("/messages/onlyfans")
    expect(ada.badge()).to_have_text("Live")
    page.get_by_label("More filters").click()
    page.locator("#inbox-filters [name=tag]").fill("in the address")
    page.get_by_label("Order").select_option("spend")
    expect(page).to_have_url(re.compile(r"/messages/onlyfans\?tag=in\+the\+address&sort=spend$"))
    expect(rows).to_have_count(2)
    page.reload()
    expect(rows).to_have_count(2)
    expect(page.get_by_label("Order")).to_have_value("spend")

    rows.filter(has_text=first["name"]).get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/messages/onlyfans/\d+\?tag=in\+the\+address&sort=spend$"))
    expect(ada.composer).to_be_visible()
    page.get_by_label("Search conversations").fill(second["handle"].lstrip("@"))
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/messages/onlyfans/\d+\?search=.+&tag=in\+the\+address&sort=spend$"))
    page.reload()
    expect(page.get_by_role("region", name=f"Conversation with {first['name']}")).to_be_visible()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(second["name"])
    page.locator("#inbox-filters [name=tag]").fill("")
    expect(page).not_to_have_url(re.compile("tag="))
    page.get_by_role("button", name="Pin to the top").click()
    expect(page.get_by_text("Pinned to the top.")).to_be_visible()
    expect(page).not_to_have_url(re.compile("tag="))
    page.go_back()
    page.go_back()
    expect(ada.composer).to_have_count(0)
    expect(rows).to_have_count(2)


def test_all_that_match_after_seeing_how_many(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.write("To be put away with others")
    page = ada.page
    page.goto(f"/messages/onlyfans?search={fan['handle'].lstrip('@')}")
    page.get_by_text("Several at once").click()
    page.get_by_label("Which").select_option("all")
    page.get_by_label("What to do").select_option("archive")
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_role("heading", name="1 conversation")).to_be_visible()
    expect(page.get_by_text("The one conversation that matches what you look at will be archived.")).to_be_visible()
    page.get_by_role("button", name="Do it for 1").click()
    expect(page.get_by_text("1 conversation: archived.")).to_be_visible()
    expect(page.get_by_text("Nothing matches.")).to_be_visible()


def test_a_filtered_list_follows_also_where_news_never_ceases(ada: Person, stack: Stack, fan: dict):
    page = ada.page
    page.goto(f"/messages/onlyfans?view=unread&search={fan['handle'].lstrip('@')}")
    expect(ada.badge()).to_have_text("Live")
    page.evaluate("""() => setInterval(() => {
      const detail = { kind: "conversation", isNew: false };
      document.getElementById("conversations").dispatchEvent(new CustomEvent("greenroom:news", { bubbles: true, detail }));
    }, 200)""")
    stack.sandbox.fan("say", fan["platformFanId"], text="Among many others")
    expect(page.locator("#conversations > li", has_text=fan["name"])).to_be_visible()


def test_u_marks_as_unread_and_z_takes_it_back(ada: Person, fan: dict):
    ada.open_conversation(fan)
    ada.write("Read so far")
    expect(ada.message("Read so far")).to_be_visible()
    page, keys = ada.page, ada.page.keyboard
    page.goto("/messages/onlyfans")
    expect(ada.badge()).to_have_text("Live")
    row = page.locator("#conversations > li", has_text=fan["name"])
    row.locator(".conversation-link").focus()
    keys.press("u")
    expect(row.locator(".unread")).to_have_text("1 unread")
    expect(page.locator(".toast-line")).to_contain_text("Marked as unread.")
    keys.press("z")
    expect(row.locator(".unread")).to_have_count(0)


def test_the_list_shows_what_was_typed_last_however_slow_the_answers(ada: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    ada.write("To be found")
    expect(ada.message("To be found")).to_be_visible()
    page = ada.page
    page.goto("/messages/onlyfans")
    expect(ada.badge()).to_have_text("Live")
    answers = iter((3, 0, 1, 0, 0, 0))  # seconds

    def slowly(route: Route) -> None:
        page.wait_for_timeout(next(answers, 0) * 1000)
        route.continue_()

    page.route(re.compile(r"/messages/onlyfans(\?.*)?$"), slowly)
    everybody = page.locator("#conversations > li:not([hidden])")
    assert everybody.count() > 1
    page.evaluate(
        "document.getElementById('conversations').dispatchEvent(new CustomEvent('greenroom:stale', { bubbles: true }))"
    )
    page.wait_for_timeout(1_000)  # the whole list is on its way anew
    handle = fan["handle"].lstrip("@")
    page.get_by_label("Search conversations").focus()
    for part in (handle[:1], handle[1:2], handle[2:3], handle[3:]):
        page.keyboard.type(part)
        page.wait_for_timeout(400)  # so that each is asked for
    expect(everybody).to_have_count(1)
    page.wait_for_timeout(4_000)
    expect(everybody).to_have_count(1)
    expect(everybody).to_contain_text(fan["name"])


def test_the_fans_name_and_spend_can_be_read_at_every_width(ada: Person, fan: dict):
    ada.open_conversation(fan)
    name = ada.page.locator("#thread-name")
    for width in (390, 1024, 1280, 1310, 1400, 1920):
        ada.page.set_viewport_size({"width": width, "height": 800})
        box = name.bounding_box()
        assert box
        assert box["width"] > 120, width
        assert ada.page.locator(".thread-head").evaluate("each => each.scrollWidth <= each.clientWidth")
    assert re.match(r"\$[\d,.]+ spent", name.locator("div").inner_text())


def test_several_at_once_opens_with_the_first_tick_and_says_how_many(ada: Person, stack: Stack, silent_fans):
    fans = [next(silent_fans) for _ in range(2)]
    for each in fans:
        stack.call("PUT", f"/api/crm/fans/{each['id']}", json={"tags": ["ticked first"]})
        stack.call("POST", "/api/crm/conversations", json={"fanId": each["id"]})
    page = ada.page
    page.goto("/messages/onlyfans?tag=ticked+first")
    expect(ada.badge()).to_have_text("Live")
    bar = page.locator("#bulk summary")
    expect(bar).to_have_text("Several at once")
    page.get_by_label(f"Tick {fans[0]['name']}").check()
    expect(page.get_by_label("What to do")).to_be_visible()
    expect(bar).to_have_text("Several at once: 1 ticked")
    bar.click()  # whoever closes it is left alone
    page.get_by_label(f"Tick {fans[1]['name']}").check()
    expect(bar).to_have_text("Several at once: 2 ticked")
    expect(page.get_by_label("What to do")).to_be_hidden()
    page.get_by_label(f"Tick {fans[0]['name']}").uncheck()
    page.get_by_label(f"Tick {fans[1]['name']}").uncheck()
    expect(bar).to_have_text("Several at once")
