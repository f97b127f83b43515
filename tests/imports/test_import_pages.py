import io
import re

import pytest

from app.imports import actions
from tests.imports.conftest import HOUSE


@pytest.fixture
def browser(ada):
    return ada.browser()


def upload(browser, content, filename="fans.csv", **fields):
    page = browser.get("/imports").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    data = {"csrf_token": token, "invalid": "warn", "file": (io.BytesIO(content.encode()), filename), **fields}
    return browser.post("/imports", data=data, content_type="multipart/form-data")


def test_an_empty_page_says_what_to_bring(browser):
    page = browser.get("/imports").text
    assert HOUSE.strip() in page
    assert browser.get("/imports/example.csv").text.startswith(HOUSE)


def test_an_upload_runs_in_a_worker_and_ends_with_its_summary(browser, app):
    answer = upload(browser, HOUSE + "ann,Ann,x@,,,\nbob,Bob,,,,\n,,,,$1.00,\n")
    assert answer.status_code == 302
    where = answer.headers["Location"]
    waiting = browser.get(where).text
    assert "Waits for a worker" in waiting
    assert 'hx-trigger="every 1s"' in waiting
    with app.app_context():
        actions.run_import(int(where.rpartition("/")[2]))
    done = browser.get(where + "/progress").text
    assert "every 1s" not in done
    assert "names no fan" in done
    assert "Invalid email format" in browser.get(where + "?list=warnings").text
    assert "fans.csv" in browser.get("/imports").text
    rejected = browser.get(where + "/rejected.csv")
    assert rejected.mimetype == "text/csv"
    assert rejected.text.splitlines()[1].startswith(",,,,$1.00,,4,")


@pytest.mark.parametrize(
    ("content", "filename", "status", "words"),
    [
        ("", "fans.csv", 400, "The file is empty"),
        ("x", "", 400, "Choose a file"),
        ("Colour\nred\n", "fans.csv", 400, "Columns found: Colour"),
        (HOUSE, "fans.png", 415, "Only .csv"),
        (HOUSE + "ann,,,,,03/04/2026\n", "fans.csv", 400, "03/04/2026"),
    ],
)
def test_a_file_that_cannot_be_taken_is_answered_beside_the_field(browser, content, filename, status, words):
    answer = upload(browser, content, filename)
    assert answer.status_code == status
    assert words in answer.text


def test_what_the_file_leaves_open_can_be_said_on_the_page(browser):
    assert upload(browser, HOUSE + "ann,,,,,03/04/2026\n", date_order="dmy").status_code == 302


def test_nobody_sees_anothers_import(browser, eve):
    where = upload(browser, HOUSE + "ann,,,,,\n").headers["Location"]
    stranger = eve.browser()
    for address in (where, where + "/progress", where + "/rejected.csv"):
        assert stranger.get(address).status_code == 404
        assert browser.get(address).status_code == 200
