"""Sentences of api.md that the other tests do not hold down: shapes, wrong input, and who may see what."""

import hashlib
import hmac
import io
import json
import re

from app.database import db
from app.imports import actions as imports
from app.platforms.models import Connection
from tests.people import Person, add_fan, connect

PROBLEM = "application/problem+json"
MOMENT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32
HOUSE = "Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen\n"
IMPORT = "/api/onlyfans/import/csv"


def is_problem(answer, status: int, *fields: str) -> bool:
    assert (answer.status_code, answer.mimetype) == (status, PROBLEM), answer.text
    body = json.loads(answer.text)
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == status
    assert answer.headers["X-Request-ID"]
    assert {each["field"] for each in body.get("errors", [])} >= set(fields), body
    return True


def send_file(person: Person, content: bytes | str, name: str = "fans.csv", path: str = IMPORT, **form: str):
    content = content.encode() if isinstance(content, str) else content
    data = {"file": (io.BytesIO(content), name), **form}
    return person.call("POST", path, data=data, content_type="multipart/form-data", headers={"Prefer": "respond-async"})


FANS_THAT_CANNOT_BE = [
    ({"name": 5}, "name"),
    ({"name": "\ud800"}, "name"),
    ({"name": "x", "valueCents": 1.5}, "valueCents"),
    ({"name": "x", "valueCents": True}, "valueCents"),
    ({"name": "x", "valueCents": 10**30}, "valueCents"),
    ({"name": "x", "lastSeenAt": "2025-11-01T12:05:00"}, "lastSeenAt"),
    ({"name": "x", "id": 7}, "id"),
    ({"name": "x", "platform": "onlyfans"}, "platform"),
    ({"name": "x", "platformFanId": 7}, "platformFanId"),
    ({"name": "x", "tags": ["a", 1]}, "tags.1"),
    ({"name": "x", "avatarUrl": "javascript:alert(1)"}, "avatarUrl"),
    ({"handle": " @ "}, "handle"),
    ({}, "name"),
]


def test_a_fan_that_cannot_be(ada: Person):
    for body, field in FANS_THAT_CANNOT_BE:
        answer = ada.call("POST", "/api/crm/fans", data=json.dumps(body), content_type="application/json")
        assert is_problem(answer, 400, field)
    assert ada.get("/api/crm/fans")["total"] == 0


NO_JSON_OBJECTS = [b"", b"{", b"[]", b'"x"', b"\xff\xfe{", b'{"valueCents":' + b"9" * 5000 + b"}"]


def test_a_body_that_is_no_json_object(ada: Person):
    for body in NO_JSON_OBJECTS:
        assert is_problem(ada.call("POST", "/api/crm/fans", data=body, content_type="application/json"), 400)


OTHER_TYPES = ["text/plain", "application/xml", "application/x-www-form-urlencoded"]


def test_a_body_of_another_type(ada: Person):
    for content_type in OTHER_TYPES:
        assert is_problem(ada.call("POST", "/api/crm/fans", data=b'{"name":"x"}', content_type=content_type), 415)


def test_a_fan_as_the_contract_shows_it(ada: Person):
    answer = ada.call("POST", "/api/crm/fans", json={"handle": "johndoe", "lastSeenAt": "2025-11-01T14:05:00+02:00"})
    fan = answer.get_json()
    assert set(fan) == {
        "id", "name", "handle", "email", "phone", "avatarUrl", "platform", "platformFanId", "tags", "notes",
        "valueCents", "subscriptionStatus", "lastSeenAt", "doNotMessage", "createdAt", "updatedAt",
    }  # fmt: skip
    assert ada.get(answer.headers["Location"]) == fan
    assert (fan["handle"], fan["lastSeenAt"]) == ("@johndoe", "2025-11-01T12:05:00Z")
    assert MOMENT.match(fan["createdAt"])
    assert isinstance(fan["id"], int)
    assert is_problem(ada.call("POST", "/api/crm/fans", json={"handle": "@JohnDoe"}), 409)


NOWHERE = [("GET", "/api/nope"), ("GET", "/api/crm/fans/abc"), ("GET", f"/api/crm/fans/{2**63}")]


def test_no_such_address(app, ada: Person):
    for method, path in NOWHERE:
        assert is_problem(ada.call(method, path), 404)
        assert is_problem(app.test_client().open(path, method=method), 401)


