"""The page and its rows, and what programs are told: of nothing, of wrong dates and zones, of another account."""

import csv
import html
import io
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine

from app.analytics.cards import FIGURES
from app.analytics.periods import Period, preset, read_period
from app.formats import money
from app.zones import find_zone
from tests.analytics.books import write_books
from tests.people import Person

ANALYTICS, PAGE = "/api/analytics/onlyfans", "/platforms/onlyfans/analytics"
KPIS = {
    "revenueCents", "netCents", "newFans", "activeFans", "messagesIn", "messagesOut", "answerRate", "medianAnswerSeconds",
    "paidMessagesSold", "unlockRate", "averagePerPayingFanCents",
}  # fmt: skip
PARIS = find_zone("Europe/Paris")
HOUR = timedelta(hours=1)
DRAWN = {
    "change": ("Europe/Paris", date(2026, 3, 29)),
    "fans": [timedelta(), HOUR, -4 * HOUR, timedelta(days=-20)],
    "messages": [
        {"fan": 0, "direction": "in", "at": HOUR, "delay": 0},
        {"fan": 0, "direction": "out", "at": 2 * HOUR, "delay": 5, "status": "sent", "campaign": False, "author": True,
         "price": 1500, "bought": True},
        {"fan": 1, "direction": "out", "at": HOUR, "delay": 5, "status": "read", "campaign": True, "author": False,
         "price": 0, "bought": False},
    ],
    "transactions": [
        {"fan": 0, "at": HOUR, "kind": "message", "gross": 1500, "net": 1200, "currency": "USD", "message": 1},
        {"fan": 0, "at": HOUR, "kind": "refund", "gross": -500, "net": None, "currency": "USD", "message": None},
        {"fan": 1, "at": HOUR, "kind": "tip", "gross": 700, "net": None, "currency": "EUR", "message": None},
    ],
}  # fmt: skip


def test_nothing_at_all_is_null_and_not_a_made_up_figure(ada: Person):
    found = ada.get(ANALYTICS)
    assert set(found) == {
        "from", "to", "timezone", "asOf", "kpis", "previous", "trend", "topFans", "campaigns",
    }  # fmt: skip
    assert set(found["kpis"]) == set(found["previous"]) == KPIS
    counts = {"newFans", "activeFans", "messagesIn", "messagesOut", "paidMessagesSold"}
    assert {name for name, value in found["kpis"].items() if value == 0} == counts
    assert {name for name, value in found["kpis"].items() if value is None} == KPIS - counts
    assert len(found["trend"]) == 30
    assert found["trend"][0] == {"start": found["from"], "revenueCents": 0, "byKind": {}}
    page = ada.browser().get(PAGE)
    assert page.status_code == 200
    assert "Nothing in this period" in page.text


def test_page_and_program_say_the_same_of_a_day_without_a_payment(ada: Person):
    """Nothing was paid on it, and that is known: no "–", and no null."""
    books = write_books(ada, DRAWN)
    told = [each["revenueCents"] for each in ada.get(f"{ANALYTICS}?{books.address}")["trend"]]
    page = ada.browser().get(f"{PAGE}?{books.address}").text
    lines = re.findall(r"<tr><th scope=\"row\" data-label.*?</tr>", page, re.DOTALL)
    shown = [re.sub("<[^>]+>", "", line.rpartition('<td class="num">')[2]).strip() for line in lines]
    assert shown == [money(cents) for cents in told]
    assert shown.count("$0.00") == len(told) - 1


@pytest.mark.parametrize("page", ["", "/sold", "/statement"])
def test_the_zone_is_chosen_with_the_period_and_kept_in_links(ada: Person, page: str):
    write_books(ada, DRAWN)
    browser, period = ada.browser(), "from=2026-03-29&through=2026-03-30"
    chooser = browser.get(f"{PAGE}{page}?{period}").text
    assert "<option selected>UTC</option>" in chooser, "the account's"
    assert "<option>Europe/Paris</option>" in chooser
    shown = browser.get(f"{PAGE}{page}?{period}&timezone=Europe/Paris").text
    assert re.findall("<option selected>([^<]+)<", shown) == ["Europe/Paris"]
    links = [html.unescape(each) for each in re.findall(r'href="(/platforms/onlyfans/analytics[^"]*[?][^"]+)"', shown)]
    assert [each for each in links if "timezone=Europe/Paris" not in each] == []
    rows = next(each for each in links if "/rows?" in each)
    export = re.search(r'href="([^"]+rows\.csv[^"]*)"', browser.get(rows).text)[1]
    assert "timezone=Europe/Paris" in export


