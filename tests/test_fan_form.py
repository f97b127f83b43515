"""A fan's form: what stands in it is what is kept, if nobody changes it."""

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
