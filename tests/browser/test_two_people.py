"""Ada and Bob work in the same account at the same time, each at a browser of their own."""

from playwright.sync_api import expect

from tests.browser.person import SENT, Person
from tests.browser.stack import Stack
from tests.servers import wait_until

ROWS = 3000
HEADER = "Username,Display Name,Email,Total Spent,Last Seen"


def test_a_csv_becomes_fans_before_the_eyes(ada: Person, tmp_path):
    file = tmp_path / "autumn.csv"
    good = [f"autumn_{n},Autumn Leaf {n},autumn{n}@example.com,${n}.50,2026-11-02" for n in range(ROWS)]
    file.write_text("\n".join([HEADER, *good, "spoilt,Spoilt,not an address,$1.00,2026-11-02"]) + "\n")
    page = ada.page
    page.goto("/imports")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("heading", name="autumn.csv")).to_be_visible()
    expect(page.get_by_label("Read Total Spent as")).to_have_value("value_cents")
    page.get_by_label("is left out, and is listed").check()
    page.get_by_role("button", name="Rehearse").click()
    ada.mark()
    expect(page.locator("#import .state").first).to_contain_text("Rehearsed")
    page.get_by_role("link", name="Rejected (1)").click()
    expect(page.get_by_text("not an address")).to_be_visible()
    page.get_by_role("button", name="Apply 3,000 rows").click()
    ada.mark()
    expect(page.locator("#import .state").first).to_contain_text("Completed")
    assert counts(ada)["New"] == "3,000"
    assert counts(ada)["Skipped"] == "1"
    assert not ada.was_reloaded()
    page.get_by_role("link", name="See the fans").click()
    page.wait_for_load_state()  # with htmx: nobody types before the page is there
    page.get_by_label("Search fans").fill("autumn leaf 1234")
    expect(page.locator(".count")).to_have_text("1 fan found")
    expect(page.get_by_role("link", name="Autumn Leaf 1234")).to_be_visible()


