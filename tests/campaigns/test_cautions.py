"""What the composer says before a campaign goes: nights, purchases, what three fans read, prices, forbidden words."""

import re
from html import unescape

import pytest
from flask.testing import FlaskClient

from app.accounts.models import Account
from app.campaigns.cautions import forbidden_in
from app.conversations.actions import FILELESS
from app.database import db, write
from app.fans.models import Fan
from app.platforms.models import Connection
from tests.campaigns import files
from tests.campaigns.composer import newest, post
from tests.people import Person, add_fan

NOON = "2099-06-10T12:00"  # of the account, whose zone is UTC where nothing else is said


def outlook(browser: FlaskClient, **fields: str) -> str:
    answer = post(browser, "/campaigns/outlook", **{"audience": "all"} | fields)
    assert answer.status_code == 200
    return unescape(answer.text)


def said(page: str, words: str) -> str | None:
    """How many fans the page says this of, like "2 fans"."""
    found = re.search(rf"(\d+ fans?) {re.escape(words)}", page)
    return found and found[1]


def add_living_in(ada: Person, number: int, zone: str | None, **values: object) -> int:
    fan = add_fan(ada, number, **values)["id"]
    with ada.app.app_context(), write():
        db.session.get_one(Fan, fan).timezone = zone
    return fan


def set_zone(ada: Person, zone: str) -> None:
    with ada.app.app_context(), write():
        db.session.get_one(Account, ada.account_id).timezone = zone


def change_connection(ada: Person, **values: dict[str, int]) -> None:
    connection = ada.get("/api/connections")["connections"][0]["id"]
    ada.put(f"/api/connections/{connection}", values)


# --- Nights ---


def at_night(browser: FlaskClient, **fields: str) -> str | None:
    page = outlook(browser, **{"when": "later", "send_time": NOON} | fields)
    return said(page, "would get it between 22:00 and 8:00.")


@pytest.mark.parametrize(
    ("zone", "send_time", "is_night"),
    [
        ("Australia/Brisbane", "2099-06-10T11:59", False),  # ten hours ahead: 21:59
        ("Australia/Brisbane", "2099-06-10T12:01", True),
        ("America/New_York", "2099-06-10T11:59", True),  # four hours behind: 7:59
        ("America/New_York", "2099-06-10T12:01", False),
        ("America/New_York", "2099-01-10T12:59", True),  # in winter five
        ("America/New_York", "2099-01-10T13:01", False),
        ("Asia/Kathmandu", "2099-06-10T16:14", False),  # five hours and three quarters ahead
        ("Asia/Kathmandu", "2099-06-10T16:16", True),
        (None, "2099-06-10T21:59", False),
        (None, "2099-06-10T22:01", True),
    ],
)
def test_it_is_night_from_ten_to_eight_where_the_fan_lives(
    browser: FlaskClient, ada: Person, zone: str | None, send_time: str, is_night: bool
):
    add_living_in(ada, 1, zone)
    assert at_night(browser, send_time=send_time) == ("1 fan" if is_night else None)


@pytest.mark.parametrize(
    ("send_time", "is_night"),
    [("2099-06-10T22:00", True), ("2099-06-10T08:00", False), ("2099-06-10T21:00", False), ("2099-06-10T07:45", True)],
)
def test_sharp_at_ten_the_night_begins_and_sharp_at_eight_it_is_over(
    browser: FlaskClient, ada: Person, send_time: str, is_night: bool
):
    """The times that people choose."""
    add_living_in(ada, 1, None)
    assert at_night(browser, send_time=send_time) == ("1 fan" if is_night else None)


def test_no_campaign_is_done_before_it_begins(browser: FlaskClient, ada: Person):
    add_living_in(ada, 1, None)
    page = outlook(browser, when="later", send_time="2099-06-10T22:00")
    done = re.search(r'Done about <time datetime="([^"]+)"', page)
    assert done
    assert done[1] >= "2099-06-10T22:00:00Z"


def test_those_who_sleep_are_counted_and_those_who_are_awake_are_not(browser: FlaskClient, ada: Person):
    zones = ("Pacific/Auckland", "America/Los_Angeles", "America/Chicago", "Europe/Paris", "Asia/Tokyo", None)
    for number, zone in enumerate(zones, 1):  # 0:00, 5:00, 7:00; 14:00, 21:00, 12:00
        add_living_in(ada, number, zone)
    add_living_in(ada, 7, "Pacific/Auckland", doNotMessage=True)
    assert at_night(browser) == "3 fans"
    assert at_night(browser, quiet_from="22:00", quiet_to="08:00") is None, "they will be let sleep"


def test_whose_zone_is_not_known_lives_by_the_clock_of_the_account(browser: FlaskClient, ada: Person):
    set_zone(ada, "Asia/Tokyo")
    add_living_in(ada, 1, None)
    add_living_in(ada, 2, "Europe/Paris")  # seven hours behind
    assert at_night(browser, send_time="2099-06-10T23:00") == "1 fan"
    assert at_night(browser, send_time="2099-06-10T06:00") == "2 fans"
    assert at_night(browser, send_time="2099-06-10T16:00") is None


def test_a_slow_one_comes_to_the_last_fans_at_night(browser: FlaskClient, ada: Person):
    change_connection(ada, pace={"limit": 1, "windowSeconds": 3600})
    fans = [add_living_in(ada, number, None, valueCents=1000 - number) for number in range(1, 5)]
    evening = {"send_time": "2099-06-10T20:30"}
    assert at_night(browser, **evening) == "2 fans", "20:30, 21:30, and then two more"
    assert at_night(browser, **evening, at_most="2") is None
    with ada.app.app_context(), write():
        db.session.get_one(Fan, fans[3]).timezone = "America/Los_Angeles"  # 16:30
    assert at_night(browser, **evening) == "1 fan"


