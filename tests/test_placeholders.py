"""Texts that are filled in for a fan: what each placeholder gives, what is said of an empty one, and any text at all."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.fans.models import Fan, FanTag
from app.fans.placeholders import KEYS, NAMES, Rendered, parse, written_in

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def fan(tags: tuple[str, ...] = (), **values) -> Fan:
    tag_rows = [FanTag(tag_key=tag.casefold(), tag=tag, account_id=1) for tag in tags]
    made = Fan(account_id=1, **values)
    made.tag_rows = tag_rows
    return made


def render(text: str, **values) -> str:
    return parse(text).render(fan(**values), NOW).text


@pytest.mark.parametrize(
    ("text", "values", "wanted"),
    [
        ("Hi {{name}}!", {"name": "  Taylor   Yılmaz "}, "Hi Taylor Yılmaz!"),
        ("Hi {{first_name}}!", {"name": "Taylor Yılmaz"}, "Hi Taylor!"),
        ("{{handle}}", {"handle": "@taylor"}, "@taylor"),
        ("{{tier}}", {"tags": ("VIP",)}, "VIP"),
        ("{{spent}}", {"value_cents": 123450}, "$1,234.50"),
        ("{{days_since_last_seen}}", {"last_seen_at": NOW - timedelta(days=9, hours=23)}, "9"),
        ("{{days_since_last_seen}}", {"last_seen_at": NOW + timedelta(hours=3)}, "0"),
        ("{{days_since_subscribed}}", {"subscribed_at": NOW - timedelta(days=30)}, "30"),
        ("{{days_since_purchase|many}}", {"last_purchase_at": NOW - timedelta(hours=47)}, "1"),
        ("{{days_since_purchase|many}}", {}, "many"),
        ("{{custom.birthday}}", {"custom": {"Birthday": "May 4"}}, "May 4"),
        ("{{custom.favourite_colour}}", {"custom": {"Favourite Colour": "red"}}, "red"),
        ("{{custom.Favourite Colour}}", {"custom": {"Favourite Colour": "red"}}, "red"),
        ("{{ Name | love }}", {"name": "Mo Ahmed"}, "Mo Ahmed"),
        ("{{ name | my love }}", {}, "my love"),
        ("Hi{{name|}}!", {}, "Hi!"),
        ("{{custom.birthday|soon}}", {"custom": {"birthday": "  "}}, "soon"),
        (r"Write \{{name}}", {"name": "Mo"}, "Write {{name}}"),
        ("{{{name}}}", {"name": "Mo"}, "{Mo}"),
    ],
)
def test_what_is_known_is_filled_in_and_else_the_words_behind_the_bar(text: str, values: dict, wanted: str):
    assert render(text, **values) == wanted


@pytest.mark.parametrize(
    ("name", "handle", "gives"),
    [
        ("Mike", "@mike", "Mike"),
        ("mike", "@mike", ""),
        ("@mike", "@mike", ""),
        ("mike the baker", "@other", "mike the baker"),
        ("u12345678", None, ""),
        ("moon_child", None, ""),
        ("ada@example.com", None, ""),
        ("mike.smith", None, ""),
        ("J.R.", None, "J.R."),
        ("🔥🔥", None, ""),
        ("12 34", None, ""),
        ("Mike 🔥", None, "Mike 🔥"),
        ("Anne-Marie O'Neil", None, "Anne-Marie O'Neil"),
        ("王伟", None, "王伟"),
        (None, "@mike", ""),
    ],
)
def test_nobody_is_greeted_by_a_handle_a_number_or_emoji(name: str | None, handle: str | None, gives: str):
    assert render("{{name|}}", name=name, handle=handle) == gives


@pytest.mark.parametrize(
    ("name", "gives"),
    [
        ("🔥Mike🔥 Smith", "Mike"),
        ("✨ Zoë ❤️", "Zoë"),
        ("J. Smith", ""),
        ("Anne-Marie O'Neil", "Anne-Marie"),
        ("王 伟", "王"),
        ("रवि कुमारी", "रवि"),
        ("कुमारी देवी", "कुमारी"),
        ("u12345678", ""),
    ],
)
def test_a_first_name_is_the_first_word_without_ornaments(name: str, gives: str):
    assert render("{{first_name|}}", name=name) == gives


def test_of_several_tags_none_is_taken_for_the_tier():
    assert render("{{tier|dear}}", tags=("birthday", "VIP")) == "dear"


def test_an_empty_placeholder_stays_and_is_named_once():
    template = parse("{{first_name}}, {{spent}} and {{first_name}}: {{handle}} {{custom.city|home}}")
    rendered = template.render(fan(handle="@mo"), NOW)
    assert rendered == Rendered(
        "{{first_name}}, {{spent}} and {{first_name}}: @mo home", ["{{first_name}}", "{{spent}}"]
    )


def test_names_that_mean_nothing_are_told_and_stay():
    template = parse("{{nmae}} {{custom.}} {{1+1}} {{name}} {{}} {{ }} {{nmae}}")
    assert template.unknown == ["{{nmae}}", "{{custom.}}", "{{1+1}}"]
    assert template.render(fan(name="Mo"), NOW).text == "{{nmae}} {{custom.}} {{1+1}} Mo {{}} {{ }} {{nmae}}"


def test_what_a_fan_is_called_is_never_read_as_a_placeholder():
    assert render("{{name}}", name="{{spent}} Smith", value_cents=5) == "{{spent}} Smith"


def test_a_text_that_goes_out_is_looked_through_for_what_was_meant_to_be_filled_in():
    text = r"{{name}} {{ FIRST_NAME | you }} {{custom.x}} {{nmae}} {{}} \{{spent}} {{name}} {name}"
    assert written_in(text) == ["{{name}}", "{{ FIRST_NAME | you }}", "{{custom.x}}"]


def test_every_name_that_people_are_told_of_is_one():
    assert parse("".join("{{" + name + "}}" for name in NAMES)).unknown == []
    assert {name.partition(".")[0] for name in NAMES} == {key.rstrip(".") for key in KEYS}


@given(st.text().filter(lambda text: "{{" not in text))
@example("{ name } }} | \\ {")
@example("\\{name}\r\n\0")
def test_a_text_without_placeholders_comes_out_as_it_went_in(text: str):
    assert parse(text).render(fan(name="Mo"), NOW) == Rendered(text, [])


PIECES = st.one_of(st.text(), st.sampled_from(["{{", "}}", "|", "\\", "{", "\n", "custom.", *NAMES]))
SAID = st.none() | st.text()


@given(st.lists(PIECES, max_size=30).map("".join), SAID, SAID, st.dictionaries(st.text(), st.text()), st.integers())
def test_rendering_never_raises_and_what_is_empty_still_stands(text: str, name, handle, custom, cents):
    template = parse(text)
    rendered = template.render(fan(name=name, handle=handle, custom=custom, value_cents=cents), NOW)
    assert all(each in rendered.text for each in rendered.empty)
    assert all(each in text for each in [*rendered.empty, *template.unknown])