@pytest.mark.parametrize(
    ("now", "first", "after"),
    [("2026-03-29T21:59Z", "2026-02-28", "2026-03-30"), ("2026-03-29T22:00Z", "2026-03-01", "2026-03-31")],
)
def test_without_dates_it_is_the_last_30_days_of_the_zone(ada: Person, now: str, first: str, after: str):
    with time_machine.travel(datetime.fromisoformat(now), tick=False):
        ada.token = ada.app.test_client().post(
            "/api/auth/token", json={"email": ada.email, "password": "correct horse battery"}
        ).json["accessToken"]  # fmt: skip
        found = ada.get(f"{ANALYTICS}?timezone=Europe/Paris")
    assert (found["from"], found["to"], found["timezone"]) == (first, after, "Europe/Paris")
    assert found["asOf"] == f"{now[:-1]}:00Z"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("from=2026-02-30&to=2026-04-01", "from"),
        ("from=20260201&to=2026-04-01", "from"),
        ("from=2026-01-01&to=tomorrow", "to"),
        ("from=2026-01-01&to=2026-01-01", "from"),
        ("from=2026-01-02&to=2026-01-01", "from"),
        ("from=0001-01-01&to=2026-01-01", "from"),
        ("from=2026-01-01&to=9999-12-31", "to"),
        ("to=1900-01-01", "to"),
        ("from=2026-01-01&to=2026-02-01&timezone=Mars/Olympus", "timezone"),
        ("timezone=../../etc/passwd", "timezone"),
    ],
)
def test_what_is_no_period_is_refused_by_name(ada: Person, said: str, field: str):
    for path in (f"{ANALYTICS}?{said}", f"{ANALYTICS}/export.csv?report=fans&{said}"):
        answer = ada.call("GET", path)
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
        assert [each["field"] for each in answer.json["errors"]] == [field]
    page = ada.browser().get(f"{PAGE}?{said}")
    assert page.status_code == 400
    assert "field-error" in page.text


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ("", "report"), ("report=secrets", "report"), ("report=fans&which=rich", "which"),
        ("report=fans&kind=tip", "kind"), ("report=transactions&fan=x", "fan"),
        ("report=transactions&fan=99999999999999999999", "fan"),
        ("report=transactions&hour=1-09", "hour"), ("report=messages&hour=8-09", "hour"), ("report=messages&hour=1-24", "hour"),
        ("report=messages&hour=1-09&from=2016-01-01&to=2026-01-01", "hour"),
    ],
)  # fmt: skip
def test_rows_that_there_are_not_are_refused_by_name(ada: Person, said: str, field: str):
    answer = ada.call("GET", f"{ANALYTICS}/export.csv?{said}")
    assert (answer.status_code, [each["field"] for each in answer.json["errors"]]) == (400, [field])
    assert ada.browser().get(f"{PAGE}/rows?{said}").status_code == 400


def test_each_card_opens_its_rows_and_their_csv(ada: Person):
    books = write_books(ada, DRAWN)
    browser = ada.browser()
    page = browser.get(f"{PAGE}?{books.address}")
    assert page.status_code == 200
    cards = re.findall(r'class="figure-link[^"]*" href="([^"]+)"', page.text)
    assert len(cards) == len(FIGURES)
    before = re.findall(r'class="figure-(?:change|note)">[^<]*<a href="([^"]+)"', page.text)
    assert len(before) > len(FIGURES) / 2
    in_tables = re.findall(r'<td class="(?:num|heat)[^"]*"><a href="([^"]+)"[^>]*>([^<]+)</a>', page.text)
    assert {"week", "staff", "trend"} <= set(re.findall(r'aria-labelledby="(\w+)-title"', page.text))
    for link, number in [*((each, "") for each in (*cards, *before)), *in_tables]:
        link = html.unescape(link)
        rows = browser.get(link)
        assert rows.status_code == 200, link
        status = re.search(r'role="status">([^<]+)<', rows.text)[1]
        count = int(status.partition(" ")[0])
        assert not number or (f"{number} gross" in status if "$" in number else int(number) == count), (link, number)
        exported = html.unescape(re.search(r'href="([^"]+rows\.csv[^"]*)"', rows.text)[1])
        file = browser.get(exported)
        assert file.mimetype == "text/csv"
        assert len(list(csv.DictReader(io.StringIO(file.text)))) == count, link
    assert "1 payment in EUR is" in page.text
    assert "-$5.00 gross has no net amount" in page.text


def test_a_trend_goes_by_the_step_that_is_chosen(ada: Person):
    books = write_books(ada, DRAWN)
    browser, quarter = ada.browser(), f"from=2026-01-15&to=2026-05-15&timezone={books.zone.key}"
    steps = {"": "week", "day": "day", "week": "week", "month": "month", "year": "week", "hour": "week"}
    for said, step in steps.items():
        page = browser.get(f"{PAGE}?{quarter}&by={said}").text
        assert f"Revenue by {step}</h2>" in page
        assert re.findall(r'by=(\w+)#trend-title"( aria-current="page")?', page) == [
            (each, ' aria-current="page"' if each == step else "") for each in ("day", "week", "month")
        ]
    month = browser.get(f"{PAGE}?from=2026-03-01&to=2026-04-01&by=month").text
    assert "Revenue by month" in month, "of which there is one"