# --- Who bought it before ---


def test_who_bought_one_of_the_files_is_counted_once_and_nobody_else(browser: FlaskClient, ada: Person):
    names = ("bought", "twice", "free", "locked", "other", "outside")
    fans = {
        name: add_fan(ada, number, tags=[] if name == "outside" else ["VIP"])["id"]
        for number, name in enumerate(names, 1)
    }
    one, two, other = (files.upload(ada, name) for name in ("one", "two", "other"))
    for name, file in (("bought", one), ("twice", one), ("twice", two), ("other", other), ("outside", one)):
        files.buy(ada, files.send(ada, fans[name], file, price_cents=500))
    files.send(ada, fans["free"], one)
    files.send(ada, fans["locked"], one, price_cents=500)
    words = "bought one of these files before."
    both = {"media": [one, two]}
    assert said(outlook(browser, audience="tag:VIP", **both), words) == "2 fans"
    assert said(outlook(browser, audience="all", **both), words) == "3 fans"
    assert said(outlook(browser, audience="tag:VIP", media=two), words) == "1 fan"
    assert said(outlook(browser, audience="tag:VIP"), words) is None
    assert said(outlook(browser, audience="tag:VIP", had_media="y", **both), words) is None, "they are left out"


# --- What they read ---


def readings(page: str) -> list[tuple[str, str]]:
    """Of each example, whose it is and what it says."""
    figures = re.findall(r"<figcaption>.*?([^<>]+)</figcaption>\s*<blockquote[^>]*>(.*?)</blockquote>", page, re.S)
    return [(name.strip(), text) for name, text in figures]


def test_three_fans_are_shown_with_their_own_text_the_most_valuable_first(browser: FlaskClient, ada: Person):
    for number, name in enumerate(("Zoë Lang", "Bob Day", "u77", "Mia Wu", "Kim Lee"), 1):
        add_fan(ada, number, name=name, valueCents=1000 - number, doNotMessage=name == "Bob Day")
    page = outlook(browser, text="Hi {{first_name|love}}!")
    assert readings(page) == [("Zoë Lang", "Hi Zoë!"), ("u77", "Hi love!"), ("Mia Wu", "Hi Mia!")]


def test_wordings_take_turns_in_what_is_shown(browser: FlaskClient, ada: Person):
    for number in range(1, 4):
        add_fan(ada, number, name=f"Mia {number}", valueCents=1000 - number)
    page = outlook(browser, text="Hi {{name}}", **{"wordings-0": "Ho {{name}}"})
    assert [text for _, text in readings(page)] == ["Hi Mia 1", "Ho Mia 2", "Hi Mia 3"]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_of_fewer_fans_as_many_are_shown_as_there_are(browser: FlaskClient, ada: Person, count: int):
    for number in range(1, count + 1):
        add_fan(ada, number, name=f"Mia {number}", valueCents=1000 - number)
    page = outlook(browser, text="Hi {{name}}")
    assert [text for _, text in readings(page)] == [f"Hi Mia {number}" for number in range(1, count + 1)]
    assert ("What they read" in page) == bool(count)


# --- Prices and words ---


@pytest.mark.parametrize(
    ("price", "is_right"), [("4.99", False), ("5", True), ("50", True), ("50.01", False), ("0", True)]
)
def test_a_price_outside_the_range_of_the_connection_is_said_and_does_not_start(
    browser: FlaskClient, ada: Person, price: str, is_right: bool
):
    add_fan(ada, 1)
    change_connection(ada, priceRange={"minCents": 500, "maxCents": 5000})
    fields = {"audience": "all", "price": price, "media": files.upload(ada, "one")}
    assert ("The price must be 0 or $5.00 to $50.00." in outlook(browser, **fields)) == (not is_right)
    answer = post(browser, **fields)
    assert answer.status_code == (302 if is_right else 400)
    assert (">The price must be 0 or $5.00 to $50.00.<" in answer.text) == (not is_right)
    assert newest(ada)["metrics"]["recipients"] == is_right


def test_a_price_without_a_file_is_said(browser: FlaskClient):
    assert FILELESS in outlook(browser, price="5")


@pytest.mark.parametrize(
    ("word", "text", "is_found"),
    [
        ("meet*", "Let us MEETING up", True),
        ("meet*", "meet", True),
        ("meet*", "unmeet", False),
        ("*meet", "unmeet me", True),
        ("*meet", "meeting", False),
        ("*school*", "of preschoolers", True),
        ("pay*pal", "PayXPal!", True),
        ("pay*pal", "paypal", True),
        ("pay*pal", "pay pal", False),  # letters, no spaces
        ("school", "preschool", False),
        ("school", "(school)", True),
        ("cash app", "my cash app, now", True),
        ("a.b", "axb", False),
        ("a.b", "a.b", True),
        ("c++", "c++ is it", True),
        ("ÉTÉ*", "étés", True),
    ],
)
def test_a_forbidden_word_is_a_word_and_a_star_any_letters(word: str, text: str, is_found: bool):
    assert forbidden_in(text, f"\n  {word} \n\nnever said\n") == ([word] if is_found else [])


def test_forbidden_words_are_looked_for_in_every_wording_and_named_once(browser: FlaskClient, ada: Person):
    with ada.app.app_context(), write():
        db.session.query(Connection).one().forbidden_words = "meet*\r\n*pal\r\nschool"
    page = outlook(browser, text="Meet me", **{"wordings-0": "meeting, by paypal", "wordings-1": "preschool"})
    assert "Forbidden on the platform: meet*, *pal." in page
    assert "Forbidden" not in outlook(browser, text="Preschool", **{"wordings-0": "palace"})
