"""Before it goes: each fan of the audience, listed with the reason where there is one."""

from flask.testing import FlaskClient

from tests.campaigns.composer import launch, newest, post, press
from tests.people import Person, add_fan


def draft(browser: FlaskClient, ada: Person, **fields: str) -> str:
    """Its page of who would get it."""
    post(browser, do="draft", **fields)
    return f"/campaigns/{newest(ada)['id']}/considered"


def test_who_is_in_and_who_is_out_and_why(browser: FlaskClient, ada: Person):
    rich, poor, blocked, _unlinked = (
        add_fan(ada, number, name=name, **values)
        for number, name, values in (
            (1, "Rich", {"valueCents": 900}), (2, "Poor", {}), (3, "Blocked", {"doNotMessage": True}),
            (4, "Unlinked", {"platformFanId": None}),
        )
    )  # fmt: skip
    page = draft(browser, ada, audience="all")
    inside = browser.get(page).text
    assert inside.index(rich["name"]) < inside.index(poor["name"]), "the most valuable first"
    assert blocked["name"] not in inside
    assert 'Not: must not be messaged <span class="num">1</span>' in inside
    out = browser.get(f"{page}?reason=do_not_message").text
    assert blocked["name"] in out
    assert rich["name"] not in out
    assert "Unlinked" in browser.get(f"{page}?reason=not_linked").text
    for nobodys in ("had_media", "%00"):
        assert browser.get(f"{page}?reason={nobodys}").status_code == 200
    assert "No fan of this audience is left out for that." in browser.get(f"{page}?reason=had_media").text


def test_beyond_the_number_that_was_set_are_those_who_come_after(browser: FlaskClient, ada: Person):
    for number, name in enumerate(("First", "Second", "Third"), 1):
        add_fan(ada, number, name=name, valueCents=1000 - number)
    page = draft(browser, ada, audience="all", at_most="2")
    assert all(name in browser.get(page).text for name in ("First", "Second"))
    assert "Third" not in browser.get(page).text
    assert "Third" in browser.get(f"{page}?reason=beyond_limit").text


def test_asked_from_the_composer_it_lists_the_draft_as_it_is_written_at_that_moment(browser: FlaskClient, ada: Person):
    for number in (1, 2):
        add_fan(ada, number, tags=["Chosen"] if number == 2 else [])
    answer = post(browser, name="Unseen", audience="tag:Chosen", see="do_not_message")
    assert answer.headers["Location"].endswith(f"/campaigns/{newest(ada)['id']}/considered?reason=do_not_message")
    assert "Who does not get Unseen" in browser.get(answer.headers["Location"]).text
    inside = browser.get(post(browser, name="Unseen", audience="tag:Chosen", see="").headers["Location"]).text
    assert 'Would get it <span class="num">1</span>' in inside


def test_many_are_turned_over_page_by_page(browser: FlaskClient, ada: Person, monkeypatch):
    monkeypatch.setattr("app.campaigns.composer_views.FANS_PER_PAGE", 2)
    for number in range(1, 6):
        add_fan(ada, number, name=f"Fan-{number}", valueCents=100 - number)
    page, seen = draft(browser, ada, audience="all"), []
    while page:
        text = browser.get(page).text
        seen += [number for number in range(1, 6) if f">Fan-{number}</a>" in text]
        page = text.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert seen == [1, 2, 3, 4, 5]


def test_once_it_has_gone_the_ledger_says_it(browser: FlaskClient, ada: Person, eve: Person):
    add_fan(ada, 1)
    page = f"/campaigns/{launch(browser, ada, audience='all')}/considered"
    assert browser.get(page).headers["Location"].endswith(page.removesuffix("/considered"))
    assert eve.browser().get(page).status_code == 404


def test_of_a_scheduled_one_too(browser: FlaskClient, ada: Person):
    add_fan(ada, 1, name="Patient")
    launch(browser, ada, audience="all", when="later", send_time="2099-01-01T10:00")
    campaign = newest(ada)["id"]
    assert f"/campaigns/{campaign}/considered" in browser.get(f"/campaigns/{campaign}").text
    assert "Patient" in browser.get(f"/campaigns/{campaign}/considered").text
    press(browser, campaign, "cancel")
    assert browser.get(f"/campaigns/{campaign}/considered").status_code == 302
