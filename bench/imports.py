"""Imports at full size: `python -m bench.imports [--database sqlite|postgres|both] [--rows 100000 1000000]`.

The whole story, from the upload to the result, by a real worker: a file of new fans, then the same file again. Beside
it, in the same run and on the same machine, the ceiling: the same rows written by the database's fastest way into the
same tables with the same indexes (SQLite: executemany upserts; PostgreSQL: COPY into a staging table and
INSERT … ON CONFLICT), where nothing is read, checked, rehearsed or undone.
"""

import argparse
import csv
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import text

from app.accounts.models import Account
from app.bulk import insert_many
from app.database import db, on_postgresql, table_of, utcnow, write
from app.fans.keys import keys_of
from app.fans.models import Fan, FanTag
from app.imports import actions
from app.imports.models import ImportStatus
from bench.place import Place, a_place, add_result, peak_megabytes

HEADER = ("Username", "Display Name", "Email", "Subscription Tier", "Total Spent", "Last Seen")
TIERS = ("VIP", "Gold", "Silver", "Bronze", "")
WORDS = ("amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "hazel", "ivory", "jade", "kelp", "lumen")
NAMES = (
    "id", "account_id", "platform", "name", "handle", "email", "notes", "stated_value_cents", "value_cents", "last_seen_at",
    "do_not_message", "custom", "name_key", "handle_key", "email_key", "search_text", "created_at", "updated_at",
)  # fmt: skip


def main() -> None:
    options = _options()
    os.environ["GREENROOM_MAX_UPLOAD_MB"] = "2000"
    databases = ("sqlite", "postgres") if options.database == "both" else (options.database,)
    results: list[dict[str, object]] = []
    for database in databases:
        for rows in options.rows:
            add_result("imports", results, measure(database, rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    return parser.parse_args()


def measure(database: str, rows: int) -> dict[str, object]:
    with a_place(database) as place:
        ceiling_new, ceiling_again = _ceiling(place, rows)
    with a_place(database) as place:
        file = Path(place.environment["GREENROOM_INSTANCE"]) / "fans.csv"
        _write_file(file, rows)
        place.start_workers(1, "imports")
        time.sleep(4)
        new, again = _story(place, file), _story(place, file)
        memory = peak_megabytes(place.workers[0].pid)
    return {
        "database": database,
        "rows": rows,
        "ceiling, new (rows/s)": round(rows / ceiling_new),
        "ceiling, again (rows/s)": round(rows / ceiling_again),
        "the story, new (rows/s)": round(rows / new),
        "the story, again (rows/s)": round(rows / again),
        "new, of the ceiling": f"{ceiling_new / new:.0%}",
        "again, of the ceiling": f"{ceiling_again / again:.0%}",
        "seconds, new / again": f"{new:.1f} / {again:.1f}",
        "peak memory of the worker (MB)": round(memory),
    }


def fans(rows: int) -> Iterator[tuple[str, str, str, str, int, str]]:
    """The same ones each time: handle, name, e-mail, tier, cents, day."""
    dice = random.Random(7)
    for number in range(rows):
        first, last = dice.choice(WORDS), dice.choice(WORDS)
        handle = f"{first}_{last}_{dice.randrange(10**6)}_{number}"
        day = f"2026-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"
        yield (
            handle,
            f"{first.title()} {last.title()} L{'é' if number % 10 == 0 else 'e'}e",
            f"{handle}@example.com",
            dice.choice(TIERS),
            dice.randrange(10**6),
            day,
        )


def _write_file(file: Path, rows: int) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(HEADER)
        for handle, name, email, tier, cents, day in fans(rows):
            writer.writerow([handle, name, email, tier, f"${cents // 100:,}.{cents % 100:02}", day])


def _story(place: Place, file: Path) -> float:
    """Seconds from the upload to the result."""
    with place.app.app_context():
        account_id = _account_id()
        began = time.monotonic()
        with file.open("rb") as content:
            started = actions.start(account_id, None, filename="fans.csv", content=content)
        done = actions.wait_for(started.id, 3600)
        seconds = time.monotonic() - began
        assert done.status == ImportStatus.COMPLETED, done.failure
        assert not done.skipped
        return seconds


def _account_id() -> int:
    account = db.session.scalar(db.select(Account).limit(1))
    if account is None:
        with write() as session:
            account = Account(name="Bench")
            session.add(account)
    return account.id


def _ceiling(place: Place, rows: int) -> tuple[float, float]:
    """Seconds for new rows and for the same again, from values that lie ready in memory."""
    with place.app.app_context():
        people, tags = _rows(_account_id(), rows)
        seconds = []
        for _ in range(2):
            began = time.monotonic()
            with write():
                if on_postgresql():
                    _copy_and_upsert(people, tags)
                else:
                    _upsert(people, tags)
            seconds.append(time.monotonic() - began)
        return seconds[0], seconds[1]


def _rows(account_id: int, rows: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    now, people, tags = utcnow().replace(tzinfo=None).isoformat(" "), [], []
    for number, (handle, name, email, tier, cents, day) in enumerate(fans(rows), 1):
        keys = keys_of(name, f"@{handle}", email)
        people.append(
            (number, account_id, "onlyfans", name, f"@{handle}", email, "", cents, cents, f"{day} 00:00:00", False, "{}",
             keys["name_key"], keys["handle_key"], keys["email_key"], keys["search_text"], now, now)
        )  # fmt: skip
        if tier:
            tags.append((number, tier.casefold(), tier, account_id))
    return people, tags


_CHANGED = (
    "name",
    "handle",
    "email",
    "stated_value_cents",
    "value_cents",
    "last_seen_at",
    "name_key",
    "email_key",
    "search_text",
)
_SET = ", ".join(f"{name} = excluded.{name}" for name in _CHANGED)
_ON_CONFLICT = f"ON CONFLICT (account_id, handle_key) DO UPDATE SET {_SET}"


def _upsert(people: list[tuple[Any, ...]], tags: list[tuple[Any, ...]]) -> None:
    connection = db.session.connection()
    names, marks = ", ".join(NAMES), ", ".join("?" * len(NAMES))
    connection.exec_driver_sql(f"INSERT INTO fans ({names}) VALUES ({marks}) {_ON_CONFLICT}", people)
    connection.exec_driver_sql(
        "INSERT OR IGNORE INTO fan_tags (fan_id, tag_key, tag, account_id) VALUES (?, ?, ?, ?)", tags
    )


def _copy_and_upsert(people: list[tuple[Any, ...]], tags: list[tuple[Any, ...]]) -> None:
    names = ", ".join(NAMES)
    for statement in (
        "CREATE TEMP TABLE new_fans (LIKE fans INCLUDING DEFAULTS) ON COMMIT DROP",
        "CREATE TEMP TABLE new_tags (LIKE fan_tags) ON COMMIT DROP",
    ):
        db.session.execute(text(statement))
    staging = (
        table_of(Fan).to_metadata(db.MetaData(), name="new_fans"),
        table_of(FanTag).to_metadata(db.MetaData(), name="new_tags"),
    )
    insert_many(staging[0], NAMES, people)
    insert_many(staging[1], ("fan_id", "tag_key", "tag", "account_id"), tags)
    db.session.execute(text(f"INSERT INTO fans ({names}) SELECT {names} FROM new_fans {_ON_CONFLICT}"))
    db.session.execute(text("INSERT INTO fan_tags SELECT * FROM new_tags ON CONFLICT DO NOTHING"))


if __name__ == "__main__":
    main()
