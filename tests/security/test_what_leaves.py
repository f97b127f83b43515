"""What SECURITY.md promises of what leaves: no cell of a file is a formula to a spreadsheet, and no word becomes a header."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.accounts import auditing
from app.accounts.auditing import Act
from app.accounts.models import User
from app.campaigns.models import Campaign
from app.conversations.models import Message
from app.csv_text import NUMBER
from app.database import execute, utcnow, write
from app.fans.models import Fan
from app.media.models import Medium
from tests.contract.schemathesis_run import import_file
from tests.people import Person
from tests.portability.rich import fill
from tests.test_csv_text import FORMULA_STARTS

EVIL = ("=HYPERLINK(1)", "-2+3", "\t@SUM(A1)")
BREAK = "a.png\r\nSet-Cookie: stolen=1\r\n\r\n<script>"
EXAMPLE = "/imports/example.csv"  # ours alone
ROWS = "/platforms/onlyfans/analytics/rows.csv"
API = "/api/analytics/onlyfans/export.csv"
REPORTS = ("transactions", "fans", "messages&which=out", "campaigns")
LISTS = ("rejected", "new", "changed")


def addresses(ids: dict[str, list[int]], period: str) -> dict[str, list[str]]:
    """Of every CSV file, by its rule in the URL map."""
    import_id, campaign_id = ids["import_id"][-1], ids["campaign_id"][0]
    return {
        "/fans.csv": ["/fans.csv"],
        "/settings/audit.csv": ["/settings/audit.csv"],
        "/campaigns/<id:campaign_id>/ledger.csv": [f"/campaigns/{campaign_id}/ledger.csv"],
        "/imports/<id:import_id>/<name>.csv": [f"/imports/{import_id}/{name}.csv" for name in LISTS],
        "/api/onlyfans/import/<id:import_id>/<name>.csv": [f"/api/onlyfans/import/{import_id}/{n}.csv" for n in LISTS],
        ROWS: [f"{ROWS}?report={report}&{period}" for report in REPORTS],
        API: [f"{API}?report={report}&{period}" for report in REPORTS],
        EXAMPLE: [EXAMPLE],
    }


@pytest.mark.parametrize("evil", EVIL)
def test_no_cell_of_any_file_is_a_formula(app, ada: Person, sandbox, evil: str):
    ids = fill(ada, sandbox.url)
    fill_with(ada, evil)
    ids["import_id"].append(imported(ada, evil))
    today = utcnow().date()
    files = addresses(ids, f"from={today - timedelta(days=3)}&to={today + timedelta(days=1)}")
    assert set(files) == {rule.rule for rule in app.url_map.iter_rules() if rule.rule.endswith(".csv")}
    browser = ada.browser()
    for path in (each for paths in files.values() for each in paths):
        answer = ada.call("GET", path) if path.startswith("/api/") else browser.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Disposition"].startswith("attachment;")
        cells = [cell for row in csv.reader(io.StringIO(answer.get_data(as_text=True), newline="")) for cell in row]
        assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(cell)], path
        if "changed" not in path and path != EXAMPLE:
            assert any(cell.startswith(f"'{evil[0]}") for cell in cells), f"{path} holds none of it: {cells}"


def fill_with(person: Person, evil: str) -> None:
    """Wherever somebody may have written it."""
    with person.app.app_context(), write():
        execute(update(Fan).where(Fan.account_id == person.account_id).values(name=evil, notes=evil))
        execute(update(Campaign).where(Campaign.account_id == person.account_id).values(name=evil))
        execute(update(Message).where(Message.account_id == person.account_id).values(text=evil))
        execute(update(User).where(User.id == person.user_id).values(name=evil))
        auditing.record(person.account_id, Act.EXPORTED, words=evil)


def imported(person: Person, evil: str) -> int:
    """A file with one new row and one that is refused, and the words in both."""
    out = io.StringIO()
    rows = [["Username", "Display Name", "Email"], ["newcomer", f"'{evil}", ""], ["refused", f"'{evil}", "no address"]]
    csv.writer(out).writerows(rows)
    return import_file(person, out.getvalue())


def test_no_word_becomes_a_header(app, ada: Person, sandbox):
    ids = fill(ada, sandbox.url)
    with app.app_context(), write():
        execute(update(Medium).where(Medium.account_id == ada.account_id).values(name=BREAK))
        execute(update(Fan).where(Fan.account_id == ada.account_id).values(name=BREAK))
        execute(update(Campaign).where(Campaign.account_id == ada.account_id).values(name=BREAK))
    browser = ada.browser()
    for path in (
        f"/media/{ids['medium_id'][0]}",
        f"/fans/{ids['fan_id'][0]}/everything.zip",
        f"/campaigns/{ids['campaign_id'][0]}/ledger.csv",
        "/fans.csv",
    ):
        answer = browser.get(path)
        answer.close()
        assert answer.status_code == 200, path
        assert "stolen" not in str(answer.headers.getlist("Set-Cookie")), path
        assert not any(sign in value for _, value in answer.headers for sign in "\r\n"), path


@pytest.mark.parametrize(
    "path", ["/fans?search=a%0d%0aSet-Cookie:%20stolen=1", "/messages%0d%0aSet-Cookie:%20stolen=1"]
)
def test_an_address_that_is_sent_back_breaks_no_header(app, path: str):
    answer = app.test_client().get(path)
    assert "stolen" not in str(answer.headers.getlist("Set-Cookie"))
    assert not any(sign in value for _, value in answer.headers for sign in "\r\n")
