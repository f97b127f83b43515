"""Quick replies: kept, found, shared or one's own, filled in for a fan; and a draft with a hole in it, stopped once."""

import re
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from app import sweep
from app.accounts import actions as accounts
from app.database import db, utcnow, write
from app.errors import Conflict, Invalid, NotFound
from app.quick_replies import actions, queries
from app.quick_replies.actions import Wording
from app.quick_replies.models import QuickReply
from tests.people import PASSWORD, Person, add_fan, connect

GREETING = Wording("hi", "Greeting", "Hi {{first_name|love}}, {{custom.city}} calling")


@pytest.fixture
def bob(ada: Person) -> Person:
    """In Ada's account."""
    with ada.app.app_context():
        user = accounts.add_user(
            email="bob@example.com", password=PASSWORD, account_name="Ada's account", role="chatter", name="Bob"
        )
        return Person(ada.app, "bob@example.com", user.id, ada.account_id, accounts.issue_token(user))


def add(person: Person, wording: Wording = GREETING) -> int:
    with person.app.app_context():
        return actions.add_reply(person.account_id, person.user_id, wording).id


def change(person: Person, reply_id: int, wording: Wording, version: int = 1) -> None:
    with person.app.app_context():
        actions.change_reply(person.account_id, person.user_id, reply_id, wording, version)


def codes(person: Person, **wanted: str) -> list[str]:
    with person.app.app_context():
        rows = queries.replies_of(person.account_id, person.user_id, **wanted).order_by(QuickReply.code)
        return [reply.code for reply in db.session.scalars(rows)]


def token_of(page: str) -> str:
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


def submit(browser: FlaskClient, path: str, form: dict, page: str = "/settings/replies/new"):
    return browser.post(path, data=form | {"csrf_token": token_of(browser.get(page).text)}, follow_redirects=True)


@pytest.fixture
def thread(ada: Person, sandbox) -> str:
    connect(ada, sandbox.url)
    fan = add_fan(ada, 1, name="Taylor Yılmaz")
    return f"/messages/onlyfans/{ada.post('/api/crm/conversations', {'fanId': fan['id']})['id']}"


def test_from_the_empty_page_to_a_reply_that_is_changed_deleted_and_back(ada: Person):
    browser = ada.browser()
    assert "No quick replies yet" in browser.get("/settings/replies").text
    form = {"code": "/Hi-There", "title": "Greeting", "text": "Hi\r\n{{name|you}}", "folder": "First", "shared": "y"}
    assert "/hi-there was added." in submit(browser, "/settings/replies/new", form).text
    with ada.app.app_context():
        reply = db.session.scalars(select(QuickReply)).one()
        assert (reply.code, reply.text, reply.is_shared) == ("hi-there", "Hi\n{{name|you}}", True)
    path = f"/settings/replies/{reply.id}"
    page = browser.get(path).text
    version = re.search(r'name="version" type="hidden" value="(\d+)"', page)
    assert version, page
    assert "/hello was saved." in submit(browser, path, form | {"code": "hello", "version": version[1]}).text
    gone = submit(browser, f"{path}/delete", {})
    assert gone.request.query_string.decode() == f"deleted={reply.id}"
    assert "/hello was deleted." in gone.text
    assert "No quick replies yet" in gone.text
    assert browser.get(path).status_code == 404
    assert "/hello is back." in submit(browser, f"{path}/restore", {}).text
    assert "was deleted" not in browser.get(f"/settings/replies?deleted={reply.id}").text
    assert codes(ada) == ["hello"]


def test_found_by_code_title_and_text_whatever_case_and_accents(ada: Person):
    add(ada, Wording("hi", "Begrüßung", "Hello there", "First"))
    add(ada, Wording("price", "What it costs", "Ask me", "Money"))
    assert codes(ada, search="/HI") == ["hi"]
    assert codes(ada, search="begrussung") == ["hi"]
    assert codes(ada, search="ask") == ["price"]
    assert codes(ada, search="100%") == []
    assert codes(ada, folder="Money") == ["price"]
    page = ada.browser().get("/settings/replies?search=ask").text
    assert "1 reply found" in page
    assert "Begrüßung" not in page
    assert "Nothing found" in ada.browser().get("/settings/replies?search=zzz").text
    assert ada.browser().get(f"/settings/replies?deleted={'9' * 30}").status_code == 200


def test_in_an_answer_those_come_first_whose_code_begins_so(ada: Person):
    for code, text in (("a-price", "x"), ("hello", "our prices"), ("price", "x"), ("zzz", "x")):
        add(ada, Wording(code, "t", text))
    with ada.app.app_context():
        found = queries.offered(ada.account_id, ada.user_id, "price", 100)
        assert [reply.code for reply in found] == ["price", "a-price", "hello"]
        assert len(queries.offered(ada.account_id, ada.user_id, "", 2)) == 2


