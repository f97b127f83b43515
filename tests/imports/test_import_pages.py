import io
import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select, update

from app import sweep
from app.database import db, utcnow, write
from app.fans.models import Fan
from app.imports import actions
from app.imports.models import Import
from app.money.models import Transaction
from tests.imports.conftest import HOUSE


@pytest.fixture
def browser(ada):
    return ada.browser()


def token_of(page):
    return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]


def upload(browser, content, filename="fans.csv"):
    data = {"csrf_token": token_of(browser.get("/imports").text), "file": (io.BytesIO(content.encode()), filename)}
    return browser.post("/imports", data=data, content_type="multipart/form-data")


def form_of(page):
    """What a browser would send of the mapping form, nothing changed."""
    values = {"csrf_token": token_of(page)}
    for name, options in re.findall(r'<select[^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option selected value="([^"]*)"', options)
        values[name] = unescape(chosen[1]) if chosen else ""
    for attributes in re.findall(r"<input checked([^>]*)>", page):
        name, value = re.search(r'name="([^"]+)"', attributes)[1], re.search(r'value="([^"]+)"', attributes)[1]
        values[name] = (
            [*values[name], value] if isinstance(values.get(name), list) else ([value] if name == "match" else value)
        )
    return values


def rehearsed(browser, app, content, filename="fans.csv", **changes):
    """The import's page after upload, mapping and rehearsal."""
    where = upload(browser, content, filename).headers["Location"]
    answer = browser.post(where, data=form_of(browser.get(where).text) | changes)
    assert answer.status_code == 302, re.findall(r"field-error.*?<span>(.*?)</span>", answer.text, re.DOTALL)
    run(app, answer.headers["Location"])
    return answer.headers["Location"]


def run(app, where):
    with app.app_context():
        actions.run_import(int(where.rpartition("/")[2]))


def press(browser, where, verb):
    return browser.post(f"{where}/{verb}", data={"csrf_token": token_of(browser.get(where).text)})


def test_an_empty_page_says_what_to_bring(browser):
    page = browser.get("/imports").text
    assert HOUSE.strip() in page
    assert browser.get("/imports/example.csv").text.startswith(HOUSE)


def test_the_whole_story(browser, app, ada):
    where = rehearsed(browser, app, HOUSE + "ann,Ann,x@,,,\nbob,Bob,,,,\n,,,,$1.00,\n")
    page = browser.get(where).text
    assert "Nothing has been changed yet" in page
    assert "Apply 2 rows" in page
    assert "names no fan" in browser.get(f"{where}?list=rejected").text
    assert "Invalid email format" in browser.get(f"{where}?list=warnings").text
    assert ada.get("/api/crm/fans")["total"] == 0
    press(browser, where, "apply")
    waiting = browser.get(where).text
    assert "Waits for a worker" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    run(app, where)
    done = browser.get(f"{where}/progress").text
    assert "every 1s" not in done
    assert "Undo the whole import" in done
    assert ada.get("/api/crm/fans")["total"] == 2
    rejected = browser.get(f"{where}/rejected.csv")
    assert rejected.mimetype == "text/csv"
    assert rejected.text.splitlines()[1].startswith(",,,,$1.00,,4,")
    press(browser, where, "undo")
    run(app, where)
    back = browser.get(where).text
    assert "New, taken back (2)" in back
    assert "New (2)" not in back
    assert "<dd>Total spent</dd>" in back
    assert "value cents" not in back
    assert "Taken back: 2" in browser.get("/imports").text.partition("<tbody>")[2]
    assert ada.get("/api/crm/fans")["total"] == 0


def test_the_columns_page_shows_what_is_in_each_column(browser):
    where = upload(
        browser, "\ufeffKundenname;E-Mail;Farbe\nAnn;ann@example.com;red\nBob;bob@example.com;blue\n"
    ).headers["Location"]
    page = browser.get(where).text
    assert "red" in page
    assert "blue" in page
    assert form_of(page)["columns-1-field"] == "email"
    assert form_of(page)["columns-2-field"] == ""


