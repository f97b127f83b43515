import pytest

from tests.people import Person, add_fan, connect

MESSAGE = {
    "id", "conversationId", "fanId", "direction", "text", "priceCents", "attachments", "status", "statusReason",
    "campaignId", "clientMessageId", "platformMessageId", "purchased", "createdAt", "sentAt",
}  # fmt: skip


@pytest.fixture
def thread(ada: Person, sandbox) -> str:
    connect(ada, sandbox.url)
    conversation = ada.post("/api/crm/conversations", {"fanId": add_fan(ada)["id"]})
    return f"/api/crm/conversations/{conversation['id']}"


def test_a_conversation_is_made_once(ada: Person):
    fan = add_fan(ada)
    made = ada.call("POST", "/api/crm/conversations", json={"fanId": fan["id"]})
    again = ada.call("POST", "/api/crm/conversations", json={"fanId": fan["id"]})
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json == again.json
    assert made.json["lastMessage"] is None
    assert set(made.json["fan"]) == {"id", "name", "handle", "avatarUrl", "valueCents"}


def test_a_message_is_queued_and_shown(ada: Person, thread: str):
    message = ada.post(f"{thread}/messages", {"text": "hi", "clientMessageId": "c1"}, 202)
    assert set(message) == MESSAGE | {"estimatedSendTime"}
    assert (message["status"], message["direction"], message["clientMessageId"]) == ("queued", "out", "c1")
    found = ada.get(f"{thread}/messages")
    assert found["total"] == 1
    assert set(found["messages"][0]) == MESSAGE
    listed = ada.get("/api/crm/conversations")["conversations"][0]
    assert listed["lastMessage"]["id"] == message["id"]
    assert listed["lastMessageAt"] == message["createdAt"]


def test_a_client_message_id_makes_one_message(ada: Person, thread: str):
    first = ada.post(f"{thread}/messages", {"text": "hi", "clientMessageId": "c1"}, 202)
    again = ada.post(f"{thread}/messages", {"text": "hi", "clientMessageId": "c1"}, 202)
    assert first["id"] == again["id"]
    other = ada.call("POST", f"{thread}/messages", json={"text": "ho", "clientMessageId": "c1"})
    assert other.status_code == 422
    assert ada.get(f"{thread}/messages")["total"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "  \n"}, "text"),
        ({"text": "x" * 5001}, "text"),
        ({"text": "x", "priceCents": 500}, "priceCents"),
        ({"text": "x", "priceCents": -1}, "priceCents"),
        ({"text": "x", "priceCents": 299, "attachments": [{"url": "platform:1"}]}, "priceCents"),
        ({"text": "x", "priceCents": 20001, "attachments": [{"url": "platform:1"}]}, "priceCents"),
        ({"text": "x", "attachments": [{"url": "ftp://x"}]}, "attachments.0.url"),
        ({"text": "x", "attachments": [{"url": "https://127.0.0.1/a.png"}]}, "attachments.0.url"),
        ({"text": "x", "attachments": [{"url": "https://localhost/a.png"}]}, "attachments.0.url"),
        ({"text": "x", "attachments": [{"url": "https://[::1]/a.png"}]}, "attachments.0.url"),
        ({"text": "x", "attachments": [{"url": "http://example.com/a.png"}]}, "attachments.0.url"),
        ({"text": "x", "attachments": ["/media/1"]}, "attachments.0"),
        ({"text": "x", "clientMessageId": ""}, "clientMessageId"),
        ({"text": "x", "txet": "y"}, "txet"),
    ],
)
def test_bad_messages_name_their_field_and_change_nothing(ada: Person, thread: str, body, field):
    answer = ada.call("POST", f"{thread}/messages", json=body)
    assert answer.status_code == 400, answer.text
    assert field in [error["field"] for error in answer.json["errors"]], answer.json
    assert ada.get(f"{thread}/messages")["total"] == 0


def test_an_attachment_may_stand_without_text(ada: Person, thread: str):
    body = {"text": "", "priceCents": 300, "attachments": [{"type": "photo", "url": "platform:123"}]}
    message = ada.post(f"{thread}/messages", body, 202)
    assert message["attachments"] == [{"type": "photo", "url": "platform:123", "name": ""}]