def test_a_list_goes_on_behind_its_first_page(ada: Person):
    for number in range(52):
        add(ada, Wording(f"code-{number:02}", "t", "x"))
    browser = ada.browser()
    first = browser.get("/settings/replies").text
    following = re.search(r'rel="next" href="([^"]+)"', first)
    assert following
    assert re.findall(r"/code-\d+(?=</code>)", browser.get(following[1]).text) == ["/code-50", "/code-51"]


def test_the_text_comes_filled_in_for_the_fan(ada: Person, thread: str):
    reply = add(ada)
    browser = ada.browser()
    listed = browser.get(f"{thread}/replies", headers={"HX-Request": "true"}).text
    assert "Hi Taylor, {{custom.city}} calling" in listed
    assert "empty: {{custom.city}}" in listed
    assert "<html" not in listed
    page = browser.get(f"{thread}/replies?q=gre").text
    assert f"{thread}?reply={reply}" in page
    chosen = browser.get(f"{thread}?reply={reply}").text
    assert "Hi Taylor, {{custom.city}} calling</textarea>" in chosen
    assert "Not filled in: {{custom.city}}" in chosen
    assert "Nothing found" in browser.get(f"{thread}/replies?q=zzz").text
    for lost in (reply + 1, "x", "9" * 30):
        assert browser.get(f"{thread}?reply={lost}").status_code == 200


def test_a_draft_with_a_hole_is_stopped_until_that_very_text_is_agreed_to(ada: Person, thread: str):
    browser = ada.browser()
    form = {"text": "Hi {{name}} \N{GRINNING FACE}", "client_message_id": "one"}
    stopped = submit(browser, thread, form, thread)
    assert stopped.status_code == 400
    assert "{{name}} is not filled in" in stopped.text
    agreed = re.search(r'name="agreed" value="(\w+)"', stopped.text)
    assert agreed
    other = submit(browser, thread, form | {"text": "Ho {{name}}", "agreed": agreed[1]}, thread)
    assert other.status_code == 400
    assert sent(ada) == []
    assert submit(browser, thread, form | {"agreed": agreed[1]}, thread).status_code == 200
    assert submit(browser, thread, {"text": "Braces {like} {{these}}, {{}}"}, thread).status_code == 200
    assert sent(ada) == ["Hi {{name}} \N{GRINNING FACE}", "Braces {like} {{these}}, {{}}"]


def test_programs_mean_what_they_write(ada: Person, thread: str):
    conversation = thread.rpartition("/")[2]
    ada.post(f"/api/crm/conversations/{conversation}/messages", {"text": "Hi {{name}}"}, 202)
    assert sent(ada) == ["Hi {{name}}"]


def sent(ada: Person) -> list[str]:
    return [each["text"] for each in reversed(ada.get("/api/crm/messages")["messages"])]


def test_ones_own_are_seen_by_nobody_else(ada: Person, bob: Person, thread: str):
    own = add(bob, Wording("mine", "Own", "x", shared=False))
    add(ada, Wording("ours", "Shared", "x"))
    assert (codes(bob), codes(ada)) == (["mine", "ours"], ["ours"])
    browser = ada.browser()
    assert browser.get(f"/settings/replies/{own}").status_code == 404
    assert "mine" not in browser.get(f"{thread}/replies", headers={"HX-Request": "true"}).text
    assert "x</textarea>" not in browser.get(f"{thread}?reply={own}").text
    with ada.app.app_context(), pytest.raises(NotFound):
        actions.delete_reply(ada.account_id, ada.user_id, own)


def test_what_others_use_is_taken_back_only_by_who_wrote_it(ada: Person, bob: Person):
    reply = add(ada)
    with pytest.raises(Invalid) as refused:
        change(bob, reply, Wording("hi", "Mine now", "x", shared=False))
    assert refused.value.errors[0][0] == "shared"
    change(bob, reply, Wording("hi", "Better", "x"))
    assert 'type="checkbox"' not in bob.browser().get(f"/settings/replies/{reply}").text
    change(ada, reply, Wording("hi", "Mine", "x", shared=False), version=2)
    assert codes(bob) == []


def test_nothing_of_another_account_is_there(ada: Person, eve: Person, thread: str):
    reply = add(ada)
    assert codes(eve) == []
    assert eve.browser().get(f"{thread}/replies").status_code == 404
    with eve.app.app_context():
        for verb in (actions.delete_reply, actions.restore_reply):
            with pytest.raises(NotFound):
                verb(eve.account_id, eve.user_id, reply)
        with pytest.raises(NotFound):
            actions.change_reply(eve.account_id, eve.user_id, reply, GREETING, 1)
    add(eve)  # her codes are her own
    assert (codes(ada), codes(eve)) == (["hi"], ["hi"])


