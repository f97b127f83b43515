"""Pages that say why something is not shown: in people's words, with a way back."""

import pytest

from tests.people import Person, make_person


def test_a_page_that_is_not_there_says_so_and_leads_back(ada: Person):
    came_from = {"Referer": "http://localhost/fans?search=x&sort=-name"}
    page = ada.browser().get("/fans/999999", headers=came_from)
    assert page.status_code == 404
    assert "<h1>Nothing is here</h1>" in page.text
    assert 'href="/fans?search=x&amp;sort=-name">Back to the page before</a>' in page.text


@pytest.mark.parametrize("came_from", [{}, {"Referer": "https://elsewhere.example/fans"}, {"Referer": "http://[fans"}])
def test_who_came_from_elsewhere_is_led_to_the_first_page(ada: Person, came_from: dict):
    page = ada.browser().get("/fans/999999", headers=came_from).text
    assert "Back to the page before" not in page
    assert 'href="/">To Greenroom</a>' in page


def test_what_is_wrong_is_said_without_the_name_of_a_field(ada: Person):
    said = "This cursor does not belong to this list."
    page = ada.browser().get("/fans?cursor=nonsense")
    assert (page.status_code, said in page.text, f"cursor: {said}" in page.text) == (400, True, False)


def test_who_may_not_is_told_whom_to_ask(app, ada: Person):
    bob = make_person(app, "bob@example.com", "Ada's account", role="chatter")
    page = bob.browser().get("/campaigns")
    assert page.status_code == 403
    assert "<h1>That is not yours to do</h1>" in page.text
    assert "Ask an owner." in page.text