def test_a_method_that_is_not_there_names_those_that_are(ada: Person):
    answer = ada.call("DELETE", "/api/crm/fans")
    assert is_problem(answer, 405)
    assert {"GET", "POST"} <= set(re.split(r",\s*", answer.headers["Allow"]))


def test_a_request_id_is_kept_or_made(ada: Person):
    assert ada.call("GET", "/api/crm/fans", headers={"X-Request-ID": "abc-1"}).headers["X-Request-ID"] == "abc-1"
    assert len(ada.call("GET", "/api/crm/fans", headers={"X-Request-ID": "<x>"}).headers["X-Request-ID"]) == 32


def test_media_is_its_owners(ada: Person, eve: Person):
    answer = send_file(ada, PNG, "../a.png", "/api/media")
    medium = answer.get_json()
    assert answer.status_code == 201
    assert medium == {"id": medium["id"], "url": f"/media/{medium['id']}", "type": "photo", "name": "a.png", "size": 40}
    assert ada.browser().get(medium["url"]).data == PNG
    assert eve.browser().get(medium["url"]).status_code == 404
    assert ada.app.test_client().get(medium["url"]).status_code == 302
    assert is_problem(send_file(ada, b"<svg onload='alert(1)'/>", "a.png", "/api/media"), 415, "file")
    assert is_problem(send_file(ada, b"", "a.png", "/api/media"), 400, "file")
    assert is_problem(ada.call("POST", "/api/media"), 400, "file")


NO_ADDRESSES = [
    "ftp://x/y",
    "http://example.com/a.png",
    "https://127.0.0.1/a",
    "https://[::1]/a",
    "https://localhost/a",
    "https://169.254.169.254/",
    "https://2130706433/",
    "https://u:p@example.com/a",
    "/media/abc",
    "platform:",
    "x",
]


def test_an_attachment_address_that_cannot_be(ada: Person):
    connect(ada, "http://127.0.0.1:1")
    thread = ada.post("/api/crm/conversations", {"fanId": add_fan(ada)["id"]})
    for url in NO_ADDRESSES:
        body = {"text": "x", "attachments": [{"url": url}]}
        answer = ada.call("POST", f"/api/crm/conversations/{thread['id']}/messages", json=body)
        assert is_problem(answer, 400, "attachments.0.url")


def test_who_must_not_be_messaged_and_who_cannot(ada: Person):
    connect(ada, "http://127.0.0.1:1")
    silent, unlinked = add_fan(ada, 1, doNotMessage=True), add_fan(ada, 2, platformFanId=None)
    for fan, why in ((silent, "do not message"), (unlinked, "not linked")):
        answer = ada.call("POST", "/api/onlyfans/messages/send", json={"recipientId": fan["id"], "content": "x"})
        assert is_problem(answer, 409)
        assert why in answer.text
    assert ada.get("/api/crm/conversations")["total"] == 0


def test_a_connection_shows_no_secret_and_changes_only_pace_and_range(ada: Person, eve: Person):
    path = f"/api/connections/{connect(ada, 'http://127.0.0.1:1')}"
    changed = ada.put(
        path, {"pace": {"limit": 7, "windowSeconds": 9}, "priceRange": {"minCents": 400, "maxCents": 500}}
    )
    assert set(changed) == {"id", "platform", "adapter", "status", "pace", "priceRange", "lastSyncedAt"}
    assert (changed["pace"]["limit"], changed["priceRange"]["minCents"]) == (7, 400)
    for body, field in (
        ({"pace": {"limit": 0, "windowSeconds": 1}}, "pace.limit"),
        ({"pace": {"limit": 1}}, "pace.windowSeconds"),
        ({"priceRange": {"minCents": 500, "maxCents": 400}}, "priceRange"),
        ({"apiKey": "x"}, "apiKey"),
    ):
        assert is_problem(ada.call("PUT", path, json=body), 400, field)
    assert is_problem(eve.call("PUT", path, json={}), 404)


NO_FILES = [
    ("", {}, 400, "file"),
    (HOUSE, {}, 400, "file"),
    ("foo,bar\n1,2\n", {}, 400, "file"),
    (HOUSE + 'a,"b,c,d\n', {}, 400, "file"),
    (PNG, {}, 415, "file"),
    (b"PK\x03\x04" + b"0" * 64, {}, 415, "file"),
    (HOUSE + "a,A,,V,$1.00,03/04/2025\n", {}, 400, "dateOrder"),
    (HOUSE + "a,A,,V,500,2025-01-01\n", {}, 400, "unit"),
    (HOUSE + 'a,A,,V,"1,234",2025-01-01\n', {}, 400, "decimal"),
    (HOUSE + "a,A,,V,$1.00,2025-01-01\n", {"knd": "fans"}, 400, "knd"),
    (HOUSE + "a,A,,V,$1.00,2025-01-01\n", {"timezone": "Mars/X"}, 400, "timezone"),
    (HOUSE + "a,A,,V,$1.00,2025-01-01\n", {"encoding": "hex"}, 400, "encoding"),
]


