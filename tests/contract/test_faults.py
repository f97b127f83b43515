"""Each of these fails because of a fault in the audit's report; with the fault mended it is a test like any other."""

import io
import json

import pytest

from app.conversations import delivery, outbox
from tests.contract.test_contract import HOUSE, PNG, is_problem, send_file
from tests.people import Person, add_fan, connect


@pytest.mark.parametrize("path", ["/api/auth/token", "/api/crm/fans"])
def test_json_that_is_too_deep_is_malformed(ada: Person, path):
    assert is_problem(ada.call("POST", path, data=b"[" * 100_000, content_type="application/json"), 400)


@pytest.mark.parametrize("url", ["https://[::1/a.png", "https://\u2100.com/a.png", "https://a.b:abc/", "/media/1\n"])
def test_an_attachment_address_that_is_no_address(ada: Person, url):
    connect(ada, "http://127.0.0.1:1")
    body = {"recipientId": add_fan(ada)["id"], "content": "x", "mediaUrls": [url]}
    assert is_problem(ada.call("POST", "/api/onlyfans/messages/send", json=body), 400, "mediaUrls.0")


def test_a_delivery_that_breaks_before_the_call_holds_up_nobody(app, ada: Person, sandbox, monkeypatch):
    def breaks(*_):
        raise ValueError("Invalid port: 'abc'")

    monkeypatch.setattr(delivery, "load_attachment", breaks)
    connect(ada, sandbox.url, account="acct_poison")
    body = {"recipientId": add_fan(ada)["id"], "content": "x", "mediaUrls": ["https://example.com/a.png"]}
    message = ada.post("/api/onlyfans/messages/send", body, 202)
    with app.app_context():
        outbox.drain()
    assert ada.get(f"/api/onlyfans/messages/{message['messageId']}")["status"] in ("queued", "failed")


def test_a_fan_who_must_no_longer_be_messaged_gets_no_queued_message(app, ada: Person, sandbox):
    connect(ada, sandbox.url, account="acct_silence")
    fan = add_fan(ada)
    ada.post("/api/messages/bulk", {"recipientIds": [fan["id"]], "content": "x"}, 202)
    ada.put(f"/api/crm/fans/{fan['id']}", {"doNotMessage": True})
    with app.app_context():
        outbox.drain()
    assert sandbox.sends("acct_silence") == []


def test_a_handle_with_an_accent_is_found_among_conversations(ada: Person):
    ada.post("/api/crm/conversations", {"fanId": add_fan(ada, handle="JoséRío", name="x")["id"]})
    assert ada.get("/api/crm/conversations?search=JoséRío")["total"] == 1


@pytest.mark.parametrize("value", [1700000000, "1700000000"])
def test_a_time_is_rfc_3339(ada: Person, value):
    assert is_problem(ada.call("POST", "/api/crm/fans", json={"name": "x", "lastSeenAt": value}), 400, "lastSeenAt")


def test_json_under_another_type_is_refused(app, ada: Person):
    body = b'{"name":"x"}'
    assert is_problem(ada.call("POST", "/api/crm/fans", data=body, content_type="multipart/form-data; boundary=x"), 415)
    body = b'{"email":"ada@example.com","password":"x"}'
    assert is_problem(app.test_client().post("/api/auth/token", data=body, content_type="text/plain"), 415)


def test_an_unknown_field_beside_a_file_is_an_error(ada: Person):
    assert is_problem(send_file(ada, PNG, "a.png", "/api/media", knd="x"), 400, "knd")
    data = {"file": (io.BytesIO((HOUSE + "a,,,,,\n").encode()), "a.csv"), "fiel": (io.BytesIO(b"x"), "b.csv")}
    answer = ada.call("POST", "/api/onlyfans/import/csv", data=data, headers={"Prefer": "respond-async"})
    assert is_problem(answer, 400, "fiel")


def test_an_unknown_field_where_no_body_is_asked_for_is_an_error(ada: Person):
    thread = ada.post("/api/crm/conversations", {"fanId": add_fan(ada)["id"]})
    assert is_problem(ada.call("POST", f"/api/crm/conversations/{thread['id']}/read", json={"x": 1}), 400, "x")


