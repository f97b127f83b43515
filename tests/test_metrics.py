"""The numbers for Prometheus: right, cheap, the same names everywhere, and about nobody."""

import json
import re
import subprocess
from collections.abc import Iterator

import pytest
import redis
from apiflask import APIFlask
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, text, update

from app import measured
from app.config import ROOT
from app.conversations.models import Message
from app.database import db, on_postgresql, write
from tests.people import Person, add_fan, connect
from tests.sending import drain
from tests.servers import Sandbox

RULES = ROOT / "deploy" / "prometheus"
DASHBOARD = ROOT / "deploy" / "grafana" / "greenroom.json"
NAME = re.compile(r"\bgreenroom_[a-z_]+\b")
LABELS = {
    "route", "method", "status", "le", "connection", "kind", "outcome", "queue", "version", "python", "database",
}  # fmt: skip


def scrape(app: APIFlask) -> str:
    return app.test_client().get("/metrics").text


def samples(app: APIFlask) -> Iterator[tuple[str, dict[str, str], float]]:
    for family in text_string_to_metric_families(scrape(app)):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def value(app: APIFlask, name: str, **labels: str) -> float | None:
    found = [number for each, of, number in samples(app) if each == name and labels.items() <= of.items()]
    return sum(found) if found else None


def send(person: Person, fan: dict) -> None:
    person.post("/api/onlyfans/messages/send", {"recipientId": fan["id"], "content": "a secret text"}, 202)


def test_what_waits_is_counted_by_connection_and_kind(app, ada: Person, sandbox: Sandbox):
    number = str(connect(ada, sandbox.url, account="acct_count", pace=(1000, 600)))
    fans = [add_fan(ada, each) for each in range(1, 4)]
    send(ada, fans[0])
    ada.post("/api/messages/bulk", {"recipientIds": [fan["id"] for fan in fans], "content": "to all"}, 202)
    assert value(app, "greenroom_queue_messages", connection=number, kind="reply") == 1
    assert value(app, "greenroom_queue_messages", connection=number, kind="campaign") == 3
    assert 0 <= (value(app, "greenroom_queue_oldest_seconds", connection=number, kind="reply") or -1) < 60
    assert value(app, "greenroom_messages", status="queued") == 4
    before = value(app, "greenroom_send_attempts_total", outcome="sent") or 0
    drain(app)
    assert value(app, "greenroom_messages", status="queued") == 0
    assert value(app, "greenroom_queue_messages") is None
    assert value(app, "greenroom_send_attempts_total", outcome="sent") == before + 4
    assert value(app, "greenroom_pace_used_ratio", connection=number) == pytest.approx(4 / 1000)


def test_what_needs_people_is_counted_over_all_accounts(app, ada: Person, eve: Person):
    for person in (ada, eve):
        connect(person, "http://127.0.0.1:9", account=f"acct_{person.user_id}")
        send(person, add_fan(person))
    with app.app_context(), write() as session:
        session.execute(update(Message).values(status="unknown"))
    assert value(app, "greenroom_messages", status="unknown") == 2
    assert value(app, "greenroom_messages", status="failed") == 0


def test_the_status_of_a_connection(app, ada: Person):
    number = str(connect(ada, "http://127.0.0.1:9"))
    ada.browser()
    assert value(app, "greenroom_connection_status", connection=number, status="active") == 1
    assert value(app, "greenroom_connection_status", connection=number, status="expired") == 0
    assert value(app, "greenroom_breaker", connection=number) == 0


def test_requests_are_counted_by_the_template_of_their_route(app, ada: Person):
    route = "/api/crm/fans/<id:fan_id>"
    before = value(app, "greenroom_requests_total", route=route, status="404") or 0
    for number in (4711, 4712):
        assert ada.call("GET", f"/api/crm/fans/{number}").status_code == 404
    assert value(app, "greenroom_requests_total", route=route, status="404") == before + 2
    assert value(app, "greenroom_request_seconds_count", route=route)
    app.test_client().open("/nowhere/at/all", method="BREW")
    assert value(app, "greenroom_requests_total", route="no route", method="other")
    assert not re.search(r"=\"[^\"]*4711", scrape(app)), "in no label"


