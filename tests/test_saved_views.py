"""The inbox and searches under a name: one's own, and everybody's."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from app.accounts import actions as accounts
from app.conversations import saved_views
from app.errors import Invalid, NotFound
from tests.people import PASSWORD, Person

BIG = {"spent": "100", "sort": "spend"}


def save(person: Person, name: str = "Big spenders", **values) -> int:
    with person.app.app_context():
        wanted = {"name": name, "is_shared": False, "place": "inbox", "address": BIG} | values
        return saved_views.save_view(person.account_id, wanted.pop("user_id", person.user_id), **wanted).id


def names(person: Person, user_id: int | None = None) -> list[str]:
    with person.app.app_context():
        return [view.name for view in saved_views.seen_by(person.account_id, user_id or person.user_id)]


@pytest.fixture
def bob(app, ada: Person) -> int:
    """Works in Ada's account."""
    with app.app_context():
        return accounts.add_user(
            email="bob@example.com", password=PASSWORD, account_name="Ada's account", role="chatter"
        ).id


def form_token(page: str) -> str:
    return page.partition('name="csrf_token" value="')[2].partition('"')[0]


def test_what_the_address_says_is_saved_shown_and_marked(ada: Person):
    browser = ada.browser()
    page = browser.get("/messages/onlyfans?spent=100&sort=spend").text
    assert "Save this view" in page
    form = browser.get("/messages/onlyfans/views/new?spent=100&sort=spend&nonsense=1").text
    answer = browser.post(
        "/messages/onlyfans/views/new?spent=100&sort=spend&nonsense=1",
        data={"csrf_token": form_token(form), "name": "Big <b>spenders</b>"},
    )
    assert answer.headers["Location"] == "/messages/onlyfans?spent=100&sort=spend"
    page = browser.get(answer.headers["Location"]).text
    assert 'aria-current="page">Big &lt;b&gt;spenders&lt;/b&gt;</a>' in page
    assert "Save this view" not in page


def test_a_search_is_saved_likewise(ada: Person):
    browser = ada.browser()
    form = browser.get("/messages/onlyfans/views/new?q=from:fan+roses").text
    data = {"csrf_token": form_token(form), "name": "Roses", "shared": "1"}
    assert browser.post("/messages/onlyfans/views/new?q=from:fan+roses", data=data).status_code == 302
    assert 'aria-current="page">Roses</a>' in browser.get("/messages/onlyfans/search?q=from:fan+roses").text


def test_ones_own_are_seen_by_nobody_else(ada: Person, eve: Person, bob: int):
    own = save(ada)
    save(ada, "For all", is_shared=True)
    assert (names(ada), names(ada, bob), names(eve)) == (["Big spenders", "For all"], ["For all"], [])
    with ada.app.app_context():
        for account_id, user_id in ((ada.account_id, bob), (eve.account_id, eve.user_id)):
            with pytest.raises(NotFound):
                saved_views.rename_view(account_id, user_id, own, "Mine")
            with pytest.raises(NotFound):
                saved_views.remove_view(account_id, user_id, own)
    save(ada, "Big spenders", user_id=bob)


def test_names_are_there_once_and_not_too_long(ada: Person):
    save(ada, "  Big   spenders ")
    other = save(ada, "For all", is_shared=True)
    for name in ("BIG SPENDERS", "for all", "", " \0 ", "x" * 61):
        with pytest.raises(Invalid):
            save(ada, name)
    with pytest.raises(Invalid):
        save(ada, "Everything", address={})
    with ada.app.app_context():
        with pytest.raises(Invalid):
            saved_views.rename_view(ada.account_id, ada.user_id, other, "big spenders")
        saved_views.rename_view(ada.account_id, ada.user_id, other, "FOR ALL")
        assert names(ada) == ["Big spenders", "FOR ALL"]
        saved_views.remove_view(ada.account_id, ada.user_id, other)
    assert names(ada) == ["Big spenders"]


def test_a_wrong_name_is_said_beside_its_field(ada: Person):
    view = save(ada)
    save(ada, "Others")
    browser = ada.browser()
    token = form_token(browser.get("/messages/onlyfans/views").text)
    answer = browser.post(f"/messages/onlyfans/views/{view}", data={"csrf_token": token, "name": "others"})
    assert answer.status_code == 400
    assert ">There is a view called “others” already.<" in answer.text
    answer = browser.post("/messages/onlyfans/views/new?spent=1", data={"csrf_token": token, "name": ""})
    assert (answer.status_code, ">Give it a name.<" in answer.text) == (400, True)
    answer = browser.post(f"/messages/onlyfans/views/{view}/delete", data={"csrf_token": token})
    assert (answer.status_code, names(ada)) == (302, ["Others"])


def test_two_who_share_the_last_place_or_a_name_in_one_moment(app, ada: Person, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST_VIEWS", 3)

    def try_to_save(number: int) -> bool:
        try:
            save(ada, f"View {number % 4}", is_shared=True)
        except Invalid:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_to_save, range(16))) == 3
    assert len(set(names(ada))) == 3
