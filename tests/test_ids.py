"""Ids that stand in an address or a form: what no row can have is nobody's, and no fault of ours."""

import pytest

from app.database import LARGEST_ID
from app.web import id_in
from tests.people import Person, add_fan, csrf_of

NOBODYS = ("", "x", "-1", "1.5", "٣x", "9" * 19, str(-(10**20)), "9" * 30, "9" * 5000)


def test_an_id_is_a_number_that_a_row_can_have():
    assert [id_in(text) for text in (None, *NOBODYS)] == [0] * (1 + len(NOBODYS))
    assert (id_in("7"), id_in("9" * 18)) == (7, 10**18 - 1)
    assert id_in("9" * 18) < LARGEST_ID


@pytest.fixture
def thread(ada: Person) -> str:
    conversation = ada.post("/api/crm/conversations", {"fanId": add_fan(ada)["id"]})["id"]
    return f"/messages/onlyfans/{conversation}"


@pytest.mark.parametrize("number", NOBODYS)
def test_whatever_stands_for_an_id_is_answered(ada: Person, thread: str, number: str):
    browser = ada.browser()
    for address in (
        f"/messages/onlyfans/next?after={number}", f"{thread}?at={number}", f"{thread}?reply={number}",
        f"{thread}/older?before={number}", f"{thread}/newer?after={number}", f"/segments/count?id={number}",
        f"/campaigns/new?like={number}",
    ):  # fmt: skip
        assert browser.get(address).status_code in (200, 302, 404), address
    token = {"csrf_token": csrf_of(browser, thread)}
    for address, fields in (
        (thread, {"text": "Hello", "mode": "reply", "seen": number}), (f"{thread}/read", {"seen": number}),
        ("/messages/onlyfans/triage", {"which": "ticked", "do": "archive", "ids": number}),
        ("/messages/onlyfans/triage/undo", {"action": number}), (f"{thread}/triage", {"do": f"assign:{number}"}),
        ("/account", {"account_id": number}),
    ):  # fmt: skip
        assert browser.post(address, data=token | fields).status_code < 500, address
