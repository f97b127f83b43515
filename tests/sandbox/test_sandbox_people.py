import hashlib
import hmac
import json

import pytest


def test_a_fan_who_writes_is_told_by_a_signed_webhook(sandbox, endpoint):
    sandbox.fan("say", text="Hello <3")
    headers, body = endpoint.next()
    assert headers["Signature"] == hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    assert headers["X-OFAPI-Idempotency-Key"].startswith("evt_")
    assert len(headers["X-OFAPI-Idempotency-Key"]) == 44
    event = json.loads(body)
    assert (event["event"], event["account_id"]) == ("messages.received", sandbox.account)
    assert (event["payload"]["fromUser"]["id"], event["payload"]["text"]) == (7, "<p>Hello &lt;3</p>")
    assert sandbox.texts() == ["<p>Hello &lt;3</p>"]


def test_a_sent_message_is_told_too(sandbox, endpoint):
    sent = sandbox.write().json()["data"]
    event = endpoint.next_event()
    assert (event["event"], event["payload"]["id"], event["payload"]["toUser"]["id"]) == (
        "messages.sent",
        sent["id"],
        7,
    )


def test_buying_takes_the_newest_priced_message_and_is_told_twice(sandbox, endpoint):
    sandbox.write(text="old", price=5, mediaFiles=[1])
    newest = sandbox.write(text="new", price=12.5, mediaFiles=[2]).json()["data"]["id"]
    assert sandbox.fan("buy").json()["message"]["id"] == newest
    _, _, unlocked, transaction = [endpoint.next_event() for _ in range(4)]
    assert (unlocked["event"], transaction["event"]) == ("messages.ppv.unlocked", "transactions.new")
    assert unlocked["payload"]["user"]["id"] == 7
    assert unlocked["payload"]["user_id"] != "7"
    assert unlocked["payload"]["replacePairs"]["{AMOUNT}"] == "$12.50"
    assert f"firstId={newest}" in unlocked["payload"]["replacePairs"]["{MESSAGE_LINK}"]
    payload = transaction["payload"]
    assert (payload["amount"], payload["net_amount"], payload["fee_amount"]) == (12.5, 10, 2.5)
    bought = sandbox.read(f"chats/7/messages/{newest}")["data"]
    assert (bought["isOpened"], bought["canPurchaseReason"]) == (True, "purchased")
    assert sandbox.read("transactions")["data"]["list"][0]["net"] == 10


def test_nothing_is_bought_twice(sandbox):
    message = sandbox.write(price=5, mediaFiles=[1]).json()["data"]["id"]
    assert sandbox.fan("buy", messageId=message).status_code == 200
    assert sandbox.fan("buy", messageId=message).status_code == 400
    assert sandbox.fan("buy").status_code == 400


def test_a_tip_is_a_message_a_notification_and_a_transaction(sandbox, endpoint):
    sandbox.fan("tip", amountCents=801, text="for you")
    message, tip, transaction = [endpoint.next_event() for _ in range(3)]
    assert (message["payload"]["isTip"], message["payload"]["text"]) == (True, "<p>for you</p>")
    assert (tip["payload"]["amountGross"], tip["payload"]["amountNet"]) == (8.01, 6.4)
    assert (transaction["event"], transaction["payload"]["amount"]) == ("transactions.new", 8.01)
    assert sandbox.read("chats")["data"][0]["fan"]["subscribedOnData"]["tipsSumm"] == 8.01


def test_a_fan_who_subscribes_is_told(sandbox, endpoint):
    sandbox.fan("subscribe", amountCents=999)
    event = endpoint.next_event()
    assert (event["event"], event["payload"]["replacePairs"]["{PRICE}"]) == ("subscriptions.new", "$9.99")


def test_opening_marks_one_message_or_all(sandbox):
    first, second = (sandbox.write().json()["data"]["id"] for _ in range(2))
    assert sandbox.fan("open", messageId=first).json() == {"opened": [first]}
    assert sandbox.read(f"chats/7/messages/{first}")["data"]["isOpened"] is True
    assert sandbox.fan("open").json() == {"opened": [second]}


