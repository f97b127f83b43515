"""Many conversations at once: given to anybody of the account, as many as were shown, and taken back."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from app.conversations import actions, many, queries, triage
from app.conversations.desk_models import Assignment, BulkAction, BulkActionRow
from app.conversations.models import UNTIL_REPLY
from app.database import db, execute, utcnow, write
from app.fans import actions as actions_of_fans
from tests.people import Person, add_fan, make_person, submit

ADDRESS = "/messages/onlyfans/triage"
PAGE = "/messages/onlyfans"


@pytest.fixture
def threads(ada: Person) -> list[int]:
    return [ada.post("/api/crm/conversations", {"fanId": add_fan(ada, number)["id"]})["id"] for number in range(1, 5)]


def states(person: Person, threads: list[int]) -> list[tuple]:
    with person.app.app_context():
        found = [queries.find_conversation(person.account_id, each) for each in threads]
        return [(each.archived, each.pinned, each.snoozed_until, each.assignee_id, each.unread_count) for each in found]


def test_they_are_given_to_anybody_of_the_account_and_to_nobody_else(app, ada: Person, eve: Person, threads: list[int]):
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    browser, ids = ada.browser(), [str(each) for each in threads[:2]]
    page = browser.get(PAGE).text
    assert f'<option value="assign:{bob.user_id}">' in page
    assert f'<option value="assign:{eve.user_id}">' not in page
    submit(browser, ADDRESS, PAGE, which="ticked", ids=ids, do=f"assign:{bob.user_id}")
    assert [each[3] for each in states(ada, threads)] == [bob.user_id, bob.user_id, None, None]
    submit(browser, ADDRESS, PAGE, which="ticked", ids=ids, do=f"assign:{eve.user_id}")
    assert [each[3] for each in states(ada, threads)] == [bob.user_id, bob.user_id, None, None]


def test_all_are_as_many_as_were_shown_or_it_is_asked_once_more(ada: Person, threads: list[int]):
    browser = ada.browser()
    form = {"which": "all", "do": "archive"}
    assert 'name="confirmed" value="4"' in submit(browser, ADDRESS, PAGE, **form).text
    ada.post("/api/crm/conversations", {"fanId": add_fan(ada, 9)["id"]})
    again = submit(browser, ADDRESS, PAGE, **form, confirmed="4")
    assert again.status_code == 200
    assert "4 matched when you were asked, and now it is 5." in again.text
    assert "Do it for 5" in again.text
    assert not any(each[0] for each in states(ada, threads))
    assert submit(browser, ADDRESS, PAGE, **form, confirmed="5").status_code == 302
    assert all(each[0] for each in states(ada, threads))


def undo_in(page: str) -> dict[str, str]:
    """What the way back on the page says."""
    return {"action": page.split('name="action" value="')[1].partition('"')[0]}


def test_where_none_is_ticked_it_is_said_and_nothing_changes(ada: Person, threads: list[int]):
    before, browser = states(ada, threads), ada.browser()
    submit(browser, ADDRESS, PAGE, do="archive")
    page = browser.get(PAGE).text
    assert "Tick some conversations first." in page
    assert "0 conversations" not in page
    assert states(ada, threads) == before


@pytest.mark.parametrize("which", ["ticked", "all"])
@pytest.mark.parametrize(
    "do", ["archive", "snooze:tomorrow", "snooze:reply", "pin", "unpin", "open", "read", "unread", "assign"]
)
def test_what_was_done_is_taken_back_once_and_by_nobody_else(
    app, ada: Person, eve: Person, threads: list[int], do: str, which: str
):
    bob = make_person(app, "bob@example.com", "Ada's account")
    _make_them_different(ada, bob, threads)
    before, browser = states(ada, threads), ada.browser()
    do = f"assign:{ada.user_id}" if do == "assign" else do
    seen = sum(not (archived or snoozed) for archived, _, snoozed, *_ in before)
    submit(browser, ADDRESS, PAGE, which=which, ids=[str(each) for each in threads], do=do, confirmed=str(seen))
    done = states(ada, threads)
    number = len(threads) if which == "ticked" else seen
    page = browser.get(PAGE).text
    assert f"Undo for {number} conversation{'s' if number > 1 else ''}</button>" in page
    for other in (bob, eve):
        submit(other.browser(), f"{ADDRESS}/undo", "/fans/new", **undo_in(page))
    assert states(ada, threads) == done
    submit(browser, f"{ADDRESS}/undo", PAGE, **undo_in(page))
    assert states(ada, threads) == before
    with app.app_context():
        triage.change(ada.account_id, threads[0], triage.ARCHIVED)
    after = states(ada, threads)
    submit(browser, f"{ADDRESS}/undo", PAGE, **undo_in(page))
    submit(browser, f"{ADDRESS}/undo", PAGE, action="x")
    assert states(ada, threads) == after
    assert "Undo for" not in browser.get(PAGE).text


def _make_them_different(ada: Person, bob: Person, threads: list[int]) -> None:
    until = (utcnow() + timedelta(days=2)).replace(microsecond=0)
    changes = {
        0: [triage.PINNED, triage.UNREAD, {"assignee_id": bob.user_id}],
        1: [triage.snoozed(until), {"unread_count": 3}, {"assignee_id": ada.user_id}],
        2: [triage.snoozed(None)],
        3: [triage.ARCHIVED, triage.UNREAD],
    }
    with ada.app.app_context():
        for number, each in changes.items():
            for values in each:
                triage.change(ada.account_id, threads[number], values)


def test_what_happened_since_stays(app, ada: Person, threads: list[int]):
    """A new message brings one back; a colleague gives another to somebody else, and deletes the fan of a third."""
    bob = make_person(app, "bob@example.com", "Ada's account")
    _make_them_different(ada, bob, threads)
    browser, ids = ada.browser(), [str(each) for each in threads]
    submit(browser, ADDRESS, PAGE, which="ticked", ids=ids, do="archive")
    undo_archive = undo_in(browser.get(PAGE).text)
    submit(browser, ADDRESS, PAGE, which="ticked", ids=ids, do=f"assign:{ada.user_id}")
    undo_assign = undo_in(browser.get(PAGE).text)
    with app.app_context():
        triage.change(ada.account_id, threads[0], triage.OPEN)
        triage.change(ada.account_id, threads[1], triage.snoozed(None))
        triage.change(ada.account_id, threads[2], {"assignee_id": bob.user_id})
        actions.remove_fan(ada.account_id, queries.find_conversation(ada.account_id, threads[3]).fan_id)
    for undo in (undo_archive, undo_assign):
        submit(browser, f"{ADDRESS}/undo", PAGE, **undo)
    assert [each[:4] for each in states(ada, threads[:3])] == [
        (False, True, None, bob.user_id), (False, False, UNTIL_REPLY, ada.user_id), (False, False, UNTIL_REPLY, bob.user_id),
    ]  # fmt: skip
    with app.app_context():
        whose = select(Assignment.assignee_id).where(Assignment.conversation_id == threads[0]).order_by(Assignment.id)
        assert list(db.session.scalars(whose)) == [bob.user_id, ada.user_id, bob.user_id]


def test_a_tag_is_given_and_taken_and_back(app, ada: Person, eve: Person, threads: list[int]):
    """Who had it keeps it, and who had it not is not given it by the way back."""
    browser = ada.browser()
    with app.app_context():
        people = [queries.find_conversation(ada.account_id, each).fan_id for each in threads]
        actions_of_fans.tag_fan(ada.account_id, people[0], "VIP")
    theirs = add_fan(eve, 1)["id"]
    eve.put(f"/api/crm/fans/{theirs}", {"tags": ["VIP"]})

    def tagged() -> list[bool]:
        return ["VIP" in ada.get(f"/api/crm/fans/{each}")["tags"] for each in people]

    ids = [str(each) for each in threads[:2]]
    for do, which, after in (("tag", "ticked", [1, 1, 0, 0]), ("untag", "all", [0, 0, 0, 0])):
        submit(
            browser, ADDRESS, PAGE, which=which, ids=ids, do=do, tag="vip" if do == "untag" else "VIP", confirmed="4"
        )
        assert tagged() == after
        page = browser.get(PAGE).text
        assert "Undo for 1 conversation</button>" in page
        submit(browser, f"{ADDRESS}/undo", PAGE, **undo_in(page))
        assert tagged() == [1, 0, 0, 0]
    submit(browser, ADDRESS, PAGE, which="ticked", ids=ids, do="untag", tag="unknown")
    assert "Undo for" not in browser.get(PAGE).text
    refused = submit(browser, ADDRESS, PAGE, which="ticked", ids=ids, do="untag", tag=" ")
    assert "A tag has 1 to" in browser.get(refused.headers["Location"]).text
    assert eve.get(f"/api/crm/fans/{theirs}")["tags"] == ["VIP"]


def test_it_is_forgotten_after_a_day(app, ada: Person, threads: list[int]):
    browser = ada.browser()
    submit(browser, ADDRESS, PAGE, which="ticked", ids=[str(each) for each in threads], do="archive")
    undo = undo_in(browser.get(PAGE).text)
    with app.app_context():
        many.forget_old()
        with write():
            assert execute(update(BulkAction).values(done_at=utcnow() - many.KEPT)) == 1
        many.forget_old()
        assert not db.session.scalars(select(BulkActionRow)).all()
    submit(browser, f"{ADDRESS}/undo", PAGE, **undo)
    assert all(each[0] for each in states(ada, threads))


def test_they_are_put_off_until_a_time_of_ones_own(ada: Person, threads: list[int]):
    browser = ada.browser()
    until = (utcnow() + timedelta(days=2)).replace(second=0, microsecond=0)
    form = {"which": "all", "do": "snooze:own", "until": f"{until:%Y-%m-%dT%H:%M}"}
    assert f'name="until" value="{form["until"]}"' in submit(browser, ADDRESS, PAGE, **form).text
    submit(browser, ADDRESS, PAGE, **form, confirmed="4")
    assert {each[2] for each in states(ada, threads)} == {until}
    refused = submit(browser, ADDRESS, PAGE, **form | {"until": "2020-01-01T09:00"})
    assert "Choose a time to come, within a year." in browser.get(refused.headers["Location"]).text
