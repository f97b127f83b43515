import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.servers import wait_until


def test_a_message_is_accepted_and_can_be_read_back_as_html(sandbox):
    answer = sandbox.write(text="Tom & <Jerry>\nsecond line").json()
    assert answer["data"]["text"] == "<p>Tom &amp; &lt;Jerry&gt;<br />\nsecond line</p>"
    assert answer["data"]["isSentByMe"] is True
    assert answer["data"]["isOpened"] is False
    assert answer["_meta"]["_credits"]["used"] == 1
    assert sandbox.read(f"chats/7/messages/{answer['data']['id']}")["data"]["id"] == answer["data"]["id"]


def test_every_attempt_is_logged_in_order_with_its_times(sandbox):
    before = time.time()
    sandbox.write(text="one", key="k1")
    sandbox.write(text="", key="k2")
    sandbox.write(text="one", key="k1")
    first, second, third = sandbox.sends()
    assert [first["outcome"], second["outcome"], third["outcome"]] == ["accepted", "refused", "replayed"]
    assert (first["account"], first["chatId"], first["text"], first["price"]) == (sandbox.account, "7", "one", 0)
    assert first["idempotencyKey"] == third["idempotencyKey"] == "k1"
    assert before - 0.01 < first["receivedAt"] <= first["answeredAt"] <= second["receivedAt"] < time.time() + 0.01


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": " "}, "text"),
        ({"text": 5}, "text"),
        ({"text": "x", "price": 5}, "mediaFiles"),
        ({"text": "x", "price": 2.99, "mediaFiles": [1]}, "price"),
        ({"text": "x", "price": 200.01, "mediaFiles": [1]}, "price"),
        ({"text": "x", "price": 5.001, "mediaFiles": [1]}, "price"),
        ({"text": "x", "price": "5", "mediaFiles": [1]}, "price"),
        ({"text": "x", "mediaFiles": ["ofapi_media_unknown"]}, "mediaFiles.0"),
        ({"text": "x", "mediaFiles": [1], "previews": [2]}, "previews"),
        ({"text": "x", "lockedText": "yes"}, "lockedText"),
    ],
)
def test_a_wrong_message_is_refused_naming_the_field(sandbox, body, field):
    answer = sandbox.write(**body)
    assert answer.status_code == 422
    assert field in answer.json()["errors"]
    assert sandbox.outcomes()[-1] == "refused"


@pytest.mark.parametrize("body", [b"{", b"[]", b"NaN", b"\xff", b""])
def test_a_body_that_is_no_json_object_is_refused(sandbox, body):
    assert sandbox.post(f"/api/{sandbox.account}/chats/7/messages", content=body).status_code == 400


def test_a_price_keeps_its_cents(sandbox):
    sent = sandbox.write(text="new set", price=19.99, mediaFiles=[11, "12"], previews=[12]).json()["data"]
    assert (sent["price"], sent["mediaCount"], sent["previews"]) == (19.99, 2, [12])
    assert sandbox.sends()[-1]["price"] == 19.99


def test_an_upload_serves_one_message_and_a_vault_file_many(sandbox):
    file = {"file": ("beach.png", b"\x89PNG", "image/png")}
    once = sandbox.post(f"/api/{sandbox.account}/media/upload", files=file).json()["prefixed_id"]
    assert sandbox.write(mediaFiles=[once], price=5, text="x").json()["data"]["media"][0]["type"] == "photo"
    assert sandbox.write(mediaFiles=[once], text="x").status_code == 422
    kept = sandbox.post(f"/api/{sandbox.account}/media/vault", files=file).json()["data"]["id"]
    assert [sandbox.write(mediaFiles=[kept]).status_code for _ in range(2)] == [200, 200]


def test_an_upload_without_a_file_is_refused(sandbox):
    assert sandbox.post(f"/api/{sandbox.account}/media/upload", data={"x": "y"}).status_code == 422


def test_the_same_key_again_is_answered_from_store_and_sends_nothing(sandbox):
    first, again = sandbox.write(text="once", key="k"), sandbox.write(text="once", key="k")
    assert again.json()["data"] == first.json()["data"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json()["_meta"]["_credits"]["used"] == 0
    assert sandbox.texts() == ["<p>once</p>"]


def test_a_key_means_one_body_and_one_chat(sandbox):
    sandbox.write(text="once", key="k")
    for answer in (sandbox.write(text="twice", key="k"), sandbox.write(8, text="once", key="k")):
        assert (answer.status_code, answer.json()["error"]) == (422, "IDEMPOTENCY_KEY_MISMATCH")


def test_a_key_must_be_printable_and_at_most_255_long(sandbox):
    assert sandbox.write(key="k" * 255).status_code == 200
    assert sandbox.write(key="k" * 256).json()["error"] == "IDEMPOTENCY_KEY_INVALID"


def test_a_key_whose_first_request_still_runs_is_a_conflict(sandbox):
    sandbox.faults(delaySeconds=2)
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(sandbox.write, text="slow", key="k")
        wait_until(lambda: sandbox.texts() == ["<p>slow</p>"])  # it has arrived, and is not answered yet
        early = sandbox.write(text="slow", key="k")
        assert (early.status_code, early.json()["error"]) == (409, "IDEMPOTENCY_CONFLICT")
        assert slow.result().status_code == 200
    assert sandbox.write(text="slow", key="k").headers["Idempotent-Replayed"] == "true"


def test_a_client_that_gave_up_waiting_was_accepted_all_the_same(sandbox):
    sandbox.faults(delaySeconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{sandbox.base_url}/api/{sandbox.account}/chats/7/messages",
            headers=sandbox.headers,
            json={"text": "late"},
            timeout=0.1,
        )
    assert sandbox.texts() == ["<p>late</p>"]
