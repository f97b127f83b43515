"""What rules cost: `python -m bench.segments [--database sqlite|postgres|both] [--scale 1] [--keep FOLDER]`.

At scale 1 the business of bench/analytics.py: 1,000,000 fans with subscriptions, tags and fields of one's own, 10,000,000
messages, 10,000,000 payments; SQLite is filled to a tenth. Each rule is asked for its number and its first fans, however long
that takes, beside its very statements on the bare driver; and as the builder asks it while it is made, which does not wait.
"""

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import event, func, literal, select

from app.database import db, write
from app.fans.models import Fan
from app.money.actions import refresh_spends
from app.segments import glancing
from app.segments import queries as segments
from app.segments.ready_made import READY_MADE
from app.segments.rules import Group, parse
from bench import analytics, full_size, inbox_load
from bench.place import add_result, percentile

TIMES, FIRST = 5, 8
Ask = Callable[[], object]


def main() -> None:
    results: list[dict[str, object]] = []
    for database, scale, place in full_size.places(full_size.parser(__doc__).parse_args()):
        add_result("segments", results, {"database": database} | analytics.fill(place, scale))
        with place.app.app_context():
            _sum_up(analytics.account())
            add_result("segments", results, {"database": database} | _each(analytics.account()))


def _sum_up(account_id: int) -> None:
    """What fans spent, as whatever writes payments does at once; payments are loaded past it here."""
    if db.session.scalar(select(Fan.id).where(Fan.earned_cents.is_not(None)).limit(1)) is None:
        with write():
            refresh_spends(account_id, select(Fan.id).where(Fan.account_id == account_id))
        inbox_load.tidy()


def _each(account_id: int) -> dict[str, object]:
    """Of each rule: how many it finds, and milliseconds, p50 and worst of some, beside the bare statements."""
    found: dict[str, object] = {}
    for name, rule in (READY | OTHERS).items():
        ask = _asking(account_id, rule)
        times, bare = [_milliseconds(ask) for _ in range(TIMES)], _bare_of(ask)
        ceilings = [_milliseconds(bare) for _ in range(TIMES)]
        number = segments.count_fans(account_id, rule)
        db.session.rollback()
        found[name] = (
            f"{number:9,} fans  {percentile(times, 50):7.1f} / {max(times):7.1f} ms  "
            f"{percentile(times, 50) / percentile(ceilings, 50):.2f} times the bare SQL  built: {_built(account_id, rule)}"
        )
        print(f"  {name:<44} {found[name]}", flush=True)
    return found


def _built(account_id: int, rule: Group) -> str:
    """While it is being made: the longest of some, and what is seen then."""
    longest = max(_milliseconds(lambda: glancing.glance(account_id, rule, FIRST)) for _ in range(TIMES))
    seen = glancing.glance(account_id, rule, FIRST)
    db.session.rollback()
    number = "exact" if seen.is_exact else "no number yet" if seen.number is None else f"about {seen.number:,}"
    return f"{longest:5.1f} ms, {number}, {len(seen.first)} fans"


def _all(*rules: dict[str, Any], match: str = "all") -> Group:
    return parse({"match": match, "rules": list(rules)})


def _is(field: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"field": field, "op": op, **more} | ({} if value is None else {"value": value})


READY = {key: each.rule for key, each in READY_MADE.items()}
OTHERS = {
    "tagged regular": _all(_is("tag", "is", "regular")),
    "spent $100 in 30 days": _all(_is("spend", "atLeast", 10_000, days=30)),
    "spent $100 in tips": _all(_is("spend", "atLeast", 10_000, kind="tip")),
    "nothing spent in 90 days": _all(_is("spend", "atMost", 0, days=90)),
    "waits for an answer": _all(_is("waiting", "is", value=True)),
    "not written to for 30 days, never wrote": _all(_is("weWrote", "beforeLast", 30), _is("fanWrote", "isNotSet")),
    "wrote in the last 24 hours": _all(_is("fanWrote", "inLast", 24, unit="hours")),
    "got the campaign": _all(_is("campaign", "got", 1)),
    "did not buy from the campaign": _all(_is("campaign", "notBought", 1)),
    "name contains": _all(_is("name", "contains", "an")),
    "a field of one's own, as a number": _all(_is("custom", "atLeast", 40, name="Age")),
    "a field of one's own, as a text": _all(_is("custom", "contains", "4", name="Age")),
    "something spent in 365 days": _all(_is("spend", "atLeast", 1, days=365)),
    "spent $100 in 90 days": _all(_is("spend", "atLeast", 10_000, days=90)),
    **{f"spent ${dollars} in {days} days": _all(_is("spend", "atLeast", dollars * 100, days=days)) for dollars, days in (
        (10, 90), (50, 90), (100, 180), (100, 365),
    )},
    "added since a day": _all(_is("added", "since", "2026-06-01")),
    "active, spent $50, not vip, not waiting": _all(
        _is("subscriptionStatus", "is", "active"),
        _is("spend", "atLeast", 5_000),
        {"match": "none", "rules": [_is("tag", "is", "vip"), _is("waiting", "is", value=True)]},
    ),
    "vip or whale or spent $500": _all(
        _is("tag", "is", "vip"), _is("tag", "is", "whale"), _is("spend", "atLeast", 50_000), match="any"
    ),
}  # fmt: skip


def summary(account_id: int) -> dict[str, Any]:
    """Of the ready-made ones together: their number and first rows."""
    everybody = select(func.count()).select_from(Fan).where(Fan.account_id == literal(account_id))
    bare = min(_milliseconds(lambda: db.session.scalar(everybody)) for _ in range(5))
    asking = {key: _asking(account_id, rule) for key, rule in READY.items()}
    times = {key: min(_milliseconds(ask) for _ in range(3)) for key, ask in asking.items()}
    bares = {key: _bare_of(ask) for key, ask in asking.items()}
    ceilings = {key: min(_milliseconds(bare) for _ in range(3)) for key, bare in bares.items()}
    worst = max(times, key=lambda key: times[key])
    return {
        "bare count of all fans (ms)": round(bare, 1),
        "segments, count and first rows, median (ms)": round(percentile(list(times.values()), 50), 1),
        "the slowest segment (ms)": f"{worst}: {times[worst]:.1f}",
        "all of them, times the bare SQL of the same": round(sum(times.values()) / sum(ceilings.values()), 2),
    }


def _bare_of(ask: Ask) -> Ask:
    """The very statements that it issues, with their values, past everything but the driver."""
    steps: list[tuple[str, Any]] = []
    event.listen(db.engine, "before_cursor_execute", note := lambda *said: steps.append((said[2], said[3])))
    ask()
    event.remove(db.engine, "before_cursor_execute", note)
    db.session.rollback()
    return lambda: [db.session.connection().exec_driver_sql(*step).fetchall() for step in steps if step[0] != "BEGIN"]


def _asking(account_id: int, rule: Group) -> Ask:
    return lambda: segments.look(account_id, rule, FIRST)


def _milliseconds(ask: Ask) -> float:
    began = time.monotonic()
    ask()
    took = (time.monotonic() - began) * 1000
    db.session.rollback()
    return took


if __name__ == "__main__":
    main()
