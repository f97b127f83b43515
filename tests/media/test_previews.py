"""Free previews: shown before a paid message is bought."""

import httpx
import pytest

from tests.media.conftest import PNG, upload
from tests.people import Person, add_fan, connect
from tests.sending import drain
from tests.servers import Sandbox


@pytest.fixture
def thread(ada: Person, sandbox: Sandbox) -> int:
    connect(ada, sandbox.url, account="acct_previews")
    return ada.post("/api/crm/conversations", {"fanId": add_fan(ada)["id"]})["id"]


def say(ada: Person, thread: int, status: int, price: int, *attachments: dict):
    body = {"text": "for you", "priceCents": price, "attachments": list(attachments)}
    return ada.post(f"/api/crm/conversations/{thread}/messages", body, status)


def on_the_platform(sandbox: Sandbox) -> dict:
    """The newest message of the chat, as the platform has it."""
    address = f"{sandbox.url}/api/acct_previews/chats/100000001/messages"
    headers = {"Authorization": "Bearer sandbox-test"}
    return httpx.get(address, headers=headers, trust_env=False).raise_for_status().json()["data"][0]


def test_previews_reach_the_platform_as_previews(app, ada: Person, sandbox: Sandbox, thread: int):
    shown, hidden = upload(ada, PNG + b"1"), upload(ada, PNG + b"2")
    attachments = [
        {"url": shown["url"], "preview": True},
        {"url": hidden["url"]},
        {"url": "platform:77", "preview": True},
    ]
    message = say(ada, thread, 202, 2000, *attachments)
    assert [set(each) for each in message["attachments"]] == [
        {"type", "url", "name", "preview"},
        {"type", "url", "name"},
        {"type", "url", "name", "preview"},
    ]
    drain(app)
    there = on_the_platform(sandbox)
    media = [each["id"] for each in there["media"]]
    assert there["previews"] == [media[0], 77]
    assert (len(media), there["price"]) == (3, 20)


def test_without_a_price_all_is_shown_and_nothing_is_a_preview(app, ada: Person, sandbox: Sandbox, thread: int):
    say(ada, thread, 202, 0, {"url": upload(ada)["url"], "preview": True})
    drain(app)
    there = on_the_platform(sandbox)
    assert (len(there["media"]), there["previews"], there["price"]) == (1, [], 0)


def test_something_must_be_left_to_buy(ada: Person, thread: int):
    url = upload(ada)["url"]
    for attachments in ([{"url": url, "preview": True}], [{"url": url, "preview": True}, {"url": url}]):
        answer = say(ada, thread, 400, 2000, *attachments)
        assert answer["errors"] == [
            {
                "field": "attachments",
                "message": "Nothing is left to buy: at least one attachment must not be a free preview.",
            }
        ]
    assert ada.get(f"/api/crm/conversations/{thread}/messages")["total"] == 0


@pytest.mark.parametrize("said", ["yes", 1, None, "true"])
def test_a_preview_is_true_or_false(ada: Person, thread: int, said):
    answer = say(ada, thread, 400, 2000, {"url": upload(ada)["url"], "preview": said}, {"url": "platform:7"})
    assert answer["errors"][0]["field"] == "attachments.0.preview"


def test_the_same_message_again_is_the_same_with_its_previews(ada: Person, thread: int):
    url = upload(ada)["url"]
    body = {
        "text": "x",
        "priceCents": 500,
        "clientMessageId": "k",
        "attachments": [{"url": url}, {"url": "platform:7"}],
    }
    first = ada.post(f"/api/crm/conversations/{thread}/messages", body, 202)
    body["attachments"][0]["preview"] = False
    assert ada.post(f"/api/crm/conversations/{thread}/messages", body, 202)["id"] == first["id"]
    body["attachments"][0]["preview"] = True
    assert ada.post(f"/api/crm/conversations/{thread}/messages", body, 422)["errors"][0]["field"] == "clientMessageId"


def test_the_price_range_is_said_in_dollars_and_cents(ada: Person, thread: int):
    answer = say(ada, thread, 400, 299, {"url": "platform:7"})
    assert answer["errors"][0]["message"] == "The price must be 0 or $3.00 to $200.00 (300 to 20000 cents)."
