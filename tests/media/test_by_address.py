"""Attached by its address: fetched at once, judged like an upload, and refused beside the field."""

import re

import pytest

from app.database import db
from app.media.models import Medium
from tests.people import Person, add_fan, submit
from tests.test_fetching import site, trusted

__all__ = ["site", "trusted"]


@pytest.fixture
def thread(ada: Person) -> str:
    """Its address."""
    return f"/messages/onlyfans/{ada.post('/api/crm/conversations', {'fanId': add_fan(ada)['id']})['id']}"


def kept(person: Person) -> list[tuple[int, str, str]]:
    with person.app.app_context():
        return [(each.account_id, each.name, each.content_type) for each in db.session.query(Medium)]


@pytest.mark.usefixtures("trusted")
def test_what_lies_there_is_kept_and_attached_with_and_without_javascript(ada: Person, thread: str, site: str):
    browser, address = ada.browser(), f"{site}/a.png"
    chip = submit(browser, f"{thread}/media/upload", thread, address=f" {address} ")
    assert re.search(r'name="media" value="/media/\d+"', chip.text)
    page = submit(browser, f"{thread}/compose", thread, text="See", by_address="1", address=address).text
    assert re.search(r'name="media" value="/media/\d+"', page)
    assert "See</textarea>" in page
    assert address not in page
    assert kept(ada) == [(ada.account_id, "a.png", "image/png")] * 2


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/missing", "answered 404"),
        ("/page", "Only pictures, videos and sounds can be sent."),
        ("/to/https://169.254.169.254/latest", "private network"),
        ("/to/http://[::1]:9/a.png", "must be valid"),
    ],
)
def test_what_cannot_be_attached_is_said_beside_the_field(ada: Person, thread: str, site: str, path: str, words: str):
    browser, address = ada.browser(), f"{site}{path}"
    answer = submit(browser, f"{thread}/media/upload", thread, address=address)
    assert answer.mimetype == "text/plain"
    assert answer.status_code in (400, 415)
    assert words in answer.text
    page = submit(browser, f"{thread}/compose", thread, text="See", by_address="1", address=address).text
    fault = re.search(r'id="address-error" role="alert">.*?</div>', page, re.DOTALL)
    assert fault is not None
    assert words in fault[0]
    assert f'value="{address}"' in page
    assert kept(ada) == []


@pytest.mark.parametrize(
    "address",
    [
        "https://127.0.0.1/a.png",
        "http://pictures.example.com/a.png",
        "/media/1",
        "nonsense",
        "https://x.example/" + "a" * 2000,
        f"https://{'a' * 70}.com/x.jpg",
        "https://exa..mple.com/x.jpg",
    ],
)
def test_private_plain_and_senseless_addresses_are_refused(ada: Person, thread: str, address: str):
    answer = submit(ada.browser(), f"{thread}/media/upload", thread, address=address)
    assert answer.status_code == 400
    assert re.search("private network|must be valid|too long|cannot be found", answer.text)
    assert kept(ada) == []


def test_nothing_goes_without_the_file_whose_address_was_only_typed(ada: Person, thread: str):
    answer = submit(ada.browser(), thread, thread, text="See", address="https://pictures.example.com/a.png")
    assert answer.status_code == 400
    assert "This is not attached yet" in answer.text
    assert ada.get(f"/api/crm/conversations/{thread.rpartition('/')[2]}/messages")["messages"] == []


def test_nobody_attaches_to_a_strangers_message(eve: Person, thread: str):
    assert (
        submit(eve.browser(), f"{thread}/media/upload", "/fans/new", address="https://x.example/a.png").status_code
        == 404
    )