def test_no_label_is_about_anybody(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_private")
    send(ada, add_fan(ada))
    found = scrape(app)
    assert {label for _, labels, _ in samples(app) for label in labels} <= LABELS
    for private in ("ada", "acct_private", "Fan 1", "secret text"):
        assert private not in found


def test_without_redis_the_rest_is_still_told(app, ada: Person, monkeypatch):
    gone = redis.Redis(unix_socket_path="/nowhere.sock")
    monkeypatch.setitem(app.extensions, "greenroom_redis", gone)
    assert value(app, "greenroom_redis_up") == 0
    assert value(app, "greenroom_database_up") == 1
    with app.app_context():
        measured.count("sends", "sent")  # says nothing


def test_no_scrape_reads_a_large_table_as_a_whole(app, ada: Person, sandbox: Sandbox):
    """Where SQLite scans, it scans an index of only what waits."""
    connect(ada, sandbox.url, account="acct_plan")
    with app.app_context():
        if on_postgresql():
            pytest.skip("PostgreSQL reads small tables whole, whatever they would be like when large")
        statements: list[tuple[str, object]] = []

        def note(_connection, _cursor, statement, values, *_) -> None:
            statements.append((statement, values))

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            scrape(app)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
        plans = [
            row[3]
            for statement, values in statements
            if statement.lstrip().startswith("SELECT")
            for row in db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
        ]
    whole = [
        plan for plan in plans if re.match(r"SCAN (messages|send_attempts|import_rows|fans|platform_events)", plan)
    ]
    assert [
        plan for plan in whole if not re.search(r"INDEX ix_(messages_(queued|sending)|platform_events_unhandled)", plan)
    ] == []
    assert len(plans) > 8


def test_every_name_stands_in_the_table_and_what_alerts_and_dashboard_ask_for_is_scraped(
    app, ada: Person, sandbox: Sandbox
):
    connect(ada, sandbox.url, account="acct_names")
    send(ada, add_fan(ada))
    drain(app)
    send(ada, add_fan(ada, 2))
    scraped = {name for name, _, _ in samples(app) if name.startswith("greenroom_")}
    scraped |= {"greenroom_database_connections"}  # PostgreSQL's
    asked = NAME.findall((RULES / "greenroom.rules.yml").read_text()) + NAME.findall(DASHBOARD.read_text())
    assert set(asked) - scraped == set()
    lines = (ROOT / "docs" / "running.md").read_text().splitlines()
    table = {name for line in lines if line.startswith("| `greenroom_") for name in NAME.findall(line.split("|")[1])}
    plain = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in scraped}
    assert {name for name in plain if name not in table and f"{name}_total" not in table} == set()
    assert {name for name in table if name not in plain and name not in scraped} == set()


def test_every_alert_says_what_to_do():
    alerts = re.findall(r"alert: (\w+)", (RULES / "greenroom.rules.yml").read_text())
    described = re.findall(r"^\| (Greenroom\w+) \|", (ROOT / "docs" / "running.md").read_text(), re.M)
    assert alerts == described


@pytest.mark.prometheus
def test_the_alerts_fire_where_they_must_and_only_there():
    done = subprocess.run(
        ["promtool", "test", "rules", "greenroom.rules.test.yml"],
        cwd=RULES, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_is_one(app: APIFlask):
    board = json.loads(DASHBOARD.read_text())
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    assert all(panel["targets"] for panel in board["panels"])


def test_the_database_s_size(app: APIFlask, ada: Person):
    with app.app_context():
        assert db.session.scalar(text("SELECT 1")) == 1
    assert (value(app, "greenroom_database_bytes") or 0) > 100_000
