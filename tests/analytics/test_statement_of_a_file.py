"""One imported statement held against what events told: its sum to the cent, what either side lacks, what was refused."""

import html
import re

import pytest
from sqlalchemy import update

from app.database import write
from app.money.models import Transaction
from tests import events
from tests.analytics.test_told_twice import HEADER, Month
from tests.events import Platform
from tests.imports.conftest import Importer
from tests.people import Person, add_fan, connect

PAGE = "/platforms/onlyfans/analytics/statement"


@pytest.fixture
def brought(app, ada: Person, sandbox) -> Importer:
    """Events told of the first twelve payments; the file has all but the first two, a refund, and a row that cannot be read.
    Another file of the same days has one payment more."""
    platform, month, bring = Platform(ada, connect(ada, sandbox.url)), Month(3), Importer(app, ada)
    for number in (1, 2, 3):
        add_fan(ada, number)
    for each in month.paid[:12]:
        platform.tell(*events.paid(each), f"evt_{each['number']}")
    bring(HEADER + "x1,fan1,3.00,2.40,2026-10-02T12:00:00Z,Tip\n", "another.csv")
    bring(month.statement(2) + "bad,fan1,much,,2026-10-05T12:00:00Z,Tip\n", "october.csv")
    return bring


def words_of(page: str) -> str:
    return " ".join(html.unescape(re.sub("<[^>]+>", "", page)).split())


def links_of(page: str) -> list[str]:
    found = [html.unescape(link) for link in re.findall(r'href="([^"]+/rows[^"]+)"', page)]
    return list(dict.fromkeys(found))


def test_a_file_is_held_against_events_to_the_cent(ada: Person, brought: Importer):
    browser, month = ada.browser(), Month(3)
    cents = sum(each["cents"] for each in month.paid[2:]) - 700
    both, missing = (sum(each["cents"] for each in some) for some in (month.paid[2:12], month.paid[:2]))
    page = browser.get(f"{PAGE}?import={brought.last_id}").text
    said = words_of(page)
    assert f"23 payments taken, ${cents / 100:.2f} gross: ${both / 100:.2f} told by events too" in said
    assert "It reconciles to the cent." in said
    shown = [re.search(r'role="status">(\d+) row', browser.get(link).text)[1] for link in links_of(page)]
    assert shown == ["10", "0", "13"], "the first two payments are of a day before the file's"
    whole = browser.get(f"{PAGE}?import={brought.last_id}&from=2026-10-01&to=2026-11-01").text
    assert f"Events told ${missing / 100:.2f} of these days that no file has." in words_of(whole)
    rows = browser.get(next(link for link in links_of(whole) if "in-both" in link)).text
    assert 'Import: <strong dir="auto">october.csv</strong>' in rows


def test_what_was_refused_is_a_link_away_and_the_page_from_the_imports(ada: Person, brought: Importer):
    browser = ada.browser()
    shown = browser.get(f"/imports/{brought.last_id}").text
    address = html.unescape(re.search(rf'href="({PAGE}[^"]+)"', shown)[1])
    page = browser.get(address).text
    refused = html.unescape(re.search(r'href="([^"]+)">1 row refused</a>', page)[1])
    assert "Not an amount" in browser.get(refused).text
    assert page.count(f'name="import" value="{brought.last_id}"') == 1, "another period is of the same file"


def test_the_same_file_again_reconciles_too(ada: Person, brought: Importer):
    brought(Month(3).statement(2), "again.csv")
    said = words_of(ada.browser().get(f"{PAGE}?import={brought.last_id}").text)
    assert "23 payments taken" in said
    assert "It reconciles to the cent." in said
    assert "Every row was taken." in said


def test_a_cent_that_is_not_there_is_said(app, ada: Person, brought: Importer):
    with app.app_context(), write() as session:
        one = Transaction.platform_transaction_id == "h20"
        session.execute(update(Transaction).where(one).values(gross_cents=Transaction.gross_cents - 1))
    said = words_of(ada.browser().get(f"{PAGE}?import={brought.last_id}").text)
    assert "It reconciles" not in said
    assert "$0.01 of it" in said


def test_it_is_ones_own_import_only(ada: Person, eve: Person, brought: Importer):
    browser = eve.browser()
    assert browser.get(f"{PAGE}?import={brought.last_id}").status_code == 404
    rows = f"/platforms/onlyfans/analytics/rows?report=transactions&import={brought.last_id}"
    assert browser.get(rows).status_code == 404
    assert [browser.get(f"{PAGE}?import={other}").status_code for other in ("99999999999999999999", "x")] == [404, 404]