def test_a_file_that_cannot_be_taken_in(ada: Person):
    for content, form, status, field in NO_FILES:
        answer = send_file(ada, content, **form)
        assert is_problem(answer, status, field)
    assert ada.get("/api/crm/fans")["total"] == 0


def test_an_import_from_the_call_to_the_rejected_rows(app, ada: Person, eve: Person):
    rows = (
        'one,One,one@x.org,VIP,$500.00,2025-10-01\ntwo,"T\nwo",x@,V,$1.00,2025-10-01\nONE,Later,,V,$6.00,2025-10-02\n'
    )
    answer = send_file(ada, HOUSE + rows)
    assert (answer.status_code, answer.get_json()["status"]) == (202, "running")
    where = answer.headers["Location"]
    with app.app_context():
        imports.run_import(answer.get_json()["importId"])
    document = ada.get(where)
    assert set(document) == {"importId", "status", "kind", "summary"}
    summary = document["summary"]
    parts = ("successfulInserts", "updated", "unchanged", "skipped")
    assert [summary[name] for name in ("totalRows", *parts)] == [3, 1, 0, 0, 2]
    assert [error["row"] for error in summary["errors"]] == [2, 3]
    assert summary["errors"][1] == {"row": 3, "column": "Email", "value": "x@", "error": "Invalid email format"}
    assert ada.call("GET", f"{where}/rejected.csv").mimetype == "text/csv"
    assert is_problem(eve.call("GET", where), 404)
    assert is_problem(eve.call("GET", f"{where}/rejected.csv"), 404)


def sign(app, connection_id: int, body: bytes) -> dict[str, str]:
    with app.app_context():
        secret = db.session.get_one(Connection, connection_id).webhook_secret
    return {"Signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


NO_EVENTS = [
    b"",
    b"{",
    b"[]",
    b"[" * 100_000,
    b'{"a":NaN}',
    b'{"a":"\\u0000"}',
    b'{"a":"\xff"}',
    b'{"a":' + b"9" * 5000,
]


def test_a_signed_webhook_that_is_no_object(app, ada: Person):
    connection_id = connect(ada, "http://127.0.0.1:1")
    path = f"/webhooks/{connection_id}"
    client = app.test_client()
    for body in NO_EVENTS:
        assert is_problem(client.post(path, data=body, headers=sign(app, connection_id, body)), 400)
        assert is_problem(client.post(path, data=body, headers={"Signature": "0" * 64}), 401)
        assert is_problem(client.post(path, data=body), 401)
        assert is_problem(client.post("/webhooks/999", data=body), 404)


def test_a_replay_bears_its_mark_and_the_first_location(ada: Person):
    first, again = (
        ada.call("POST", "/api/crm/fans", json={"name": "x"}, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )
    assert (first.status_code, first.get_json()) == (again.status_code, again.get_json())
    assert first.headers["Location"] == again.headers["Location"]
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    wrong = ada.call("POST", "/api/crm/fans", json={"naem": "x"}, headers={"Idempotency-Key": "k"})
    assert is_problem(wrong, 422)


def test_markup_in_names_and_messages_stays_text(app, ada: Person, sandbox):
    connect(ada, sandbox.url)
    markup = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    fan = add_fan(ada, 1, name=markup, notes=markup, tags=[markup])
    thread = ada.post("/api/crm/conversations", {"fanId": fan["id"]})
    ada.post(f"/api/crm/conversations/{thread['id']}/messages", {"text": markup}, 202)
    bulk = ada.post("/api/messages/bulk", {"recipientIds": [fan["id"]], "content": markup, "campaignName": markup}, 202)
    browser = ada.browser()
    for path in (
        "/fans", f"/fans/{fan['id']}", "/messages/onlyfans", f"/messages/onlyfans/{thread['id']}", "/campaigns",
        f"/campaigns/{bulk['campaignId']}",
    ):  # fmt: skip
        page = browser.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