@pytest.mark.parametrize(("spent", "said"), [
    ('"12,50 €"', "10.00 EUR becomes $10.00"), ("£12.50", "10.00 GBP becomes $10.00"), ("$12.50", ""), ("12.50", ""),
])  # fmt: skip
def test_spend_in_another_currency_is_said_before_it_is_taken(browser, app, spent, said):
    page = browser.get(rehearsed(browser, app, f"Username,Total Spent\nann,{spent}\n")).text
    assert said in page
    assert bool(said) == ("converts nothing" in page)


def test_a_column_of_ones_own_is_kept_on_the_fan(browser, app, ada):
    where = rehearsed(browser, app, "Username,Farbe\nann,red\n", **{"columns-1-field": "custom"})
    press(browser, where, "apply")
    run(app, where)
    fan = ada.get("/api/crm/fans")["fans"][0]
    assert "Farbe" in browser.get(f"/fans/{fan['id']}").text


def test_what_the_file_leaves_open_is_asked_beside_the_column(browser, app):
    where = upload(browser, HOUSE + "ann,,,,500,03/04/2026\n").headers["Location"]
    page = browser.get(where).text
    assert "can be read as day/month or month/day, for example 03/04/2026." in unescape(page)
    assert "may be dollars or cents" in page
    refused = browser.post(where, data=form_of(page))
    assert refused.status_code == 400
    assert "03/04/2026" in refused.text
    answers = form_of(page) | {"columns-5-date_order": "dmy", "columns-4-unit": "units"}
    assert browser.post(where, data=answers).status_code == 302


def test_a_mapping_is_remembered_for_the_next_file_with_this_header(browser, app):
    header = "Wer,Wann\n"
    rehearsed(
        browser,
        app,
        header + "ann,03/04/2026\n",
        **{
            "columns-0-field": "handle",
            "columns-1-field": "last_seen_at",
            "columns-1-date_order": "dmy",
            "tags": "replace",
        },
    )
    again = browser.get(upload(browser, header + "bob,05/06/2026\n").headers["Location"]).text
    form = form_of(again)
    assert (form["columns-0-field"], form["columns-1-field"], form["tags"]) == ("handle", "last_seen_at", "replace")
    assert form["columns-1-date_order"] == "dmy"
    assert "can be read as" not in again


@pytest.mark.parametrize(
    ("content", "filename", "status", "words"),
    [
        ("", "fans.csv", 400, "The file is empty"),
        ("x", "", 400, "Choose a file"),
        (HOUSE, "fans.csv", 400, "no rows below it"),
        (HOUSE, "fans.png", 415, "Only .csv"),
        ("PK\x03\x04", "fans.csv", 415, "Save as"),
    ],
)
def test_a_file_that_cannot_be_taken_is_answered_beside_the_field(browser, content, filename, status, words):
    answer = upload(browser, content, filename)
    assert answer.status_code == status
    assert words in unescape(answer.text)


def test_a_file_whose_columns_say_nothing_can_still_be_mapped(browser, app, ada):
    where = rehearsed(browser, app, "Colour\nred\n", **{"columns-0-field": "name"})
    assert "Apply 1 row" in browser.get(where).text


def test_only_what_can_be_done_now_is_done(browser, app):
    where = rehearsed(browser, app, HOUSE + "ann,,,,,\n")
    press(browser, where, "undo")
    assert "This import is rehearsed by now." in browser.get(where).text
    press(browser, where, "apply")
    press(browser, where, "apply")
    assert "This import is applying by now." in browser.get(where).text
    assert press(browser, where, "discard").headers["Location"] == "/imports"
    run(app, where)
    assert "Undo the whole import" in browser.get(where).text


def test_a_discarded_import_leaves_nothing(browser, app, ada):
    where = rehearsed(browser, app, HOUSE + "ann,,,,,\n")
    press(browser, where, "discard")
    assert "Nothing imported yet" in browser.get("/imports").text
    assert ada.get("/api/crm/fans")["total"] == 0