def test_who_only_looks_changes_nothing(app, ada: Person):
    with app.app_context():
        accounts.add_user(email="v@example.com", password=PASSWORD, account_name="Ada's account", role="viewer")
    reply = add(ada)
    browser = Person(app, "v@example.com", 0, ada.account_id, "").browser()
    address = f"/settings/replies/{reply}/delete"
    assert submit(browser, address, {}, page="/settings/replies").status_code == 403
    assert codes(ada) == ["hi"]


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"code": ""}, "code", "Letters, digits and dashes"),
        ({"code": "two words"}, "code", "Letters, digits and dashes"),
        ({"code": "-x"}, "code", "Letters, digits and dashes"),
        ({"code": "x" * 41}, "code", "At most 40"),
        ({"title": " "}, "title", "Give it a title"),
        ({"text": "\n"}, "text", "Write what it puts"),
        ({"text": "x" * 5001}, "text", "this one has 5,001"),
        ({"text": "Hi {{nmae}}"}, "text", "{{nmae}} is not known. Known are {{name}}, {{first_name}}"),
        ({"folder": "x" * 61}, "folder", "At most 60"),
    ],
)
def test_a_wrong_field_is_named_beside_it_and_nothing_is_kept(ada: Person, wrong: dict, field: str, said: str):
    form = {"code": "hi", "title": "Greeting", "text": "Hi", "folder": "", "shared": "y"} | wrong
    answer = submit(ada.browser(), "/settings/replies/new", form)
    assert answer.status_code == 400
    assert said in answer.text.partition(f'id="{field}-error"')[2].partition("</div>")[0]
    assert codes(ada) == []


def test_a_code_is_taken_whatever_its_case_until_its_reply_is_deleted(ada: Person, bob: Person):
    first = add(ada)
    add(bob, Wording("straße", "t", "x", shared=False))
    other = add(ada, Wording("other", "t", "x"))
    for taken in ("HI", "/hi ", "STRASSE"):
        with pytest.raises(Invalid) as refused:
            add(ada, Wording(taken, "t", "x"))
        assert refused.value.errors == (("code", actions.TAKEN),)
    with pytest.raises(Invalid):
        change(ada, other, Wording("hi", "t", "x"))
    with ada.app.app_context():
        actions.delete_reply(ada.account_id, ada.user_id, first)
    change(ada, other, Wording("hi", "Instead", "x"))
    again = submit(ada.browser(), f"/settings/replies/{first}/restore", {})
    assert "another reply has its code by now" in again.text
    assert codes(ada) == ["hi"]


def test_two_people_who_take_the_same_code_at_once(ada: Person, bob: Person):
    outcomes = at_once([lambda person=person: add(person) for person in (ada, bob) for _ in range(3)])
    assert sorted(type(each).__name__ for each in outcomes) == ["Invalid"] * 5 + ["int"]
    assert codes(ada) == ["hi"]


def test_two_people_who_change_the_same_reply_at_once_lose_nothing_unseen(ada: Person, bob: Person):
    reply = add(ada)
    outcomes = at_once(
        [lambda who=who, n=n: change(who, reply, Wording("hi", f"Title {n}", "x")) for n, who in enumerate((ada, bob))]
    )
    assert sorted(type(each).__name__ for each in outcomes) == ["Conflict", "NoneType"]
    form = {"code": "hi", "title": "A third", "text": "x", "shared": "y", "version": "1"}
    late = submit(ada.browser(), f"/settings/replies/{reply}", form)
    assert "Somebody changed this reply while you had it open." in late.text
    assert 'value="A third"' in late.text
    with ada.app.app_context(), pytest.raises(Conflict):
        actions.change_reply(ada.account_id, ada.user_id, reply, GREETING, 1)


def at_once(calls: list) -> list:
    """What each returns or raises; all begin in the same moment."""
    start, outcomes = Barrier(len(calls)), []

    def run(call) -> None:
        start.wait()
        try:
            outcomes.append(call())
        except (Invalid, Conflict) as error:
            outcomes.append(error)

    threads = [Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_the_deleted_are_forgotten_after_a_month(app, ada: Person):
    kept, old = add(ada), add(ada, Wording("old", "t", "x"))
    with app.app_context():
        for reply in (kept, old):
            actions.delete_reply(ada.account_id, ada.user_id, reply)
        with write() as session:
            session.get_one(QuickReply, old).deleted_at = utcnow() - sweep.DELETED_REPLIES_KEPT - timedelta(seconds=1)
        sweep.ring_again(("incoming",))
        assert db.session.scalars(select(QuickReply.id)).all() == [kept]
        assert db.session.scalar(select(func.count()).select_from(QuickReply)) == 1
