"""What is deleted stays deleted: for who still knows its address, and for who asks in that very moment."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.campaigns.test_at_once import at_once
from tests.events import Platform, said
from tests.media.conftest import upload
from tests.people import Person, add_fan
from tests.sending import drain

ROUNDS = 6
RULE = {"match": "all", "rules": []}


def asks(person: Person, method: str, path: str, body: dict | None = None) -> Callable[[], int]:
    return lambda: person.call(method, path, **({"json": body} if body else {})).status_code


def test_the_address_of_a_deleted_thread_leads_to_no_other(ada: Person, connected):
    first = add_fan(ada, 1)["id"]
    thread = ada.post("/api/crm/conversations", {"fanId": first})["id"]
    ada.call("DELETE", f"/api/crm/fans/{first}")
    second = add_fan(ada, 2)["id"]
    assert ada.post("/api/crm/conversations", {"fanId": second})["id"] > thread
    assert asks(ada, "POST", f"/api/crm/conversations/{thread}/messages", {"text": "For the first alone"})() == 404


def test_a_fan_who_is_changed_and_deleted_in_the_same_moment_is_found_or_not(ada: Person):
    for number in range(1, ROUNDS):
        path = f"/api/crm/fans/{add_fan(ada, number)['id']}"
        changes = [asks(ada, "PUT", path, {"name": f"Name {each}", "tags": ["a", f"b{each}"]}) for each in range(3)]
        *changed, gone, again = at_once(*changes, asks(ada, "DELETE", path), asks(ada, "DELETE", path), begins=number)
        assert set(changed) <= {200, 404}
        assert Counter((gone, again)) == {204: 1, 404: 1}
        assert asks(ada, "GET", path)() == 404


def test_tags_that_several_put_in_the_same_moment_are_those_of_one(ada: Person):
    for number in range(1, ROUNDS):
        path = f"/api/crm/fans/{add_fan(ada, number)['id']}"
        sets = [["same", f"tag{each}"] for each in range(4)]
        assert at_once(*(asks(ada, "PUT", path, {"tags": each}) for each in sets)) == [200] * 4
        assert ada.get(path)["tags"] in sets


def test_a_message_to_a_fan_who_is_deleted_in_the_same_moment_is_taken_or_not(ada: Person, connected):
    for number in range(1, ROUNDS):
        fan = add_fan(ada, number)["id"]
        thread = ada.post("/api/crm/conversations", {"fanId": fan})["id"]
        answer = asks(ada, "POST", f"/api/crm/conversations/{thread}/messages", {"text": "Hello"})
        sent = asks(ada, "POST", "/api/onlyfans/messages/send", {"recipientId": fan, "content": "Hello"})
        *said, gone = at_once(answer, sent, answer, asks(ada, "DELETE", f"/api/crm/fans/{fan}"), begins=number)
        assert set(said) <= {202, 404}
        assert gone == 204


def test_a_segment_that_is_changed_and_deleted_in_the_same_moment_is_found_or_not(ada: Person):
    for number in range(1, ROUNDS):
        path = f"/api/segments/{ada.post('/api/segments', {'name': f'Segment {number}', 'rule': RULE})['id']}"
        changes = [asks(ada, "PUT", path, {"name": f"Other {number}"}) for _ in range(2)]
        *changed, gone, again = at_once(*changes, asks(ada, "DELETE", path), asks(ada, "DELETE", path), begins=number)
        assert set(changed) <= {200, 404}
        assert Counter((gone, again)) == {204: 1, 404: 1}


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer wrong"}, None])
def test_media_answer_programs_as_the_api_does(ada: Person, eve: Person, headers: dict | None):
    address = upload(eve)["url"]
    answer = ada.call("GET", address, headers=headers) if headers else ada.call("GET", address)
    assert answer.status_code == (401 if headers else 404)
    assert answer.mimetype == "application/problem+json"
    assert ada.app.test_client().get(address).status_code == 302


def test_of_a_deleted_fan_no_message_waits_for_a_decision(app, ada: Person, connected):
    fans = [add_fan(ada, number)["id"] for number in (1, 2)]
    ada.post("/api/messages/bulk", {"recipientIds": fans, "content": "Hello"}, 202)
    connected.faults(refuse=1)
    drain(app)
    connected.faults()
    assert ada.get("/api/onlyfans/messages/failed")["total"] == 2
    ada.call("DELETE", f"/api/crm/fans/{fans[0]}")
    assert [each["fanId"] for each in ada.get("/api/onlyfans/messages/failed")["messages"]] == [fans[1]]
    assert ada.get("/api/onlyfans/messages/status")["failed"] == 1
    assert ada.get("/api/campaigns")["campaigns"][0]["metrics"]["failed"] == 2


def test_what_came_from_the_fan_is_neither_sent_again_nor_settled(ada: Person, platform: Platform):
    platform.tell("messages.received", said())
    message = ada.get("/api/crm/messages")["messages"][0]["id"]
    assert asks(ada, "POST", f"/api/onlyfans/messages/{message}/retry")() == 409
    assert asks(ada, "POST", f"/api/onlyfans/messages/{message}/settle", {"outcome": "sent"})() == 409
    assert asks(ada, "POST", f"/api/onlyfans/messages/{message + 1}/retry")() == 404


def test_a_campaigns_name_is_not_blank(ada: Person, connected):
    body = {"recipientIds": [add_fan(ada)["id"]], "content": "Hello", "campaignName": "  "}
    answer = ada.call("POST", "/api/messages/bulk", json=body)
    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == "campaignName"


def test_who_has_written_too_much_may_still_give_the_token_back(app, ada: Person, monkeypatch):
    monkeypatch.setitem(app.config, "LIMIT_WRITES", "2 per minute")
    refused = [asks(ada, "POST", "/api/crm/fans", {"name": "x"})() for _ in range(3)]
    assert refused == [201, 201, 429]
    assert asks(ada, "POST", "/api/segments/count", {"rule": RULE})() == 200
    assert asks(ada, "DELETE", "/api/auth/token")() == 204
