from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

import pytest
import time_machine
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import Form
from wtforms.validators import NumberRange, Optional

from app import assets, formats, looks
from app.dollars import DollarField
from tests.people import Person, add_fan, submit

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("cents", "text"),
    [
        (0, "$0.00"),
        (5, "$0.05"),
        (123450, "$1,234.50"),
        (-1999, "-$19.99"),
        (9007199254740993, "$90,071,992,547,409.93"),  # beyond what a float holds
        (Decimal("250"), "$2.50"),
        (None, "–"),
    ],
)
def test_money_is_whole_cents_written_as_dollars(cents, text):
    assert formats.money(cents) == text


@pytest.mark.parametrize("wrong", [1.0, Decimal("1.5")])
def test_money_refuses_what_is_not_whole_cents(wrong):
    with pytest.raises(ValueError, match="whole cents"):
        formats.money(wrong)


def test_numbers_have_thousands_separators_and_plurals_their_word():
    assert formats.number(1234567) == "1,234,567"
    assert formats.plural(1, "fan", "fans") == "1 fan"
    assert formats.plural(0, "fan", "fans") == "0 fans"
    assert formats.plural(1200, "fan", "fans") == "1,200 fans"


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize(
    ("moment", "zone", "text"),
    [
        (datetime(2026, 11, 23, 13, 3, tzinfo=UTC), "Europe/Berlin", "14:03 CET"),
        (datetime(2026, 11, 23, 13, 3), "Europe/Berlin", "14:03 CET"),  # noqa: DTZ001 (as SQLite gives it)
        (datetime(2026, 7, 1, 13, 3, tzinfo=UTC), "Europe/Berlin", "1 Jul, 15:03 CEST"),
        (datetime(2025, 7, 1, 13, 3, tzinfo=UTC), "Europe/Berlin", "1 Jul 2025, 15:03 CEST"),
        (datetime(2026, 11, 23, 2, 0, tzinfo=UTC), "America/New_York", "22 Nov, 21:00 EST"),
        (datetime(2026, 11, 23, 13, 3, tzinfo=UTC), "America/Sao_Paulo", "10:03 UTC-03"),
        (datetime(2026, 11, 23, 13, 3, tzinfo=UTC), "Nowhere/Land", "13:03 UTC"),
        (datetime(2026, 11, 23, 13, 3, tzinfo=UTC), "../etc/passwd", "13:03 UTC"),
    ],
)
def test_a_time_is_short_and_names_its_zone(moment, zone, text):
    assert formats.when(moment, zone).endswith(f">{text}</time>")


@time_machine.travel(NOON, tick=False)
def test_a_time_carries_the_moment_in_utc_and_the_full_date():
    html = formats.when(datetime(2026, 11, 23, 13, 3, 9, tzinfo=UTC), "Europe/Berlin")
    assert 'datetime="2026-11-23T13:03:09Z"' in html
    assert 'title="Monday, 23 November 2026, 14:03:09 CET (Europe/Berlin)"' in html


@time_machine.travel(NOON, tick=False)
def test_a_time_can_be_asked_for_in_another_form():
    moment = datetime(2026, 7, 1, 13, 3, tzinfo=UTC)
    assert ">15:03 CEST<" in formats.when(moment, "Europe/Berlin", "time")
    assert ">1 Jul<" in formats.when(moment, "Europe/Berlin", "date")
    assert formats.when(None, "Europe/Berlin") == "–"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Ada Lovelace", "AL"),
        ("ada", "A"),
        ("@moon_child", "MC"),
        ("Ana Maria de la Cruz", "AC"),
        ("Zoë", "Z"),
        ("🦄✨", "?"),
        ("", "?"),
        (None, "?"),
    ],
)
def test_initials(name, letters):
    assert formats.initials(name) == letters


def test_a_name_keeps_its_tint_in_every_process():
    assert formats.tint("Ada Lovelace") == formats.tint("ADA LOVELACE") == "tint-1"
    assert {formats.tint(f"fan {n}") for n in range(200)} == {f"tint-{n}" for n in range(formats.TINTS)}


def test_every_tint_and_tone_is_in_the_stylesheet():
    css = (assets.STATIC / "app.css").read_text()
    assert all(f".tint-{n} " in css for n in range(formats.TINTS))
    assert all(f".state-{tone} " in css or f".state-{tone}\n" in css for _, tone, _ in formats.STATUSES.values())


def test_every_icon_of_a_status_is_in_the_sprite():
    assert {icon for _, _, icon in formats.STATUSES.values()} <= set(assets.ICONS)


def test_a_status_is_known_by_text_and_by_enum_and_an_unheard_of_one_is_shown():
    class State(StrEnum):
        SENT = "sent"

    assert formats.status_look("sent") == formats.status_look(State.SENT) == ("Sent", "good", "check")
    assert formats.status_look("half_done") == ("Half done", "calm", "circle-dashed")


def test_what_workers_render_needs_no_request():
    app = Flask("app", root_path=str(assets.STATIC.parent))
    assets.init_app(app)
    formats.init_app(app)
    looks.init_app(app)
    template = app.jinja_env.from_string(
        '{{ avatar("<b>Eve</b>", "https://cdn.example/a.jpg", "sm") }}{{ icon("check") }}{{ status_badge("unknown") }}'
    )
    html = template.render()
    assert "<b>" not in html
    assert 'src="https://cdn.example/a.jpg"' in html
    assert "icons.svg" in html
    assert "state-warn" in html
    assert "Unknown" in html


class Priced(Form):
    price = DollarField("Price", [Optional(), NumberRange(-10, 1_000)])


@pytest.mark.parametrize(("typed", "cents"), [("3.99", 399), ("3.990", 399), ("3", 300), ("1e2", 10_000), ("", 0)])
def test_an_amount_that_is_typed_is_whole_cents(typed: str, cents: int):
    form = Priced(MultiDict({"price": typed}))
    assert form.validate()
    assert form.price.cents == cents


@pytest.mark.parametrize("typed", ["3.999", "0.001", "0.005", "-0.001"])
def test_a_third_decimal_is_refused_not_rounded(typed: str):
    form = Priced(MultiDict({"price": typed}))
    assert not form.validate()
    assert form.price.errors == ["Enter an amount with at most two decimals, like 3.99."]


@pytest.mark.parametrize("typed", ["x", "NaN", "Infinity"])
def test_what_is_no_amount_is_refused(typed: str):
    assert not Priced(MultiDict({"price": typed})).validate()


def test_a_price_with_a_third_decimal_is_refused_beside_its_field(ada: Person):
    fan = add_fan(ada, 1)["id"]
    answer = submit(ada.browser(), f"/fans/{fan}", name="x", value="3.999")
    assert answer.status_code == 400
    assert "at most two decimals" in answer.text
