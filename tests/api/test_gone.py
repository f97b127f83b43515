"""What is deleted stays deleted: for who still knows its address, and for who asks in that very moment."""

from collections import Counter
from collections.abc import Callable

import pytest

from tests.campaigns.test_at_once import at_once
from tests.media.conftest import upload
from tests.people import Person, add_fan

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
