"""The inbox at full size: `python -m bench.inbox [--database sqlite|postgres|both] [--scale 1] [--requests 300]`.

At scale 1: 1,000,000 fans, 200,000 conversations, 10,000,000 messages, nearly all of them one account's. SQLite is filled
to a tenth of the scale. Each page is asked of the WSGI application in this process, by a signed-in session: what is
measured is the server's own time from the request to the last byte of the answer, without a line and a client, whose
noise would hide what the bound is about. Beside it stands the ceiling: the statements which that very request issued,
with their values, once more on a bare connection of the same driver right after it. The processors' own time, of this
process and of the database's, says what remains of a figure when the machine has other work too.
"""

import os
import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import event, select, text

from app.accounts.models import Account, User
from app.database import POSTGRESQL, SQLITE, db, write
from bench import full_size, inbox_load, inbox_pages
from bench.inbox_pages import Kind
from bench.inbox_rows import ONLINE_EACH
from bench.place import Place, add_result, percentile
from tests.people import Person

FANS, CONVERSATIONS, MESSAGES = 1_000_000, 200_000, 10_000_000
WARM = 3  # requests of each kind that are not measured: templates are compiled once in a process's life
OVER_SQL_MS, PAGE_MS, SEARCH_MS = 15, 50, 100
Step = tuple[str, Any]  # a statement and its values; or "commit", "rollback"


@dataclass(frozen=True)
class Asked:
    """One request: milliseconds by the clock, and those that processors worked. `again`: the page once more, after its
    statements, so that both find the same in memory."""

    again: float
    page: float
    page_busy: float
    sql: float
    sql_busy: float
    statements: int


class Watch:
    def __init__(self, processes: list[Path]) -> None:
        self._processes = processes
        self._began = time.perf_counter(), self._busy()

    def _busy(self) -> float:
        nanoseconds = sum(int(file.read_text().split()[0]) for file in self._processes)
        return time.thread_time() + nanoseconds / 1e9

    def stop(self) -> tuple[float, float]:
        at = time.perf_counter()
        return 1000 * (at - self._began[0]), 1000 * (self._busy() - self._began[1])


def main() -> None:
    parser = full_size.parser(__doc__)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--only", default="", help="pages with this in their name")
    options, results = parser.parse_args(), list[dict[str, object]]()
    for database, scale, place in full_size.places(options):
        add_result("inbox", results, {"database": database} | _fill(place, scale))
        add_result("inbox", results, {"database": database} | measure(place, options.requests, options.only))


def _fill(place: Place, scale: float) -> dict[str, object]:
    size = [int(scale * rows) for rows in (FANS, CONVERSATIONS, MESSAGES)]
    with place.app.app_context():
        seconds = 0.0 if inbox_load.is_filled() else inbox_load.fill(*size)
        with write() as session:
            online = "UPDATE fans SET last_seen_at = :now WHERE id % :each = 1"
            session.execute(text(online), {"now": inbox_load.write_time(), "each": ONLINE_EACH})
    return {"fans, conversations, messages": " / ".join(f"{rows:,}" for rows in size), "filled in (s)": round(seconds)}


def measure(place: Place, requests: int, only: str) -> dict[str, object]:
    with place.app.app_context():
        account_id = db.session.scalar(select(Account.id).where(Account.name == inbox_load.BIG)) or 0
        user_id = db.session.scalar(select(User.id).where(User.email == inbox_load.ADA)) or 0
        known = inbox_pages.look_around(account_id)
    client = Person(place.app, inbox_load.ADA, user_id, account_id, "").browser()
    found: dict[str, object] = {"load before, of so many cores": f"{os.getloadavg()[0]:.1f} of {os.cpu_count()}"}
    with recorded(place) as steps, closing(bare_connection(place)) as bare:
        for kind in inbox_pages.kinds(known):
            if only in kind.name and (measured := measure_kind(client, kind, requests, steps, bare)):
                found[kind.name] = _line(kind.name, measured)
                print(f"  {kind.name:<44} {found[kind.name]}", flush=True)
    return found | {"load after": f"{os.getloadavg()[0]:.1f}"}


def measure_kind(client: Any, kind: Kind, requests: int, steps: list[Step], bare: Any) -> list[Asked]:
    dice, answer, measured, spent = random.Random(3), "", [], _backends(bare)
    for number in range(WARM + 3 * requests):
        if len(measured) >= requests:
            break
        address = kind.address(dice, answer)
        steps.clear()
        watch = Watch(spent)
        response = client.get(address.lstrip("!"), headers=kind.headers, buffered=True)
        page = watch.stop()
        assert response.status_code == 200, f"{address}: {response.status_code}"
        answer, issued = response.text, list(steps)
        if number >= WARM and not address.startswith("!"):
            watch = Watch(spent)
            _replay(bare, issued)
            sql = watch.stop()
            watch = Watch(spent)
            client.get(address, headers=kind.headers, buffered=True)
            count = sum(step[0] not in ("commit", "rollback") for step in issued)
            measured.append(Asked(watch.stop()[0], *page, *sql, count))
    return measured


def _backends(bare: Any) -> list[Path]:
    """Where the system says how long the database's processes have run, if it does."""
    if isinstance(bare, sqlite3.Connection):
        return []
    ours = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
    rows = bare.execute(ours).fetchall()
    bare.rollback()
    return [file for (pid,) in rows if (file := Path(f"/proc/{pid}/schedstat")).exists()]


def _line(name: str, measured: list[Asked]) -> str:
    def both(values: list[float]) -> str:
        return f"{percentile(values, 50):6.1f} / {percentile(values, 95):6.1f}"

    page, again, sql = (percentile([getattr(each, what) for each in measured], 95) for what in ("page", "again", "sql"))
    bound = SEARCH_MS if name.startswith(("search", "Ctrl-K")) else PAGE_MS
    misses = [f"over {bound} ms"] if page > bound else []
    misses += [f"SQL + {again - sql:.1f} ms"] if again > sql + OVER_SQL_MS else []
    return (
        f"page {both([each.page for each in measured])}, again {both([each.again for each in measured])}"
        f"   SQL {both([each.sql for each in measured])} ms"
        f"   processors {both([each.page_busy for each in measured])}, {both([each.sql_busy for each in measured])} ms"
        f"   {max(each.statements for each in measured):2} statements   {', '.join(misses) or 'within'}"
    )


@contextmanager
def recorded(place: Place) -> Iterator[list[Step]]:
    """What the application says to its database, for as long as this is open."""
    steps: list[Step] = []
    with place.app.app_context():
        engine = db.engine

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        steps.append((statement, values))

    listeners = {
        "before_cursor_execute": note,
        "commit": lambda _: steps.append(("commit", None)),
        "rollback": lambda _: steps.append(("rollback", None)),
    }
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield steps
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


def bare_connection(place: Place) -> Any:
    """A connection with the application's settings."""
    url = place.environment["DATABASE_URL"]
    if not url.startswith("sqlite"):
        connection: Any = psycopg.connect(url)
        connection.execute("; ".join(POSTGRESQL))
        connection.commit()
        return connection
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    for statement in SQLITE:
        connection.execute(statement)
    return connection


def _replay(bare: Any, steps: list[Step]) -> None:
    """What was inserted once may be refused the second time: that takes as long."""
    for statement, values in steps:
        try:
            if statement in ("commit", "rollback"):
                getattr(bare, statement)()
            else:
                cursor = bare.execute(statement, values)
                cursor.fetchall() if cursor.description else None
        except (psycopg.IntegrityError, sqlite3.IntegrityError):
            bare.rollback()


if __name__ == "__main__":
    main()
