"""Every address of the application, by table: nothing without sign-in, nothing of another account."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from app.accounts import people, roles, sessions
from app.accounts.guard import SAFE
from app.accounts.models import ApiToken
from app.accounts.roles import Role
from app.conversations import notes, saved_views, sending_later
from app.conversations.actions import Draft
from app.database import db, utcnow, write
from app.money.models import Transaction
from app.portability import actions as exports
from app.quick_replies import actions as replies
from tests.people import Person, add_fan, connect, csrf_of, make_person

OPEN = {
    "static", "accounts.sign_in", "accounts.start_session", "api.issue_token", "api.docs", "openapi.spec",
    "accounts.show_invitation", "accounts.accept_invitation", "accounts.show_reset", "accounts.use_reset",
    "accounts.show_code", "accounts.say_code",
    "operations.healthz", "operations.readyz", "operations.show_metrics", "platforms.webhook",
}  # fmt: skip
BODIES = {
    "api.change_fan": {"name": "Mallory"},
    "api.change_conversation": {"archived": True},
    "api.post_message": {"text": "hello"},
    "api.map_import": {"columns": []},
    "api.change_segment": {"name": "Mine now"},
    "api.settle_message": {"outcome": "sent"},
    "api.change_connection": {"pace": {"limit": 1, "windowSeconds": 1}},
}


def addresses(app):
    for rule in app.url_map.iter_rules():
        for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
            yield rule, method


def test_nothing_is_answered_without_sign_in(app):
    client = app.test_client()
    for rule, method in addresses(app):
        if rule.endpoint in OPEN:
            continue
        path = rule.build(dict.fromkeys(rule.arguments, 1))[1]
        answer = client.open(path, method=method)
        wanted = 401 if path.startswith("/api/") else 302
        assert answer.status_code == wanted, f"{method} {path}: {answer.status_code}"
        if wanted == 302:
            assert answer.headers["Location"].startswith("/login")


@pytest.mark.parametrize("token", ["", "nonsense", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "Basic x"])
def test_a_bad_token_opens_nothing(app, token):
    client = app.test_client()
    for rule, method in addresses(app):
        if rule.endpoint in OPEN or not rule.rule.startswith("/api/"):
            continue
        path = rule.build(dict.fromkeys(rule.arguments, 1))[1]
        answer = client.open(path, method=method, headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, f"{method} {path}"
        assert answer.mimetype == "application/problem+json"


def test_an_expired_token_opens_nothing(app, ada: Person):
    with time_machine.travel(utcnow() + app.config["TOKEN_LIFETIME"] + timedelta(seconds=1), tick=True):
        for rule, method in addresses(app):
            if rule.endpoint in OPEN or not rule.rule.startswith("/api/"):
                continue
            path = rule.build(dict.fromkeys(rule.arguments, 1))[1]
            assert ada.call(method, path).status_code == 401, f"{method} {path}"


@pytest.fixture
def adas_things(app, ada: Person, sandbox) -> dict[str, int]:
    """One row of everything, by the name that addresses have for its id."""
    connection_id = connect(ada, sandbox.url)
    fan = add_fan(ada, 1)
    conversation = ada.post("/api/crm/conversations", {"fanId": fan["id"]})
    message = ada.post(f"/api/crm/conversations/{conversation['id']}/messages", {"text": "hi"}, 202)
    campaign = ada.post("/api/messages/bulk", {"recipientIds": [fan["id"]], "content": "all"}, 202)
    medium = ada.call("POST", "/api/media", data={"file": (picture(), "a.png")})
    imported = ada.call(
        "POST", "/api/onlyfans/import/csv", data={"file": (csv(), "a.csv")}, headers={"Prefer": "respond-async"}
    )
    with app.app_context():
        note = notes.add_note(ada.account_id, conversation["id"], ada.user_id, "Between us")
        tomorrow, draft = utcnow() + timedelta(days=1), Draft(text="Later", author_id=ada.user_id)
        later = sending_later.send_later(ada.account_id, conversation["id"], draft, tomorrow, unless_answered=True)
        note_id, later_id = note.id, later.id
    return {
        "note_id": note_id,
        "later_id": later_id,
        "fan_id": fan["id"],
        "conversation_id": conversation["id"],
        "message_id": message["id"],
        "campaign_id": campaign["campaignId"],
        "connection_id": connection_id,
        "medium_id": medium.json["id"],
        "import_id": imported.json["importId"],
        "reply_id": reply_of(ada),
        "view_id": saved_view(ada),
        "segment_id": ada.post("/api/segments", {"name": "Mine", "rule": {"rules": []}})["id"],
        "transaction_id": paid_by(ada, fan["id"]),
        **people_and_sessions(ada),
        "export_id": export_of(ada),
        "name": "rejected",  # of a list of the import's rows
    }


def people_and_sessions(ada: Person) -> dict[str, Any]:
    ada.browser()
    with ada.app.app_context():
        people.invite(ada.account_id, ada.user_id, email="zoe@example.com", role="viewer")
        return {
            "user_id": ada.user_id,
            "invitation_id": people.open_invitations(ada.account_id)[0].id,
            "sign_in_id": sessions.open_sessions(ada.user_id)[0].id,
            "token_id": db.session.scalars(select(ApiToken.id).where(ApiToken.user_id == ada.user_id)).first(),
        }


def reply_of(ada: Person) -> int:
    with ada.app.app_context():
        return replies.add_reply(ada.account_id, ada.user_id, replies.Wording("hi", "Greeting", "Hi")).id


def export_of(ada: Person) -> int:
    with ada.app.app_context():
        return exports.begin(ada.account_id, ada.user_id).id


def paid_by(ada: Person, fan_id: int) -> int:
    tip = {"platform_transaction_id": "t1", "kind": "tip", "gross_cents": 500, "at": utcnow()}
    with ada.app.app_context(), write() as session:
        paid = Transaction(account_id=ada.account_id, fan_id=fan_id, **tip)
        session.add(paid)
        session.flush()
        return paid.id


def saved_view(ada: Person) -> int:
    with ada.app.app_context():
        return saved_views.save_view(
            ada.account_id, ada.user_id, name="Big", is_shared=True, place="inbox", address={"spent": "100"}
        ).id


def picture():
    import io

    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(64))


def csv():
    import io

    return io.BytesIO(b"Username,Display Name\nzed,Zed\n")


def test_what_is_anothers_does_not_exist(app, adas_things, eve: Person):
    browser = eve.browser()
    token = browser.get("/fans/new").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    tried = 0
    for rule, method in addresses(app):
        if not rule.arguments or rule.endpoint in OPEN:
            continue
        path = rule.build({name: adas_things[name] for name in rule.arguments})[1]
        if path.startswith("/api/"):
            answer = eve.call(method, path, json=BODIES.get(rule.endpoint))
        else:
            answer = browser.open(path, method=method, data={"csrf_token": token} if method == "POST" else None)
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
        tried += 1
    assert tried > 25


@pytest.mark.parametrize("role", Role)
def test_each_role_may_exactly_what_the_table_says(app, adas_things, ada: Person, role: Role):
    """Every address and method. What is allowed may answer anything else: the ids are real, the bodies are not."""
    person = make_person(app, "staff@example.com", "Ada's account", role=role)
    wrong = []
    for rule, method in addresses(app):
        if rule.endpoint in OPEN or rule.endpoint in ENDING:
            continue
        path = rule.build({name: adas_things[name] for name in rule.arguments})[1]
        with app.app_context():
            right = roles.needed(rule.endpoint, changes=method not in SAFE)
        if method != "GET" and roles.has(role, right):
            continue  # would really do it
        answer = person.call(method, path) if path.startswith("/api/") else browser_call(person, method, path)
        answer.get_data()  # a stream that is left in the middle keeps its request's context
        if (answer.status_code == 403) == roles.has(role, right):
            wrong.append(f"{role} {method} {path}: {answer.status_code}, needs to {right}")
    assert wrong == []


def browser_call(person: Person, method: str, path: str):
    """By a session that is kept from call to call."""
    if person.token not in _browsers:  # an id may be that of another database's person
        browser = person.browser()
        _browsers.clear()
        _browsers[person.token] = browser, csrf_of(browser, "/settings/me")
    browser, token = _browsers[person.token]
    return browser.open(path, method=method, data={"csrf_token": token} if method == "POST" else None)


_browsers: dict[str, Any] = {}
ENDING = {"accounts.sign_out", "accounts.switch", "api.revoke_token"}  # everybody's; they would end the walk


def test_ids_of_others_in_a_body_do_not_exist_either(adas_things, eve: Person, sandbox):
    connect(eve, sandbox.url, account="acct_eve")
    mine = add_fan(eve, 2)
    theirs = adas_things["fan_id"]
    assert eve.call("POST", "/api/crm/conversations", json={"fanId": theirs}).status_code == 404
    assert (
        eve.call("POST", "/api/onlyfans/messages/send", json={"recipientId": theirs, "content": "x"}).status_code == 404
    )
    bulk = eve.call("POST", "/api/messages/bulk", json={"recipientIds": [mine["id"], theirs], "content": "x"})
    assert bulk.status_code == 400
    assert str(theirs) in bulk.json["errors"][0]["message"]
    assert eve.get("/api/campaigns")["total"] == 0
    stolen = {"recipientId": mine["id"], "content": "x", "mediaUrls": [f"/media/{adas_things['medium_id']}"]}
    assert eve.call("POST", "/api/onlyfans/messages/send", json=stolen).status_code == 404


def test_unknown_addresses_and_methods(ada: Person):
    assert ada.call("GET", "/api/nothing").status_code == 404
    assert ada.call("GET", "/api/crm/fans/99999999999999999999").status_code == 404
    wrong = ada.call("PATCH", "/api/crm/fans/1", json={})
    assert wrong.status_code == 405
    assert "GET" in wrong.headers["Allow"]
    for answer in (ada.call("GET", "/api/nothing"), wrong):
        assert answer.mimetype == "application/problem+json"
        assert answer.headers["X-Request-ID"]