def test_nobody_sees_anothers_import(browser, eve, app):
    where = rehearsed(browser, app, HOUSE + "ann,,,,,\n")
    stranger = eve.browser()
    for address in (where, where + "/mapping", where + "/progress", where + "/rejected.csv", where + "/new.csv"):
        assert stranger.get(address).status_code == 404
        assert browser.get(address).status_code == 200


TABLES = "Report of May\n\nUsername,Email\nann,ann@example.com\nben,ben@example.com\n\n"
TABLES += "Date,Username,Amount,Transaction ID\n2026-05-03,ann,$5.00,t-1\n\n"
TABLES += "Username,Email,Notes\n\nDate,Username,Amount,Transaction ID,Type\n2026-05-04,ben,$7.50,t-2,Tip\n"


def test_each_table_of_a_file_is_an_import_of_its_own(browser, app):
    kept = set((app.config["INSTANCE"] / "imports").glob("*"))
    answer = upload(browser, TABLES, "report.csv")
    shown = browser.get(answer.headers["Location"]).text
    assert "The file holds 3 tables" in shown
    assert "report.csv, table 1 of 3" in shown
    first = int(re.search(r"/imports/(\d+)/", answer.headers["Location"])[1])
    for number, rows in ((first, 2), (first + 1, 1), (first + 2, 1)):
        where = f"/imports/{number}"
        page = browser.get(f"{where}/mapping").text
        assert browser.post(f"{where}/mapping", data=form_of(page)).status_code == 302
        run(app, where)
        assert f"Apply {rows} row" in browser.get(where).text
        press(browser, where, "apply")
        run(app, where)
        assert "Completed" in browser.get(where).text
    with app.app_context():
        assert set((app.config["INSTANCE"] / "imports").iterdir()) == kept
        rows = db.session.execute(
            select(Transaction.platform_transaction_id, Transaction.gross_cents, Fan.email).join(Fan)
        )
        assert sorted(map(tuple, rows)) == [("t-1", 500, "ann@example.com"), ("t-2", 750, "ben@example.com")]


def test_a_draft_of_last_month_goes_with_its_file(browser, app):
    old, young = (upload(browser, HOUSE + "ann,Ann,,,,\n").headers["Location"] for _ in range(2))
    with app.app_context():
        with write() as session:
            found = session.get_one(Import, int(re.search(r"/imports/(\d+)/", old)[1]))
            found.created_at -= timedelta(days=31)
            file = app.config["INSTANCE"] / "imports" / found.stored_file
        assert file.exists()
        sweep.ring_again(("imports",))
        assert not file.exists()
    assert browser.get(young).status_code == 200


def test_a_program_uploads_in_steps_too(ada):
    answer = ada.call("POST", "/api/onlyfans/import", data={"file": (io.BytesIO(b"Username\nzed\n"), "a.csv")})
    assert answer.status_code == 201, answer.text
    assert ada.get(answer.headers["Location"])["status"] == "mapping"


def test_a_screen_reader_hears_where_the_work_stands_and_not_each_number(browser, app):
    def heard(where):
        page = browser.get(where).text
        assert "aria-live" not in page.partition('id="import"')[2].partition("</main>")[0]
        return re.search(r'<p class="visually-hidden" role="status">([^<]*)</p>', page)[1]

    mapping = upload(browser, HOUSE + "ann,Ann,,,,\n").headers["Location"]
    where = browser.post(mapping, data=form_of(browser.get(mapping).text)).headers["Location"]
    assert heard(where) == "Waits for a worker"
    with app.app_context(), write():
        db.session.execute(update(Import).values(started_at=utcnow()))
    first = heard(where)
    with app.app_context(), write():
        db.session.execute(update(Import).values(processed_rows=1))
    assert first == heard(where) == "Rehearsing"
    run(app, where)
    assert heard(where) == "Rehearsed. Nothing has been changed yet: this is what would happen"
    press(browser, where, "apply")
    run(app, where)
    assert heard(where) == "Completed"
