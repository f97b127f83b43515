from datetime import timedelta

import pytest
import time_machine

from app.accounts import actions
from app.accounts.queries import find_user
from app.database import utcnow
from tests.people import PASSWORD, Person, make_person


def ask_for_token(app, **body):
    return app.test_client().post("/api/auth/token", json=body)


def test_a_right_pair_gets_a_bearer_token(app, ada):
    answer = ask_for_token(app, email="ADA@example.com", password=PASSWORD)
    assert answer.status_code == 200
    assert answer.json["tokenType"] == "Bearer"
    assert answer.json["expiresIn"] > 0
    assert set(answer.json) == {"accessToken", "tokenType", "expiresIn"}


def test_a_wrong_pair_gets_the_same_401_whether_the_person_exists_or_not(app, ada):
    wrong = ask_for_token(app, email="ada@example.com", password="not this one")
    nobody = ask_for_token(app, email="nobody@example.com", password="not this one")
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.json == nobody.json
    assert wrong.mimetype == "application/problem+json"


def test_a_token_for_an_account_of_others_is_refused(app, ada, eve):
    assert ask_for_token(app, email="ada@example.com", password=PASSWORD, accountId=eve.account_id).status_code == 401


def test_a_revoked_token_is_dead(ada: Person):
    assert ada.call("DELETE", "/api/auth/token").status_code == 204
    assert ada.call("GET", "/api/crm/fans").status_code == 401


def test_a_token_dies_with_its_expiry(app, ada: Person):
    with time_machine.travel(utcnow() + app.config["TOKEN_LIFETIME"] + timedelta(seconds=1), tick=True):
        assert ada.call("GET", "/api/crm/fans").status_code == 401


def test_a_token_and_a_session_die_with_a_password_change(app, ada: Person):
    browser = ada.browser()
    assert browser.get("/fans").status_code == 200
    with app.app_context():
        actions.change_password(find_user(ada.user_id), "another long password")
    assert ada.call("GET", "/api/crm/fans").status_code == 401
    assert browser.get("/fans").status_code == 302


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "ada@example.com"}, "password"),
        ({"email": 5, "password": "x"}, "email"),
        ({"email": "a", "password": "b", "accountId": "1"}, "accountId"),
        ({"email": "a", "password": "b", "nonsense": 1}, "nonsense"),
    ],
)
def test_bad_input_names_its_field(app, body, field):
    answer = app.test_client().post("/api/auth/token", json=body)
    assert answer.status_code == 400
    assert field in [error["field"] for error in answer.json["errors"]]


def test_too_many_tries_are_held_off(app, ada, monkeypatch):
    monkeypatch.setitem(app.config, "LIMIT_SIGN_IN", "3/minute")
    answers = [ask_for_token(app, email="ada@example.com", password="guess") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert answers[-1].mimetype == "application/problem+json"


def test_the_session_of_a_browser_signs_in_too_but_writes_need_the_csrf_token(ada: Person):
    browser = ada.browser()
    assert browser.get("/api/crm/fans").status_code == 200
    assert browser.post("/api/crm/fans", json={"name": "Zoe"}).status_code == 400
    token = browser.get("/fans/new").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    added = browser.post("/api/crm/fans", json={"name": "Zoe"}, headers={"X-CSRFToken": token})
    assert added.status_code == 201


def test_signing_in_starts_a_new_session_and_stays_on_this_site(app, ada: Person):
    client = app.test_client()
    page = client.get("/login?next=//evil.example/x").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    form = {"email": ada.email, "password": PASSWORD, "csrf_token": token, "next": "//evil.example/x"}
    assert client.post("/login", data=form).headers["Location"] == "/messages/onlyfans"


def test_a_wrong_password_is_said_beside_the_field(app, ada: Person):
    client = app.test_client()
    token = client.get("/login").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    answer = client.post("/login", data={"email": ada.email, "password": "wrong wrong", "csrf_token": token})
    assert answer.status_code == 401
    assert "do not belong together" in answer.text


def test_a_viewer_looks_and_changes_nothing(app, ada: Person):
    viewer = make_person(app, "vera@example.com", "Ada's account", role="viewer")
    assert viewer.call("GET", "/api/crm/fans").status_code == 200
    assert viewer.call("POST", "/api/crm/fans", json={"name": "Zoe"}).status_code == 403
