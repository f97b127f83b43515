"""A statement whose times name no zone, read by another clock than it was written by: said before anything stands twice."""

import io
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from app.accounts.models import Account
from app.database import db, write
from app.imports import actions as imports
from app.imports.models import Import
from tests import events
from tests.analytics.test_told_twice import HEADER
from tests.events import Platform
from tests.imports.conftest import Importer
from tests.imports.test_import_pages import form_of, rehearsed, run, token_of
from tests.people import Person, add_fan, connect

PERIOD = "/api/analytics/onlyfans?from=2026-10-01&to=2026-11-30&timezone=UTC"
ANONYMOUS = "Transaction ID,Amount,Net,Date,Type\n"
BEGAN = datetime(2026, 10, 19, 9, 5, tzinfo=UTC)  # clocks of Paris go back six days later


def tips(count: int = 10) -> list[dict]:
    """Of one fan, not two alike nor at the same time of the day."""
    return [
        {"number": n, "at": BEGAN + timedelta(days=n, minutes=7 * n), "kind": "tip", "fan": 1, "cents": 500 + n}
        for n in range(count)
    ]


def statement(paid: list[dict], written_in: str, header: str = HEADER, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    who = "fan1," if header == HEADER else ""
    at = [(each["at"] + timedelta(seconds=3)).astimezone(ZoneInfo(written_in)).strftime(form) for each in paid]
    money = [f"{each['cents'] / 100:.2f},{each['cents'] / 100:.2f}" for each in paid]
    return header + "".join(
        f"h{n},{who}{sums},{when},Tip\n" for n, (sums, when) in enumerate(zip(money, at, strict=True))
    )


def live_in(person: Person, zone: str) -> None:
    with person.app.app_context(), write() as session:
        session.execute(update(Account).where(Account.id == person.account_id).values(timezone=zone))


@pytest.fixture
def platform(ada: Person, sandbox) -> Platform:
    add_fan(ada, 1)
    live_in(ada, "Europe/Paris")
    return Platform(ada, connect(ada, sandbox.url))


def told(platform: Platform, paid: list[dict]) -> None:
    for each in paid:
        platform.post(*events.paid(each), f"evt_{each['number']}")
    platform.work()


def revenue(person: Person) -> int:
    return person.get(PERIOD)["kpis"]["revenueCents"]


def send(person: Person, content: str, prefer: str = "respond-async", **said: str):
    data = {"file": (io.BytesIO(content.encode()), "october.csv")} | said
    return person.call("POST", "/api/onlyfans/import/csv", data=data, headers={"Prefer": prefer})


def work_once(app) -> None:
    """As a worker would: on the import that comes next."""
    with app.app_context():
        until = time.monotonic() + 20
        while time.monotonic() < until:
            if new := db.session.scalar(select(Import.id).where(Import.status == "rehearsing")):
                return imports.run_import(new)
            db.session.rollback()
            time.sleep(0.05)


@pytest.mark.parametrize("header", [HEADER, ANONYMOUS])
def test_the_rehearsal_says_so_and_another_zone_is_chosen_there(app, ada: Person, platform: Platform, header: str):
    paid, browser = tips(), ada.browser()
    told(platform, paid)
    where = rehearsed(browser, app, statement(paid, "UTC", header), "october.csv")
    page = browser.get(where).text
    words = "10 of 10 payments are already here, 2 hours later: the file's times look like UTC, and are read as Europe/Paris."
    assert words.replace("'", "&#39;") in page
    browser.post(f"{where}/timezone", data={"csrf_token": token_of(page), "timezone": "Mars/Base"})
    assert "timezone:" not in browser.get(where).text
    chosen = re.search(r"<option selected>([^<]+)</option>", page)[1]
    browser.post(f"{where}/timezone", data={"csrf_token": token_of(page), "timezone": chosen})
    run(app, where)
    page = browser.get(where).text
    assert "already here" not in page
    assert "Changed (10)" in page
    browser.post(f"{where}/apply", data={"csrf_token": token_of(page)})
    run(app, where)
    assert revenue(ada) == sum(each["cents"] for each in paid)


def test_any_zone_is_found_by_the_file_and_by_what_is_here(app, ada: Person, platform: Platform):
    told(platform, tips())
    live_in(ada, "UTC")
    browser = ada.browser()
    for zone, apart in (("America/New_York", "4 hours later"), ("Asia/Kolkata", "5.5 hours earlier")):
        page = browser.get(rehearsed(browser, app, statement(tips(), zone), "october.csv")).text
        assert f"10 of 10 payments are already here, {apart}: the file&#39;s times look like {zone}" in page


@pytest.mark.parametrize(
    ("written_in", "form"),
    [
        ("Europe/Paris", "%Y-%m-%d %H:%M:%S"),
        ("UTC", "%Y-%m-%dT%H:%M:%SZ"),
        ("UTC", "%Y-%m-%d"),
        ("UTC", "%d %b %Y %H:%M UTC"),
    ],
)
def test_nothing_is_doubted_where_the_zone_fits_or_is_named(app, ada: Person, platform: Platform, written_in, form):
    told(platform, tips())
    browser = ada.browser()
    later = [each | {"at": each["at"] + timedelta(hours=2)} for each in tips()]  # what a wrong zone would look like
    paid = tips() if written_in == "Europe/Paris" else later
    assert "already here" not in browser.get(rehearsed(browser, app, statement(paid, written_in, form=form))).text


def test_who_pays_the_same_every_hour_is_no_sign_of_a_zone(app, ada: Person, platform: Platform):
    paid = [{"number": n, "at": BEGAN + timedelta(hours=n), "kind": "tip", "fan": 1, "cents": 500} for n in range(12)]
    told(platform, paid[:6])
    browser = ada.browser()
    where = rehearsed(browser, app, statement(paid[6:], "Europe/Paris"), "october.csv")
    assert "already here" not in browser.get(where).text


def test_the_zone_of_the_mapping_step_is_the_files(app, ada: Person, platform: Platform):
    told(platform, tips())
    browser = ada.browser()
    where = rehearsed(browser, app, statement(tips(), "UTC"), "october.csv", timezone="UTC")
    page = browser.get(where).text
    assert "already here" not in page
    assert "Changed (10)" in page
    mapping = browser.get(f"{where}/mapping").text
    assert re.search(r'<input[^>]*name="timezone"[^>]*value="UTC"', mapping)
    wrong = browser.post(f"{where}/mapping", data=form_of(mapping) | {"timezone": "Mars/Base"})
    assert "Must be the name of a time zone" in wrong.text


def test_a_program_is_refused_until_it_says_the_zone(app, ada: Person, platform: Platform):
    told(platform, tips())
    content = statement(tips(), "UTC")
    first = send(ada, content).json["importId"]
    run(app, f"/imports/{first}")
    found = ada.get(f"/api/onlyfans/import/{first}")
    assert found["status"] == "failed"
    (warning,) = found["summary"]["warnings"]
    assert (warning["row"], warning["column"], warning["value"]) == (1, "Date", "Europe/Paris")
    assert warning["error"].endswith("Send timezone=UTC, or timezone=Europe/Paris to take them so.")
    assert revenue(ada) == sum(each["cents"] for each in tips())
    second = send(ada, content, timezone="UTC").json["importId"]
    run(app, f"/imports/{second}")
    assert ada.get(f"/api/onlyfans/import/{second}")["summary"]["updated"] == 10
    assert revenue(ada) == sum(each["cents"] for each in tips())


def test_a_program_that_waits_is_told_at_once(app, ada: Person, platform: Platform):
    told(platform, tips())
    worker = threading.Thread(target=work_once, args=(app,))
    worker.start()
    answer = send(ada, statement(tips(), "UTC"), prefer="wait")
    worker.join()
    assert answer.status_code == 400
    assert answer.json["errors"][0]["field"] == "timezone"
    assert "10 of 10 payments are already here, 2 hours later" in answer.json["errors"][0]["message"]


def test_a_program_that_says_the_zone_is_believed(app, ada: Person, platform: Platform):
    told(platform, tips())
    new = send(ada, statement(tips(), "UTC"), timezone="Europe/Paris").json["importId"]
    run(app, f"/imports/{new}")
    assert ada.get(f"/api/onlyfans/import/{new}")["summary"]["successfulInserts"] == 10


def test_another_accounts_import_is_not_read_anew(app, ada: Person, eve: Person, platform: Platform):
    told(platform, tips())
    where = rehearsed(ada.browser(), app, statement(tips(), "UTC"), "october.csv")
    stranger = eve.browser()
    token = token_of(stranger.get("/imports").text)
    assert stranger.post(f"{where}/timezone", data={"csrf_token": token, "timezone": "UTC"}).status_code == 404
    assert "already here" in ada.browser().get(where).text


def test_where_the_statement_came_first_its_page_says_it_and_brought_anew_it_fits(app, ada: Person, platform: Platform):
    paid, bring, browser = tips(), Importer(app, ada), ada.browser()
    address = "/platforms/onlyfans/analytics/statement?from=2026-10-01&to=2026-11-30"
    bring(statement(paid, "UTC"), "october.csv")
    assert "stand here twice" not in browser.get(address).text
    told(platform, paid)
    assert revenue(ada) == 2 * sum(each["cents"] for each in paid)
    page = " ".join(re.sub("<[^>]+>", "", browser.get(address).text).split())
    assert "10 of 10 payments of october.csv stand here twice: events told them too, 2 hours later." in page
    assert "The file’s times look like UTC, and were read as Europe/Paris." in page
    with app.app_context():
        imports.undo(ada.account_id, bring.last_id)
        imports.run_import(bring.last_id)
    bring(statement(paid, "UTC"), "october.csv", timezone="UTC")
    assert revenue(ada) == sum(each["cents"] for each in paid)
    assert "stand here twice" not in browser.get(address).text


def test_what_lies_apart_by_chance_is_no_warning_on_the_page(app, ada: Person, platform: Platform):
    paid, bring = tips(), Importer(app, ada)
    bring(statement(paid, "Europe/Paris"), "october.csv")
    told(
        platform,
        [each | {"number": 20 + n, "at": each["at"] + timedelta(minutes=31 * n)} for n, each in enumerate(paid)],
    )
    page = ada.browser().get("/platforms/onlyfans/analytics/statement?from=2026-10-01&to=2026-11-30").text
    assert "stand here twice" not in page
