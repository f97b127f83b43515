"""A fan's form: what stands in it is what is kept, if nobody changes it."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from app.fans.forms import join_tags, split_tags
from tests.people import Person, add_fan, submit

TAGS = st.lists(st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(', "'), min_size=1, max_size=12))


@given(TAGS)
def test_tags_come_back_as_they_were(tags: list[str]):
    tags = [tag.strip() for tag in tags if tag.strip()]
    assert split_tags(join_tags(tags)) == tags


def test_tags_are_taken_as_people_type_them():
    assert split_tags('VIP, paris , ,"Paris, France",') == ["VIP", "paris", "Paris, France"]
    assert split_tags('5" heels, "open') == ['5" heels', "open"]
    assert split_tags("") == []
    assert split_tags("one\r\ntwo") == ["one two"]


def test_a_tag_with_a_comma_outlives_its_fans_form(ada: Person):
    fan = add_fan(ada, 1, name="Zoë", tags=["VIP", "Paris, France"])["id"]
    browser = ada.browser()
    assert 'value="&#34;Paris, France&#34;, VIP"' in browser.get(f"/fans/{fan}").text
    saved = submit(browser, f"/fans/{fan}", name="Zoë B", tags='VIP, "Paris, France"')
    assert saved.status_code == 302
    assert ada.get(f"/api/crm/fans/{fan}")["tags"] == ["Paris, France", "VIP"]


def opened(browser: FlaskClient, fan: int) -> dict[str, str]:
    """What the page sends if nobody changes anything."""
    form = form_for_page(browser.get(f"/fans/{fan}").text)
    return {
        name: form[name] for name in ("shown", "name", "handle", "phone", "tags", "notes", "platform_fan_id", "value")
    }


def form_for_page(page: str) -> dict[str, str]:
    fields = {
        name: unescape(value) for name, value in re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page)
    }
    notes = re.search(r'<textarea[^>]* name="notes"[^>]*>\r?\n?([^<]*)</textarea>', page)
    assert notes
    return fields | {"notes": unescape(notes[1]).replace("\n", "\r\n")}


def test_what_somebody_left_as_it_was_is_not_written_over_what_changed_meanwhile(ada: Person):
    fan = add_fan(ada, 1, notes="one\ntwo", phone="1", valueCents=500)["id"]
    browser = ada.browser()
    said = opened(browser, fan)
    ada.put(f"/api/crm/fans/{fan}", {"tags": ["vip"], "notes": "likes cats", "doNotMessage": True, "valueCents": 700})
    assert submit(browser, f"/fans/{fan}", **said | {"phone": "2"}, do_not_message="y").status_code == 302
    now = ada.get(f"/api/crm/fans/{fan}")
    assert (now["tags"], now["notes"], now["phone"]) == (["vip"], "likes cats", "2")
    assert (now["valueCents"], now["doNotMessage"]) == (700, True)


def test_tags_of_two_people_stand_side_by_side(ada: Person):
    fan = add_fan(ada, 1, tags=["old", "both"])["id"]
    browser = ada.browser()
    said = opened(browser, fan)
    ada.put(f"/api/crm/fans/{fan}", {"tags": ["old", "both", "theirs"]})
    assert submit(browser, f"/fans/{fan}", **said | {"tags": "both, mine"}).status_code == 302
    assert ada.get(f"/api/crm/fans/{fan}")["tags"] == ["both", "mine", "theirs"]


def test_who_changes_what_somebody_changed_meanwhile_is_asked_once(ada: Person):
    fan = add_fan(ada, 1, notes="as it was", phone="1")["id"]
    browser = ada.browser()
    said = opened(browser, fan) | {"notes": "mine"}
    ada.put(f"/api/crm/fans/{fan}", {"notes": "theirs", "phone": "2"})
    refused = submit(browser, f"/fans/{fan}", **said)
    assert refused.status_code == 409
    assert "Somebody changed this meanwhile, to: theirs. Save again to keep yours." in refused.text
    again = form_for_page(refused.text)
    assert again["notes"] == "mine"
    assert ada.get(f"/api/crm/fans/{fan}")["notes"] == "theirs"
    assert submit(browser, f"/fans/{fan}", **said | {"shown": again["shown"]}).status_code == 302
    now = ada.get(f"/api/crm/fans/{fan}")
    assert (now["notes"], now["phone"]) == ("mine", "2")


def test_of_an_amount_that_changed_meanwhile_it_is_said_which(ada: Person):
    fan = add_fan(ada, 1, valueCents=500)["id"]
    browser = ada.browser()
    said = opened(browser, fan) | {"value": "6"}
    ada.put(f"/api/crm/fans/{fan}", {"valueCents": 700})
    assert "Somebody changed this meanwhile, to: $7.00." in submit(browser, f"/fans/{fan}", **said).text


@pytest.mark.parametrize("shown", ["", "x", "[]", '{"tags": [1]}', '{"tags": 1}'])
def test_a_form_that_does_not_say_what_it_showed_is_kept_as_it_is(ada: Person, shown: str):
    fan = add_fan(ada, 1, notes="old")["id"]
    browser = ada.browser()
    assert submit(browser, f"/fans/{fan}", name="Zoë", notes="new\r\nline", shown=shown).status_code == 302
    assert ada.get(f"/api/crm/fans/{fan}")["notes"] == "new\nline"