def test_rows_go_from_page_to_page_and_keep_their_filter(ada: Person):
    drawn = DRAWN | {"transactions": [DRAWN["transactions"][0] | {"at": HOUR * n / 10} for n in range(120)]}
    books = write_books(ada, drawn)
    browser, seen = ada.browser(), 0
    link = f"{PAGE}/rows?report=transactions&kind=message&{books.address}"
    while link:
        page = browser.get(link).text
        seen += len(re.findall(r"<tr><td", page))
        found = re.search(r'rel="next" href="([^"]+)"', page)
        link = html.unescape(found[1]) if found else ""
        assert not link or "kind=message" in link
    assert seen == 120


def test_a_list_and_its_file_hold_the_same_also_where_an_address_names_no_part(ada: Person):
    books, browser = write_books(ada, DRAWN), ada.browser()
    for path in ("rows", "rows.csv"):
        answer = browser.get(f"{PAGE}/{path}?report=messages&{books.address}")
        assert answer.text.count("hello") == 1, path
    whole = ada.call("GET", f"{ANALYTICS}/export.csv?report=messages&{books.address}")
    assert whole.text.count("hello") == 3


def test_a_spreadsheet_takes_no_cell_for_a_formula_and_adds_up_refunds(ada: Person):
    books = write_books(ada, DRAWN)
    text = ada.call("GET", f"{ANALYTICS}/export.csv?report=transactions&{books.address}").text
    assert ",'=Fan 0," in text
    assert ",-5.00," in text


def test_of_another_account_nothing_counts_and_no_name_is_told(ada: Person, eve: Person):
    books = write_books(ada, DRAWN)
    fan, campaign = books.fans[0].id, books.campaign_id
    browser = eve.browser()
    for more in (f"report=transactions&fan={fan}", f"report=messages&which=out&campaign={campaign}",
                 f"report=messages&which=out&author={ada.user_id}"):  # fmt: skip
        page = browser.get(f"{PAGE}/rows?{more}&{books.address}")
        assert "0 rows" in page.text
        assert "Fan 0" not in page.text
        assert "Ada" not in page.text
    for report in ("transactions", "fans", "messages", "campaigns"):
        assert len(eve.call("GET", f"{ANALYTICS}/export.csv?report={report}&{books.address}").text.splitlines()) == 1


def test_people_name_the_last_day_that_counts(ada: Person):
    write_books(ada, DRAWN)
    page = ada.browser().get(f"{PAGE}?from=2026-03-01&through=2026-03-31")
    assert "from=2026-03-01&amp;to=2026-04-01" in page.text
    assert ada.browser().get(f"{PAGE}?from=2026-03-01&through=soon").status_code == 400


# --- Periods ---


def a_period(first: str, after: str, zone: str = "Europe/Paris") -> Period:
    return read_period(first, after, zone, "UTC", datetime.now(UTC))


def test_days_begin_at_the_zones_midnight_across_changes_of_the_clocks():
    assert (a_period("2026-03-29", "2026-03-30").end - a_period("2026-03-29", "2026-03-30").start) == 23 * HOUR
    assert (a_period("2026-10-25", "2026-10-26").end - a_period("2026-10-25", "2026-10-26").start) == 25 * HOUR
    lord_howe = a_period("2026-04-05", "2026-04-06", "Australia/Lord_Howe")
    assert lord_howe.end - lord_howe.start == 24.5 * HOUR
    assert lord_howe.slot_seconds == 1800
    # In Beirut clocks went from 23:59:59 to 01:00 that night: the day begins with its first moment.
    assert a_period("2022-03-27", "2022-03-28", "Asia/Beirut").start == datetime(2022, 3, 26, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "after", "step", "count"),
    [
        ("2026-11-01", "2026-12-01", "day", 30),
        ("2026-08-31", "2026-11-29", "week", 13),
        ("2025-01-01", "2026-01-01", "month", 12),
        ("1990-06-01", "2026-01-01", "year", 36),
    ],
)
def test_a_trend_goes_by_steps_that_can_be_seen(first: str, after: str, step: str, count: int):
    period = a_period(first, after)
    steps = period.steps()
    assert (period.step, len(steps)) == (step, count)
    assert (steps[0].first, steps[-1].after) == (period.first, period.after)
    assert all(one.after == next_.first for one, next_ in pairwise(steps))


def test_presets_end_today():
    now = datetime(2026, 3, 1, 0, 30, tzinfo=UTC)
    assert preset("last-month", PARIS, now) == Period(date(2026, 2, 1), date(2026, 3, 1), PARIS)
    assert preset("this-month", PARIS, now) == Period(date(2026, 3, 1), date(2026, 3, 2), PARIS)
    assert preset("7", PARIS, now) == Period(date(2026, 2, 23), date(2026, 3, 2), PARIS)