def test_each_sees_what_the_other_writes_and_the_fan_answers(ada: Person, bob: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    bob.open_conversation(fan)
    for person in (ada, bob):
        expect(person.badge()).to_have_text("Live")
        person.mark()
    ada.write("Good evening from Ada")
    for person in (ada, bob):
        expect(person.message("Good evening from Ada")).to_have_attribute("data-status", SENT)
    ada.page.wait_for_timeout(1000)
    stack.sandbox.fan("say", fan["platformFanId"], text="And good evening to you")
    for person in (ada, bob):
        person.read("And good evening to you")
    bob.write("Bob is here too")
    for person in (ada, bob):
        expect(person.message("Bob is here too")).to_have_attribute("data-status", SENT)
        assert person.texts() == ["Good evening from Ada", "And good evening to you", "Bob is here too"]
        assert not person.was_reloaded()
    assert accepted(stack, fan) == ["Good evening from Ada", "Bob is here too"]


def test_an_answer_stands_below_what_it_answers(ada: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    said = []
    for turn in (1, 2, 3):
        ada.write(f"Question {turn}")
        expect(ada.message(f"Question {turn}")).to_have_attribute("data-status", SENT)
        stack.sandbox.fan("say", fan["platformFanId"], text=f"Answer {turn}")
        ada.read(f"Answer {turn}")
        said += [f"Question {turn}", f"Answer {turn}"]
    assert ada.texts() == said
    ada.page.reload()
    assert ada.texts() == said


def test_the_inbox_and_the_unread_number_follow_by_themselves(ada: Person, stack: Stack, fan: dict):
    page = ada.page
    page.goto("/messages/onlyfans")
    expect(ada.badge()).to_have_text("Live")
    before = int(page.locator("#unread-total").text_content() or 0)
    ada.mark()
    newest = page.locator('.conversation:not([data-handling*="pinned"])').first
    for number in (1, 2):
        stack.sandbox.fan("say", fan["platformFanId"], text=f"Are you there? {number}")
        expect(newest).to_contain_text(f"Are you there? {number}")
        expect(page.locator("#unread-total")).to_have_text(str(before + 1))  # conversations, not messages
        expect(page).to_have_title(f"({before + 1}) Inbox · Greenroom")
    expect(newest).to_contain_text(fan["name"])
    expect(newest.locator(".unread")).to_have_text("2 unread")
    assert not ada.was_reloaded()
    newest.get_by_role("link").click()
    expect(ada.message("Are you there? 2")).to_be_visible()
    expect(page.locator("#unread-total")).to_have_text(str(before))
    unread = f"({before}) " if before else ""
    expect(page).to_have_title(f"{unread}{fan['name']} · Inbox · Greenroom")


def test_what_one_reads_is_read_for_the_other(ada: Person, bob: Person, stack: Stack, fan: dict):
    ada.open_conversation(fan)
    bob.page.goto("/messages/onlyfans")
    for person in (ada, bob):
        expect(person.badge()).to_have_text("Live")
    row = bob.page.locator(".conversation", has_text=fan["name"]).first
    stack.sandbox.fan("say", fan["platformFanId"], text="Read me")
    expect(ada.message("Read me")).to_be_visible()
    expect(row).to_contain_text("Read me")
    expect(row.locator(".unread")).to_have_count(0)


def test_a_fan_whom_one_deletes_is_gone_for_the_other(bob: Person, stack: Stack, fan: dict):
    page = bob.page
    page.goto("/messages/onlyfans")
    expect(bob.badge()).to_have_text("Live")
    bob.mark()
    before = int(page.locator("#unread-total").text_content() or 0)
    stack.sandbox.fan("say", fan["platformFanId"], text="Goodbye")
    row = page.locator(".conversation", has_text=fan["name"])
    expect(row).to_contain_text("Goodbye")
    expect(page.locator("#unread-total")).to_have_text(str(before + 1))
    stack.call("DELETE", f"/api/crm/fans/{fan['id']}")
    expect(row).to_have_count(0)
    assert int(page.locator("#unread-total").text_content() or 0) == before
    assert not bob.was_reloaded()


def test_fans_whom_an_undo_takes_back_are_gone_for_the_other(bob: Person, stack: Stack):
    file = {"file": ("late.csv", b"Username,Display Name\nlate_leaf,Late Leaf\n", "text/csv")}
    path = f"/api/onlyfans/import/{stack.call('POST', '/api/onlyfans/import/csv', files=file)['importId']}"
    wait_until(lambda: stack.call("GET", path)["status"] == "completed")
    (fan,) = stack.call("GET", "/api/crm/fans?search=late_leaf")["fans"]
    stack.call("PUT", f"/api/crm/fans/{fan['id']}", json={"platformFanId": "424242"})
    thread = stack.call("POST", "/api/crm/conversations", json={"fanId": fan["id"]})["id"]
    bob.page.goto(f"/messages/onlyfans?search={fan['name']}")
    expect(bob.badge()).to_have_text("Live")
    row = bob.page.locator(f"#conversation-{thread}")
    expect(row).to_be_visible()
    bob.mark()
    stack.call("POST", f"{path}/undo")
    expect(row).to_have_count(0)
    assert not bob.was_reloaded()


def counts(person: Person) -> dict[str, str]:
    """The figures under an import's bar."""
    pairs = person.page.locator(".counts > div").all()
    return {pair.locator("dt").inner_text(): pair.locator("dd").inner_text() for pair in pairs}


def accepted(stack: Stack, fan: dict) -> list[str]:
    """What the platform took for this fan, in its order."""
    sends = stack.sandbox.sends()
    mine = [each for each in sends if str(each["chatId"]) == fan["platformFanId"]]
    return [each["text"] for each in mine if each["outcome"] == "accepted"]
