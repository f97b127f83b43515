"""Analytics at full size: `python -m bench.analytics [--database sqlite|postgres|both] [--scale 1] [--requests 60]`.

At scale 1: 1,000,000 fans, 10,000,000 messages of the inbox's bench, and 10,000,000 transactions over the same two years,
nearly all of them one account's. SQLite is filled to a tenth of the scale. Each page is asked of the WSGI application in
this process, beside its very statements on a bare connection right after it: see bench/inbox.py. Periods are drawn anew for
each request, so that nothing is answered from what was counted for the one before; but for the last 30 days, which are asked
for again and again, as people do. And each is asked after a worker has kept what is past; of a few months it is also measured
what they take before that. At the end the same figures of a month, summed from the rows by SQL alone: see analytics_by_sql.py.
"""

import os
import random
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.accounts.models import Account, User
from app.analytics import stretches
from app.analytics.periods import Period
from app.database import db, utcnow
from app.money.models import Transaction
from bench import analytics_by_sql, full_size, inbox_load, inbox_rows
from bench.inbox import CONVERSATIONS, FANS, MESSAGES, Asked, bare_connection, measure_kind, recorded
from bench.inbox_pages import Kind
from bench.place import Place, add_result, percentile
from tests.people import Person

TRANSACTIONS = 10_000_000
PAGE_MS = 300
UTC_ZONE = ZoneInfo("UTC")
PAGE, API = "/platforms/onlyfans/analytics", "/api/analytics/onlyfans"
KINDS = (("message", 1500), ("tip", 1000), ("subscription", 999), ("renewal", 999))


def main() -> None:
    parser = full_size.parser(__doc__)
    parser.add_argument("--requests", type=int, default=60)
    options, results = parser.parse_args(), list[dict[str, object]]()
    for database, scale, place in full_size.places(options):
        add_result("analytics", results, {"database": database} | fill(place, scale))
        add_result("analytics", results, {"database": database} | _measure(place, options.requests))


def fill(place: Place, scale: float) -> dict[str, object]:
    size = [int(scale * rows) for rows in (FANS, CONVERSATIONS, MESSAGES)]
    count, seconds = int(scale * TRANSACTIONS), 0.0
    with place.app.app_context():
        if not inbox_load.is_filled():
            seconds = inbox_load.fill(*size)
        missing = count - (db.session.scalar(select(func.count()).select_from(Transaction)) or 0)
        if missing > 0:
            inbox_load.load(Transaction, inbox_rows.TRANSACTION, _payments(account(), size[0], missing))
            inbox_load.tidy()
    shown = " / ".join(f"{rows:,}" for rows in (*size, count))
    return {"fans, conversations, messages, transactions": shown, "filled in (s)": round(seconds)}


def account() -> int:
    return db.session.scalar(select(Account.id).where(Account.name == inbox_load.BIG)) or 0


def _payments(account_id: int, fans: int, count: int) -> Iterator[tuple[Any, ...]]:
    """In the order of time, as they come; some fans pay far more often than others."""
    dice, now = random.Random(5), utcnow()
    for number in range(count):
        at = inbox_load.write_time(now - timedelta(seconds=inbox_rows.SPAN * (1 - number / count)))
        kind, cents = dice.choice(KINDS)
        fan = min(fans, 1 + int(dice.paretovariate(0.3) * fans / 50)) if number % 2 else 1 + dice.randrange(fans)
        yield account_id, f"p{number}", kind, cents, at, "onlyfans", inbox_rows.of_the_big_house(fan), None, "USD", at


def _measure(place: Place, requests: int) -> dict[str, object]:
    with place.app.app_context():
        account_id = account()
        user_id = db.session.scalar(select(User.id).where(User.email == inbox_load.ADA)) or 0
    client = Person(place.app, inbox_load.ADA, user_id, account_id, "").browser()
    found: dict[str, object] = {"load before, of so many cores": f"{os.getloadavg()[0]:.1f} of {os.cpu_count()}"}
    with recorded(place) as steps, closing(bare_connection(place)) as bare:

        def measure(kind: Kind, times: int) -> None:
            found[kind.name] = _line(measure_kind(client, kind, times, steps, bare))
            print(f"  {kind.name:<44} {found[kind.name]}", flush=True)

        measure(_of(PAGE, 30, name=", nothing kept"), 5)
        found["kept in (s)"] = _keep(place, account_id)
        for kind in _kinds():
            measure(kind, requests)
    with place.app.app_context():
        found["the figures of a month, by SQL alone (ms)"] = _by_sql(account_id)
        print(f"  {found['the figures of a month, by SQL alone (ms)']}", flush=True)
    return found | {"load after": f"{os.getloadavg()[0]:.1f}"}


def _keep(place: Place, account_id: int) -> int:
    """What a worker does beside its work, here by itself. Returns seconds."""
    began = time.monotonic()
    with place.app.app_context():
        while stretches.due(account_id):
            stretches.keep(account_id)
    return round(time.monotonic() - began)


def _by_sql(account_id: int) -> str:
    """Of some of the same months as the page's: the median and the longest."""
    dice, times = random.Random(3), list[float]()
    for _ in range(5):
        after = date.today() - timedelta(days=dice.randrange(400))  # noqa: DTZ011
        began = time.monotonic()
        analytics_by_sql.ask(account_id, Period(after - timedelta(days=30), after, UTC_ZONE))
        times.append((time.monotonic() - began) * 1000)
    return f"{percentile(times, 50):.0f} / {max(times):.0f}"


def _kinds() -> list[Kind]:
    rows = (("transactions", ""), ("fans", "paying"), ("messages", "in"), ("messages", "waits"))
    return [
        Kind(f"{PAGE}, again and again", lambda *_: PAGE, {}),
        _of(PAGE, 7), _of(PAGE, 30), _of(PAGE, 90), _of(PAGE, 365), _of(API, 30, "timezone=Europe/Paris&"),
        *(_of(f"{PAGE}/rows", 30, f"report={report}&which={which}&") for report, which in rows),
    ]  # fmt: skip


def _of(path: str, days: int, more: str = "", name: str = "") -> Kind:
    def address(dice: random.Random, _before: str) -> str:
        after = date.today() - timedelta(days=dice.randrange(400))  # noqa: DTZ011
        return f"{path}?{more}from={after - timedelta(days=days)}&to={after}"

    return Kind(f"{path} {more} {days} days{name}", address, {})


def _line(measured: list[Asked]) -> str:
    def both(values: list[float]) -> str:
        return f"{percentile(values, 50):7.1f} / {percentile(values, 95):7.1f}"

    page = percentile([each.page for each in measured], 95)
    return (
        f"page {both([each.page for each in measured])}   SQL {both([each.sql for each in measured])} ms"
        f"   {max(each.statements for each in measured):2} statements   {'within' if page <= PAGE_MS else f'over {PAGE_MS} ms'}"
    )


if __name__ == "__main__":
    main()
