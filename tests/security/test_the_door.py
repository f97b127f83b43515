"""What SECURITY.md promises of signing in: sessions, safety tokens of forms, redirects, time."""

import pytest

from app.accounts import passwords
from tests.people import PASSWORD, Person, csrf_of, submit

OPEN_FORMS = {"accounts.start_session", "accounts.accept_invitation", "accounts.use_reset", "accounts.say_code"}
NOT_FORMS = {"platforms.webhook"}  # signed instead
ELSEWHERE = (
    "//evil.example/x",
    "///evil.example",
    "////evil.example",
    "https://evil.example/",
    "/\\evil.example",
    "/\t/evil.example",
    "//[",
    "\\\\evil.example",
    "javascript:alert(1)",
    "/x\\..\\evil",
)


def unsafe_pages(app):
    for rule in app.url_map.iter_rules():
        if "POST" in rule.methods and not rule.rule.startswith("/api/") and rule.endpoint not in NOT_FORMS:
            yield rule


def test_every_form_needs_its_safety_token(app, ada: Person):
    browser = ada.browser()
    tried = 0
    for rule in unsafe_pages(app):
        client = app.test_client() if rule.endpoint in OPEN_FORMS else browser
        path = rule.build(dict.fromkeys(rule.arguments, 1))[1]
        answer = client.post(path, data={"csrf_token": "forged"})
        # An opened link is asked for first: a wrong one is 404, and nothing was done.
        assert answer.status_code in ((400, 404) if rule.endpoint in OPEN_FORMS else (400,)), path
        tried += 1
    assert tried > 40
    assert browser.get("/fans").status_code == 200, "not signed out by a forged form either"


def test_a_page_from_before_a_sign_in_does_nothing_and_is_loaded_again(ada: Person):
    browser = ada.browser()
    here = {"HX-Request": "true", "HX-Current-URL": "http://localhost/fans/new"}
    answer = browser.post("/fans/new", data={"name": "Nobody", "csrf_token": "of before"}, headers=here)
    assert (answer.status_code, answer.text) == (401, "")
    assert browser.get(answer.headers["HX-Redirect"]).headers["Location"] == "/fans/new"
    assert ada.get("/api/crm/fans")["total"] == 0


def test_a_session_that_was_planted_before_does_not_survive_the_sign_in(app, ada: Person, eve: Person):
    client = app.test_client()
    csrf_of(client, "/login")
    planted = client.get_cookie("greenroom").value
    submit(client, "/login", email=ada.email, password=PASSWORD)
    assert client.get_cookie("greenroom").value != planted
    attacker = app.test_client()
    attacker.set_cookie("greenroom", planted)
    assert attacker.get("/fans").status_code == 302
    with client.session_transaction() as session:
        first = session["sign_in"]
    submit(client, "/logout", "/fans/new")
    submit(client, "/login", email=ada.email, password=PASSWORD)
    with client.session_transaction() as session:
        assert session["sign_in"] != first


def test_a_cookie_cannot_name_another_persons_session(app, ada: Person, eve: Person):
    adas = ada.browser()
    with adas.session_transaction() as session:
        sign_in = session["sign_in"]
    client = eve.browser()
    with client.session_transaction() as session:
        session["sign_in"] = sign_in
    assert client.get("/fans").status_code == 302


@pytest.mark.parametrize("target", ELSEWHERE)
def test_signing_in_leads_nowhere_else(app, ada: Person, target: str):
    client = app.test_client()
    landed = submit(client, "/login", email=ada.email, password=PASSWORD, next=target)
    assert landed.headers["Location"] == "/messages/onlyfans"
    assert client.get("/login", query_string={"next": target}).headers["Location"] == "/messages/onlyfans"


def test_as_much_is_hashed_for_nobody_as_for_somebody(app, ada: Person, monkeypatch):
    """Counted, not timed: a busy machine would make it lie."""
    checked: list[str | None] = []
    real = passwords._hasher

    class Counting:
        def __init__(self) -> None:
            self.hasher = real()

        def verify(self, kept: str, given: str) -> bool:
            checked.append(kept.rpartition("$")[0].rpartition("$")[0])  # the kind of hash and its cost
            return self.hasher.verify(kept, given)

        def hash(self, given: str) -> str:
            return self.hasher.hash(given)

    monkeypatch.setattr(passwords, "_hasher", Counting)
    for email in (ada.email, "nobody@example.com"):
        answer = app.test_client().post("/api/auth/token", json={"email": email, "password": "a wrong one"})
        assert answer.status_code == 401
    assert len(checked) == 2
    assert checked[0] == checked[1]