def test_a_delivery_is_tried_again_under_the_same_id_and_keeps_its_place(sandbox, endpoint):
    endpoint.failures = 1
    sandbox.fan("say", text="first")
    sandbox.fan("say", text="second")
    (one, failed), (two, again), (_, second) = [endpoint.next() for _ in range(3)]
    assert (one["X-OFAPI-Idempotency-Key"], failed) == (two["X-OFAPI-Idempotency-Key"], again)
    assert json.loads(second)["payload"]["text"] == "<p>second</p>"


def test_the_last_deliveries_come_again_with_the_same_ids_and_bytes(sandbox, endpoint):
    for text in ("a", "b", "c"):
        sandbox.fan("say", text=text)
    first = [endpoint.next() for _ in range(3)]
    assert sandbox.post("/sandbox/webhooks/redeliver", json={"last": 2}).json() == {"redelivered": 2}
    again = [endpoint.next() for _ in range(2)]
    assert [(headers["X-OFAPI-Idempotency-Key"], body) for headers, body in again] == [
        (headers["X-OFAPI-Idempotency-Key"], body) for headers, body in first[1:]
    ]


def test_the_same_endpoint_registered_again_replaces_the_first(sandbox, endpoint):
    body = {"endpoint_url": endpoint.url, "events": ["tips.received"], "account_scope": "inclusive"}
    hook = sandbox.post("/api/webhooks", json={**body, "account_ids": [sandbox.account]}).json()["data"]
    assert hook["has_signing_secret"] is False
    assert "signing_secret" not in hook
    assert [one["url"] for one in sandbox.get("/api/webhooks").json()["data"]].count(endpoint.url) == 1
    sandbox.fan("tip", amountCents=500)
    headers, delivered = endpoint.next()
    assert json.loads(delivered)["event"] == "tips.received"
    assert "Signature" not in headers


def test_a_hook_of_one_account_hears_nothing_of_another(sandbox, endpoint):
    sandbox.post("/sandbox/fans/7/say", json={"account": "acct_somebody_else", "text": "psst"})
    sandbox.fan("say", text="mine")
    assert endpoint.next_event()["payload"]["text"] == "<p>mine</p>"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"endpoint_url": "ftp://x", "events": ["messages.received"], "account_scope": "all"},
        {"endpoint_url": "http://x", "events": ["no.such"], "account_scope": "all"},
        {"endpoint_url": "http://x", "events": ["messages.received"], "account_scope": "some"},
    ],
)
def test_a_wrong_registration_is_refused(sandbox, body):
    assert sandbox.post("/api/webhooks", json=body).status_code == 422


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("say", {}),
        ("say", {"text": " "}),
        ("say", {"text": 1}),
        ("say", {"text": "x", "loud": True}),
        ("say", {"text": "x", "account": "../etc"}),
        ("tip", {}),
        ("tip", {"amountCents": 0}),
        ("tip", {"amountCents": 1.5}),
        ("buy", {"amountCents": True}),
        ("open", {"messageId": []}),
    ],
)
def test_a_wrong_wish_is_refused_and_changes_nothing(sandbox, verb, body):
    assert list(sandbox.fan(verb, **body).json()) == ["error"]
    assert sandbox.fan(verb, **body).status_code == 400
    assert sandbox.texts() == []


@pytest.mark.parametrize("verb", ["buy", "open"])
def test_an_unknown_message_is_not_found(sandbox, verb):
    assert sandbox.fan(verb, messageId=12345).status_code == 404


@pytest.mark.parametrize("chat", ["5", "nobody"])
def test_an_unknown_chat_of_the_demo_is_not_found(demo, chat):
    assert demo.post(f"/sandbox/fans/{chat}/say", json={"text": "x"}).status_code == 404


@pytest.mark.parametrize("path", ["/sandbox/webhooks/redeliver", "/sandbox/fans/7/say"])
def test_a_control_call_that_is_no_json_is_refused(sandbox, path):
    assert sandbox.post(path, content=b"{").status_code == 400
