"""Conversations as work: who waits, what is put off and comes back, and changes to many at once."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from app import sweep
from app.conversations import actions, filters, live, queries, triage
from app.conversations.filters import Filter
from app.conversations.models import UNTIL_REPLY, Conversation
from app.database import db, write
from app.errors import Invalid, NotFound
from tests.events import Platform, said
from tests.people import Person, add_fan, csrf_of, submit
from tests.sending import drain


@pytest.fixture
def thread(ada: Person, platform: Platform) -> int:
    """One that waits for an answer."""
    platform.tell("messages.received", said())
    return ada.get("/api/crm/conversations")["conversations"][0]["id"]


def found(ada: Person, view: str) -> list[int]:
    with ada.app.app_context():
        rows = filters.inbox(ada.account_id, ada.user_id, Filter(view=view))
        return [each.id for each in db.session.scalars(rows)]


def conversation(ada: Person, thread: int) -> Conversation:
    return queries.find_conversation(ada.account_id, thread)


def test_a_fan_waits_from_the_first_unanswered_message_until_a_person_answers(
    ada: Person, platform: Platform, thread: int
):
    with ada.app.app_context():
        since = conversation(ada, thread).waiting_since
    platform.tell("messages.received", said("And?", 2), "evt_2")
    with ada.app.app_context():
        assert since is not None
        assert conversation(ada, thread).waiting_since == since
    assert found(ada, "unanswered") == [thread]
    ada.post(f"/api/crm/conversations/{thread}/messages", {"text": "Here I am"}, 202)
    assert found(ada, "unanswered") == []


def test_a_campaign_answers_nobody_and_brings_nothing_back(app, ada: Person, thread: int):
    with app.app_context():
        triage.change(ada.account_id, thread, triage.ARCHIVED)
        fan = conversation(ada, thread).fan_id
    ada.post("/api/messages/bulk", {"recipientIds": [fan], "content": "News"}, 202)
    drain(app)
    with app.app_context():
        assert conversation(ada, thread).archived
        assert conversation(ada, thread).waiting_since is not None


def test_the_snoozed_come_back_by_time_or_by_word(app, ada: Person, platform: Platform, thread: int):
    with app.app_context():
        triage.change(ada.account_id, thread, triage.snoozed(None))
        assert conversation(ada, thread).snoozed_until == UNTIL_REPLY
    assert (found(ada, ""), found(ada, "snoozed")) == ([], [thread])
    platform.tell("messages.received", said("Hello?", 3), "evt_3")
    assert (found(ada, ""), found(ada, "snoozed")) == ([thread], [])
    with app.app_context():
        triage.change(ada.account_id, thread, triage.snoozed(datetime.now(UTC) + timedelta(hours=1)))
        sweep.ring_again(("incoming",))
    assert found(ada, "") == []
    with app.app_context():
        with write() as session:
            session.get_one(Conversation, thread).snoozed_until = datetime.now(UTC) - timedelta(seconds=1)
        sweep.ring_again(("incoming",))
    assert found(ada, "") == [thread]
    with app.app_context(), pytest.raises(Invalid):
        triage.snoozed(datetime.now(UTC) - timedelta(seconds=1))


def test_who_comes_back_by_time_is_unread_and_others_do_not_keep_them_from_it(app, ada: Person, monkeypatch):
    fans = [add_fan(ada, number)["id"] for number in range(2, 5)]
    again, _gone, back = (ada.post("/api/crm/conversations", {"fanId": fan})["id"] for fan in fans)
    with app.app_context():
        with write() as session:
            session.execute(db.update(Conversation).values(snoozed_until=datetime.now(UTC) - timedelta(seconds=1)))
        real = triage.write

        def meanwhile():
            monkeypatch.setattr(triage, "write", real)
            triage.change(ada.account_id, again, triage.snoozed(None))
            actions.remove_fan(ada.account_id, fans[1])
            return real()

        monkeypatch.setattr(triage, "write", meanwhile)
        sweep.ring_again(("incoming",))
        assert conversation(ada, back).unread_count == 1
        assert conversation(ada, again).snoozed_until == UNTIL_REPLY
        assert queries.unread_total(ada.account_id) == 1
    assert (found(ada, "unread"), found(ada, "snoozed")) == ([back], [again])


@pytest.mark.parametrize(
    ("now", "names"),
    [
        ("2026-03-27T10:00:00+01:00", ["hour", "evening", "tomorrow", "monday", "reply"]),
        ("2026-03-28T17:30:00+01:00", ["hour", "tomorrow", "monday", "reply"]),
    ],
)
def test_times_to_snooze_to_are_by_the_accounts_clock(now: str, names: list[str]):
    times = triage.snooze_times("Europe/Berlin", datetime.fromisoformat(now))
    assert [each.name for each in times] == names
    by_name = {each.name: each.at for each in times}
    assert by_name["monday"] == datetime.fromisoformat("2026-03-30T09:00:00+02:00")  # the clocks go forward on the 29th


def test_only_people_of_the_account_are_assigned(app, ada: Person, eve: Person, thread: int):
    with app.app_context():
        with pytest.raises(Invalid):
            triage.assigned(ada.account_id, eve.user_id)
        triage.change(ada.account_id, thread, triage.assigned(ada.account_id, ada.user_id))
        with pytest.raises(NotFound):
            triage.change(eve.account_id, thread, triage.ARCHIVED)
        assert triage.change_all(eve.account_id, select(Conversation.id), triage.ARCHIVED) == 0
    assert (found(ada, "mine"), found(ada, "unassigned")) == ([thread], [])


def test_many_at_once_are_changed_once_the_number_was_seen(app, ada: Person, thread: int):
    fans = [add_fan(ada, number)["id"] for number in range(2, 5)]
    for fan in fans:
        ada.post("/api/crm/conversations", {"fanId": fan})
    browser = ada.browser()
    token = browser.get("/messages/onlyfans").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"csrf_token": token, "which": "all", "do": "archive"}
    asked = browser.post("/messages/onlyfans/triage?search=fan", data=form).text
    assert "Do it for 4" in asked
    assert len(found(ada, "")) == 4
    assert browser.post("/messages/onlyfans/triage?search=fan", data=form | {"confirmed": "4"}).status_code == 302
    assert found(ada, "") == []
    ticked = {"csrf_token": token, "which": "ticked", "do": "open", "ids": [str(thread), "x", "9" * 30]}
    assert browser.post("/messages/onlyfans/triage", data=ticked).status_code == 302
    assert found(ada, "") == [thread]
    wrong = browser.post("/messages/onlyfans/triage", data=form | {"do": "burn"}, follow_redirects=True).text
    assert "Choose what is to be done." in wrong


def test_what_a_header_says_is_asked_for_by_itself_and_by_nobody_elses_people(
    app, ada: Person, eve: Person, thread: int
):
    with app.app_context():
        triage.change(ada.account_id, thread, triage.assigned(ada.account_id, ada.user_id))
        triage.change(ada.account_id, thread, triage.PINNED)
    head = ada.browser().get(f"/messages/onlyfans/{thread}/triage").text
    assert f'data-handling="{ada.user_id} pinned"' in head
    with app.app_context():
        news = live.catch_up(ada.account_id, "inbox", 0, 0)["items"]
    assert f'data-handling="{ada.user_id} pinned"' in news[0]["html"]
    assert "No longer on top" in head
    assert "<html" not in head
    assert eve.browser().get(f"/messages/onlyfans/{thread}/triage").status_code == 404


def test_archiving_is_taken_back_to_what_was(app, ada: Person, platform: Platform, thread: int):
    browser, address = ada.browser(), f"/messages/onlyfans/{thread}/triage"
    token = csrf_of(browser, "/messages/onlyfans")

    def do(what: str) -> TestResponse:
        return browser.post(address, data={"csrf_token": token, "do": what}, headers={"HX-Request": "true"})

    def state() -> tuple[bool, bool, datetime | None]:
        with app.app_context():
            each = conversation(ada, thread)
            return each.archived, each.pinned, each.snoozed_until

    assert do(do("archive").headers["Greenroom-Undo"]).status_code == 200
    assert state() == (False, False, None)
    do("pin")
    do("snooze:tomorrow")
    was = state()
    undo = do("archive").headers["Greenroom-Undo"]
    assert state() == (True, False, None)
    assert do("archive").headers["Greenroom-Undo"] == "archive"  # of one that was archived already
    do(undo)
    assert state() == was
    assert was[2] is not None

    do("archive")
    platform.tell("messages.received", said("Still there?", 4), "evt_4")
    do(undo)
    assert state() == (False, True, None)  # who writes is not put off again
    for wrong in ("back::soon", "back::9999-12-31T23:59:59-23:00"):
        assert do(wrong).status_code == 302
    assert state() == (False, True, None)


def test_the_next_is_who_waits_longest_and_is_nobody_elses(app, ada: Person, platform: Platform, thread: int):
    browser = ada.browser()
    assert browser.get("/messages/onlyfans/next").headers["Location"].endswith(f"/messages/onlyfans/{thread}")
    assert browser.get(f"/messages/onlyfans/next?after={thread}").headers["Location"].endswith("/messages/onlyfans")


def test_marked_as_unread_it_is_not_looked_at_again_by_that(ada: Person, thread: int):
    browser = ada.browser()
    browser.get(f"/messages/onlyfans/{thread}")
    assert found(ada, "unread") == []
    answer = submit(browser, f"/messages/onlyfans/{thread}/triage", "/messages/onlyfans", do="unread")
    assert answer.headers["Location"] == "/messages/onlyfans"
    assert found(ada, "unread") == [thread]


def test_the_ticked_are_read_and_put_off_and_no_others(app, ada: Person, thread: int):
    others = [ada.post("/api/crm/conversations", {"fanId": add_fan(ada, number)["id"]})["id"] for number in range(2, 5)]
    with app.app_context():
        triage.change_all(ada.account_id, select(Conversation.id), triage.UNREAD)
    browser, ticked = ada.browser(), [str(thread), str(others[0])]
    do_many = {"path": "/messages/onlyfans/triage", "page": "/messages/onlyfans", "which": "ticked", "ids": ticked}
    assert submit(browser, **do_many, do="read").status_code == 302
    assert sorted(found(ada, "unread")) == others[1:]
    assert submit(browser, **do_many, do="snooze:tomorrow").status_code == 302
    assert sorted(found(ada, "snoozed")) == [thread, others[0]]
    with app.app_context():
        tomorrow = next(each.at for each in triage.snooze_times("UTC") if each.name == "tomorrow")
        assert conversation(ada, thread).snoozed_until == tomorrow
    assert "2 conversations: snoozed." in browser.get("/messages/onlyfans").text


def test_who_waits_is_gone_through_one_after_the_other_and_round_again(app, ada: Person, platform: Platform):
    threads = []
    for number in (3, 1, 2):
        fan = add_fan(ada, number)
        threads.append(ada.post("/api/crm/conversations", {"fanId": fan["id"]})["id"])
    first, second, third = threads
    with app.app_context(), write() as session:
        at = datetime.now(UTC)
        for thread, hours in ((first, 3), (second, 1), (third, 1)):  # of two who wrote at once, the older thread
            session.get_one(Conversation, thread).waiting_since = at - timedelta(hours=hours)
    browser, seen, address = ada.browser(), [], "/messages/onlyfans/next"
    for _ in range(4):
        seen.append(int(browser.get(address).headers["Location"].rpartition("/")[2]))
        address = f"/messages/onlyfans/next?after={seen[-1]}"
    assert seen == [first, second, third, first]
    ada.post(f"/api/crm/conversations/{second}/messages", {"text": "Answered"}, 202)
    assert browser.get(f"/messages/onlyfans/next?after={second}").headers["Location"].endswith(f"/{first}")


@pytest.mark.usefixtures("platform")
def test_who_is_answered_on_the_way_keeps_their_place(app, ada: Person):
    threads = [ada.post("/api/crm/conversations", {"fanId": add_fan(ada, number)["id"]})["id"] for number in (1, 2, 3)]
    with app.app_context(), write() as session:
        at = datetime.now(UTC)
        for hours, thread in enumerate(reversed(threads), 1):
            session.get_one(Conversation, thread).waiting_since = at - timedelta(hours=hours)
    browser, seen, address = ada.browser(), [], "/messages/onlyfans/next"
    for _ in range(4):
        seen.append(int(browser.get(address).headers["Location"].rpartition("/")[2]))
        page = browser.get(f"/messages/onlyfans/{seen[-1]}").text
        address = unescape(re.findall(r'id="next-waiting" href="([^"]*)"', page)[0])
        if seen[-1] == threads[1]:
            ada.post(f"/api/crm/conversations/{threads[1]}/messages", {"text": "Answered"}, 202)
    assert seen == [*threads, threads[0]]
    assert browser.get("/messages/onlyfans/next?since=never").status_code == 400


def test_what_is_no_change_is_said_in_words(ada: Person, thread: int):
    browser, page = ada.browser(), f"/messages/onlyfans/{thread}"
    submit(browser, f"{page}/triage", page, do="dance")
    said = browser.get(page).text
    assert "Choose what is to be done." in said
    assert "do: Choose" not in said