def test_a_webhook_address_answers_without_sign_in(app):
    assert is_problem(app.test_client().get("/webhooks/1"), 405)
    assert is_problem(app.test_client().post("/webhooks/abc"), 404)


def test_a_wrong_pair_is_told_how_to_sign_in(app, ada: Person):
    answer = app.test_client().post("/api/auth/token", json={"email": "ada@example.com", "password": "wrong"})
    assert answer.headers.get("WWW-Authenticate")


def test_broken_json_is_said_so(ada: Person):
    answer = ada.call("POST", "/api/crm/fans", data=b"{", content_type="application/json")
    assert "JSON" in answer.get_json(force=True)["detail"]


def test_a_text_that_is_too_long_is_counted_in_characters(ada: Person):
    connect(ada, "http://127.0.0.1:1")
    body = {"recipientId": add_fan(ada)["id"], "content": "x" * 5001}
    assert "characters" in ada.call("POST", "/api/onlyfans/messages/send", json=body).text


def test_an_account_number_beyond_all_rows_is_no_fault_of_ours(ada: Person):
    browser = ada.browser()
    token = browser.get("/fans/new").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert browser.post("/account", data={"account_id": "9" * 30, "csrf_token": token}).status_code == 404


def test_a_retry_is_refused_in_a_cancelled_campaign(app, ada: Person, sandbox):
    connect(ada, sandbox.url, account="acct_cancelled", pace=(2, 60))
    ids = [add_fan(ada, number)["id"] for number in (1, 2, 3)]
    sandbox.faults(refuse=1.0)
    made = ada.post("/api/messages/bulk", {"recipientIds": ids, "content": "x"}, 202)
    with app.app_context():
        outbox.drain()
    ada.post(f"/api/campaigns/{made['campaignId']}/cancel", status=200)
    ledger = ada.get(f"/api/campaigns/{made['campaignId']}/recipients?status=failed")
    path = f"/api/onlyfans/messages/{ledger['recipients'][0]['messageId']}/retry"
    assert is_problem(ada.call("POST", path), 409)


def test_the_document_names_the_answers_that_come(app):
    paths = app.test_client().get("/api/openapi.json").get_json()["paths"]
    made = paths["/api/crm/fans"]["post"]
    assert {"201", "400", "401", "409", "415", "429"} <= set(made["responses"])
    assert "422" not in paths["/api/crm/fans"]["get"]["responses"]
    assert "multipart/form-data" in paths["/api/onlyfans/import/csv"]["post"]["requestBody"]["content"]
    assert "multipart/form-data" in paths["/api/media"]["post"]["requestBody"]["content"]
    assert made.get("security")


def test_a_removed_fans_thread_leaves_nothing_in_the_way_of_the_next(ada: Person):
    connect(ada, "http://127.0.0.1:1")
    for number in (1, 2):
        fan = add_fan(ada, number)
        ada.post("/api/onlyfans/messages/send", {"recipientId": fan["id"], "content": "x"}, 202)
        ada.call("DELETE", f"/api/crm/fans/{fan['id']}")


def test_a_word_with_an_umlaut_is_found_as_it_was_written(ada: Person):
    connect(ada, "http://127.0.0.1:1")
    ada.post("/api/onlyfans/messages/send", {"recipientId": add_fan(ada)["id"], "content": "grüne ÄPFEL"}, 202)
    assert ada.get("/api/crm/messages?search=ÄPFEL")["total"] == 1


def test_json_in_chunks_that_is_too_large_is_refused_as_such(app, ada: Person, monkeypatch):
    """What comes in chunks says beforehand of no length."""
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 1000)

    def post(size: int):
        body = io.BytesIO(json.dumps({"name": "x" * size}).encode())
        chunked = {"headers": {"Transfer-Encoding": "chunked"}, "environ_overrides": {"wsgi.input_terminated": True}}
        return ada.call("POST", "/api/crm/fans", input_stream=body, content_type="application/json", **chunked)

    assert is_problem(post(2000), 413, "body")
    assert post(20).status_code == 201