def test_every_way_to_page_a_thread_is_oldest_first(ada: Person, thread: str):
    ids = [ada.post(f"{thread}/messages", {"text": str(number)}, 202)["id"] for number in range(7)]

    def page(query: str) -> list[int]:
        return [message["id"] for message in ada.get(f"{thread}/messages?{query}")["messages"]]

    assert page("") == ids
    assert page("limit=2") == ids[:2]
    assert page("limit=2&offset=3") == ids[3:5]
    assert page("limit=2&latest=true") == ids[-2:]
    assert page(f"limit=2&before={ids[4]}") == ids[2:4]
    assert page(f"limit=2&after={ids[4]}") == ids[5:7]
    assert page("offset=100") == []
    for bad in ("limit=0", "limit=201", "offset=-1", "before=999999", "after=x"):
        answer = ada.call("GET", f"{thread}/messages?{bad}")
        assert answer.status_code == 400, bad
        assert answer.json["errors"][0]["field"] == bad.partition("=")[0]


def test_conversations_come_newest_first_and_empty_ones_last(ada: Person, sandbox):
    connect(ada, sandbox.url)
    fans = [add_fan(ada, number) for number in range(1, 4)]
    made = [ada.post("/api/crm/conversations", {"fanId": fan["id"]})["id"] for fan in fans]
    ada.post(f"/api/crm/conversations/{made[0]}/messages", {"text": "first"}, 202)
    ada.post(f"/api/crm/conversations/{made[2]}/messages", {"text": "then"}, 202)
    found = ada.get("/api/crm/conversations")
    assert [each["id"] for each in found["conversations"]] == [made[2], made[0], made[1]]
    first = ada.get("/api/crm/conversations?limit=2")
    rest = ada.get(f"/api/crm/conversations?limit=2&cursor={first['nextCursor']}")
    assert [each["id"] for each in first["conversations"] + rest["conversations"]] == [made[2], made[0], made[1]]
    assert ada.get("/api/crm/conversations?search=FAN 2")["total"] == 1
    assert ada.get("/api/crm/conversations?search=@fan3")["total"] == 1
    assert ada.get("/api/crm/conversations?unread=true")["total"] == 0
    assert ada.get("/api/crm/conversations?unread=false")["total"] == 3


def test_archiving_and_reading(ada: Person, thread: str):
    assert ada.put(thread, {"archived": True})["archived"] is True
    assert ada.put(thread, {"archived": False})["archived"] is False
    assert ada.call("POST", f"{thread}/read").status_code == 204


def test_words_in_messages_are_found(ada: Person, thread: str):
    ada.post(f"{thread}/messages", {"text": "The Sea at 100%"}, 202)
    ada.post(f"{thread}/messages", {"text": "the hills"}, 202)
    assert ada.get("/api/crm/messages?search=sea")["total"] == 1
    assert ada.get("/api/crm/messages?search=THE")["total"] == 2
    assert ada.get("/api/crm/messages", query_string={"search": "%"})["total"] == 1


def test_a_removed_fan_takes_thread_and_messages_along_and_the_books_stay(ada: Person, sandbox):
    connect(ada, sandbox.url)
    fan, other = add_fan(ada, 1), add_fan(ada, 2)
    conversation = ada.post("/api/crm/conversations", {"fanId": fan["id"]})
    bulk = ada.post("/api/messages/bulk", {"recipientIds": [fan["id"], other["id"]], "content": "x"}, 202)
    reply = ada.post(f"/api/crm/conversations/{conversation['id']}/messages", {"text": "hi"}, 202)
    assert ada.call("DELETE", f"/api/crm/fans/{fan['id']}").status_code == 204
    assert ada.call("GET", f"/api/crm/conversations/{conversation['id']}/messages").status_code == 404
    assert ada.call("GET", f"/api/onlyfans/messages/{reply['id']}").status_code == 404
    campaign = ada.get(f"/api/campaigns/{bulk['campaignId']}")
    metrics = campaign["metrics"]
    assert (metrics["recipients"], metrics["cancelled"], metrics["queued"]) == (2, 1, 1)
    ledger = ada.get(f"/api/campaigns/{bulk['campaignId']}/recipients")
    assert [(line["fanId"], line["status"]) for line in ledger["recipients"]] == [
        (None, "cancelled"),
        (other["id"], "queued"),
    ]
