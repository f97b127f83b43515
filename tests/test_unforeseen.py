"""What nobody foresaw: a page for people, problem+json for programs, and an id in both that finds the line in the log."""

import io
import json
import logging
import re
import sqlite3
from collections.abc import Iterator

import pytest
import structlog
from apiflask import APIFlask
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from app.database import db, on_postgresql
from app.fans import queries
from tests.people import Person, add_fan


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Lines as they stand in a real log."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=structlog.processors.JSONRenderer()))
    logging.getLogger().addHandler(handler)
    yield written
    logging.getLogger().removeHandler(handler)


def line_of(log: io.StringIO, request_id: str) -> dict:
    found = [json.loads(line) for line in log.getvalue().splitlines() if line.startswith("{")]
    (line,) = [each for each in found if each.get("request_id") == request_id and each["event"] == "unhandled_error"]
    return line


@pytest.fixture
def broken(monkeypatch):
    def fail(*_args, **_options):
        raise RuntimeError("nobody thought of this")

    monkeypatch.setattr(queries, "find_fan", fail)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["a page", "htmx"])
def test_a_person_gets_a_page_with_an_id_that_finds_the_error(app, ada: Person, broken, log, headers):
    answer = ada.browser().get("/fans/1", headers=headers)
    assert answer.status_code == 500
    named = re.search(r"<code>(\w+)</code>", answer.text)
    assert named
    assert named[1] == answer.headers["X-Request-ID"]
    assert "nobody thought of this" in line_of(log, named[1])["exception"]
    assert "nobody thought of this" not in answer.text


def test_a_program_gets_a_problem_with_an_id_that_finds_the_error(app, ada: Person, broken, log):
    answer = ada.call("GET", "/api/crm/fans/1", headers={"X-Request-ID": "mine-17"})
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert answer.get_json()["requestId"] == answer.headers["X-Request-ID"] == "mine-17"
    assert line_of(log, "mine-17")["path"] == "/api/crm/fans/1"
    assert "nobody thought of this" not in answer.text


@pytest.fixture
def away(app: APIFlask) -> Iterator[None]:
    """The database is gone from here on."""

    def refuse(*_args) -> None:
        raise OperationalError("SELECT", {}, Exception("the database is away"))

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", refuse)
    yield
    event.remove(engine, "before_cursor_execute", refuse)


@pytest.fixture
def browser(ada: Person) -> FlaskClient:
    return ada.browser()


def test_without_a_database_each_gets_an_answer_in_their_own_language(
    app, ada: Person, browser: FlaskClient, away, log
):
    page = browser.get("/fans")
    assert page.status_code == 500
    assert page.headers["X-Request-ID"] in page.text
    assert line_of(log, page.headers["X-Request-ID"])
    problem = ada.call("GET", "/api/crm/fans")
    assert (problem.status_code, problem.mimetype) == (500, "application/problem+json")
    assert browser.get("/healthz").status_code == 200
    ready = browser.get("/readyz")
    assert (ready.status_code, ready.get_json()["database"]) == (503, False)
    metrics = browser.get("/metrics")
    assert metrics.status_code == 200
    assert "greenroom_database_up 0.0" in metrics.text


def test_on_a_full_disk_the_person_is_told_and_nothing_is_half_done(app, ada: Person, log):
    with app.app_context():
        if on_postgresql():
            pytest.skip("PostgreSQL's own disk is its own")
        engine = db.engine
    with sqlite3.connect(str(engine.url.database)) as beside:
        beside.execute("VACUUM")  # pages that other tests have left free would take the rows

    def fill(connection, *_args) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    add_fan(ada, 1)
    event.listen(engine, "begin", fill)
    try:
        answers = [
            ada.call("POST", "/api/crm/fans", json={"handle": f"more{number}", "name": "n" * 200, "notes": "x" * 4000})
            for number in range(5)
        ]
    finally:
        event.remove(engine, "begin", fill)
        with app.app_context():
            db.session.execute(text("PRAGMA max_page_count = 1073741823"))
            db.session.remove()
            engine.dispose()
    full = [each for each in answers if each.status_code == 500]
    assert full
    assert "full" in line_of(log, full[-1].get_json()["requestId"])["exception"]
    made = sum(each.status_code == 201 for each in answers)
    assert ada.get("/api/crm/fans")["total"] == 1 + made
    add_fan(ada, 2)


def test_no_parameter_of_a_statement_reaches_the_log(app, ada: Person, log):
    with app.app_context(), pytest.raises(Exception) as raised:
        db.session.execute(text("SELECT * FROM nowhere WHERE name = :name"), {"name": "a private word"})
    assert "a private word" not in str(raised.value)
