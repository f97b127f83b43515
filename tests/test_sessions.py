"""One's own page: name, password, and where one is signed in."""

from datetime import timedelta

import time_machine
from sqlalchemy import event

from app.accounts import sessions
from app.accounts.browsers import browser_name
from app.database import db, utcnow
from tests.people import PASSWORD, Person, csrf_of, make_person, submit

ME = "/settings/me"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def session_ids(person: Person) -> list[int]:
    with person.app.app_context():
        return [each.id for each in sessions.open_sessions(person.user_id)]


def test_one_sees_where_one_is_signed_in_and_ends_one(ada: Person):
    here, there = ada.browser(), ada.browser()
    newest = max(session_ids(ada))
    page = here.get(ME).text
    assert page.count("This one") == 1
    assert page.count(">End</button>") == 1
    assert submit(here, f"{ME}/sessions/{newest}/end", ME).status_code == 302
    assert there.get("/fans").status_code == 302
    assert here.get("/fans").status_code == 200


def test_one_ends_all_others_and_the_tokens(ada: Person):
    here, there = ada.browser(), ada.browser()
    submit(here, f"{ME}/sessions/end-others", ME)
    assert there.get("/fans").status_code == 302
    assert ada.call("GET", "/api/crm/fans").status_code == 401
    assert here.get("/fans").status_code == 200


def test_one_revokes_a_token(ada: Person):
    browser = ada.browser()
    token_id = browser.get(ME).text.partition("/tokens/")[2].partition("/revoke")[0]
    assert submit(browser, f"{ME}/tokens/{token_id}/revoke", ME).status_code == 302
    assert ada.call("GET", "/api/crm/fans").status_code == 401
    assert "None is open" in browser.get(ME).text


def test_a_changed_password_ends_all_but_this_browser(app, ada: Person):
    here, there = ada.browser(), ada.browser()
    changed = submit(here, f"{ME}/password", ME, old=PASSWORD, password="another long password")
    assert changed.status_code == 302
    assert here.get("/fans").status_code == 200
    assert there.get("/fans").status_code == 302
    assert ada.call("GET", "/api/crm/fans").status_code == 401
    client = app.test_client()
    assert submit(client, "/login", email=ada.email, password=PASSWORD).status_code == 401


def test_the_old_password_is_asked_for_and_cannot_be_found_by_trying(app, ada: Person, monkeypatch):
    browser = ada.browser()
    wrong = submit(browser, f"{ME}/password", ME, old="a wrong guess", password="another long password")
    assert wrong.status_code == 400
    assert "This is not your password." in wrong.text
    short = submit(browser, f"{ME}/password", ME, old=PASSWORD, password="short")
    assert "at least 10 characters" in short.text
    monkeypatch.setitem(app.config, "LIMIT_SIGN_IN", "2/minute")
    tries = [submit(browser, f"{ME}/password", ME, old="guess", password="x" * 12).status_code for _ in range(3)]
    assert tries[-1] == 429


def test_one_changes_the_name(ada: Person):
    browser = ada.browser()
    submit(browser, ME, name="Ada Lovelace")
    assert "Ada Lovelace" in browser.get("/fans").text
    assert submit(browser, ME, name=" ").status_code == 400


def test_signing_out_ends_the_session_for_whoever_kept_its_cookie(app, ada: Person):
    browser = ada.browser()
    stolen = browser.get_cookie("greenroom").value
    submit(browser, "/logout", "/fans/new")
    thief = app.test_client()
    thief.set_cookie("greenroom", stolen)
    assert thief.get("/fans").status_code == 302


def test_sessions_and_tokens_of_others_do_not_exist(app, ada: Person, eve: Person):
    ada.browser()
    browser = eve.browser()
    token = csrf_of(browser, ME)
    adas = session_ids(ada)[0]
    assert browser.post(f"{ME}/sessions/{adas}/end", data={"csrf_token": token}).status_code == 404
    adas_token = ada.browser().get(ME).text.partition("/tokens/")[2].partition("/revoke")[0]
    assert browser.post(f"{ME}/tokens/{adas_token}/revoke", data={"csrf_token": token}).status_code == 404
    assert ada.call("GET", "/api/crm/fans").status_code == 200


def test_when_a_session_was_seen_is_written_at_most_once_a_minute(app, ada: Person):
    browser = ada.browser()
    writes: list[str] = []

    def note(_connection, _cursor, statement: str, *_) -> None:
        if statement.startswith("UPDATE sign_ins"):
            writes.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        for _ in range(3):
            browser.get("/fans")
        assert len(writes) == 0
        with time_machine.travel(utcnow() + timedelta(seconds=61), tick=True):
            for _ in range(3):
                browser.get("/fans")
        assert len(writes) == 1
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_everyone_has_the_page_whatever_their_role(app, ada: Person):
    for role in ("viewer", "uploader"):
        person = make_person(app, f"{role}@example.com", "Ada's account", role=role)
        browser = person.browser()
        assert browser.get(ME).status_code == 200
        assert submit(browser, ME, name="Changed").status_code == 302


def test_a_browser_is_called_by_its_name():
    assert browser_name(FIREFOX) == "Firefox on Linux"
    assert browser_name("curl/8.1") == "curl/8.1"
    assert browser_name("") == "Unknown browser"
