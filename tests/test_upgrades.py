"""Upgrades: what an older release wrote is there unchanged after each migration, and that release can go on writing."""

import warnings
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy.exc import SAWarning

from app.config import ROOT
from app.database import db
from tests import servers
from tests.check_migrations import BY_HAND, app_on

FIRST_RELEASE = "0020"
ROWS = 3
Found = dict[str, list[dict[str, Any]]]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old_app(request: pytest.FixtureRequest, tmp_path) -> Flask:
    """On the first release's tables."""
    if request.param == "sqlite":
        app = app_on(f"sqlite:///{tmp_path / 'old.sqlite'}")
    else:
        app = app_on(servers.make_database(request.getfixturevalue("postgres_url"), f"old_{tmp_path.name[:40]}"))
    with app.app_context():
        upgrade(revision=FIRST_RELEASE)
    return app


def test_what_was_written_stays_and_the_old_release_goes_on_writing(old_app: Flask):
    known = ScriptDirectory(str(ROOT / "migrations")).iterate_revisions("head", FIRST_RELEASE)
    later = [each.revision for each in reversed(list(known))]
    assert later[0] == "0021"
    with old_app.app_context():
        tables = tables_of()
        write_rows(tables, 1)
        written = rows_of(tables)
        assert len(written) > 25
        assert all(len(rows) == ROWS for rows in written.values())
        for number, revision in enumerate(later):
            upgrade(revision=revision)
            counted_anew(written, revision)
            assert rows_of(tables) == written, revision
            write_rows(tables, 100 * (number + 1))
            written = rows_of(tables)


def counted_anew(rows: Found, revision: str) -> None:
    """What a migration draws from other rows anew, as it is to be then: none of the payments here is of a kind that buys."""
    if revision == "0032":
        for fan in rows["fans"]:
            fan["last_purchase_at"] = None
    if revision == "0035":  # nor is one in dollars
        for fan in rows["fans"]:
            fan["earned_cents"], fan["value_cents"] = None, fan["stated_value_cents"]


def change(sql: str) -> None:
    with db.engine.begin() as connection:
        connection.execution_options(writes=True).execute(sa.text(sql))


def ask(sql: str) -> list[tuple[Any, ...]]:
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(sa.text(sql))]


def test_whom_an_automatic_campaign_has_considered_is_inside(old_app: Flask):
    """Else the upgrade itself would make fans come in."""
    with old_app.app_context():
        write_rows(tables_of(), 1)
        upgrade(revision="0030")
        change("UPDATE campaigns SET trigger = 'segment', status = 'active' WHERE id = 1")
        change("UPDATE campaigns SET trigger = 'segment', status = 'cancelled' WHERE id = 2")
        change("UPDATE campaigns SET trigger = 'purchase', status = 'active' WHERE id = 3")
        upgrade(revision="0031")
        assert ask("SELECT campaign_id, fan_id, account_id FROM stays") == [(1, 1, 1)]


def test_a_subscription_is_a_purchase_no_longer(old_app: Flask):
    with old_app.app_context():
        write_rows(tables_of(), 1)
        upgrade(revision="0031")
        change("UPDATE transactions SET kind = 'renewal', fan_id = 1 WHERE id = 1")
        change("UPDATE transactions SET kind = 'tip', fan_id = 2, at = '2026-03-01 09:00:00' WHERE id = 2")
        change("UPDATE transactions SET kind = 'subscription', fan_id = 2 WHERE id = 3")
        upgrade(revision="0032")
        fans = ask("SELECT last_purchase_at, messages_cents, tips_cents, subscriptions_cents FROM fans ORDER BY id")
        assert [(None if at is None else str(at)[:16], *cents) for at, *cents in fans] == [
            (None, None, None, 1), ("2026-03-01 09:00", None, 2, 3), ("2026-03-01 12:03", None, None, None),
        ]  # fmt: skip


def test_when_each_paid_last_is_found_in_their_payments(old_app: Flask):
    with old_app.app_context():
        write_rows(tables_of(), 1)
        upgrade(revision="0033")
        change("UPDATE transactions SET fan_id = 1, at = '2026-03-01 09:00:00' WHERE id = 1")
        change("UPDATE transactions SET fan_id = 1, at = '2026-03-02 09:00:00', gross_cents = -1 WHERE id = 2")
        change("UPDATE transactions SET fan_id = 2, gross_cents = -1 WHERE id = 3")
        upgrade(revision="0034")
        paid = [at and str(at)[:16] for (at,) in ask("SELECT last_paid_at FROM fans ORDER BY id")]
        assert paid == ["2026-03-01 09:00", None, None]


def test_dollars_alone_are_added_up(old_app: Flask):
    """The first fan paid in both, the second in euros alone; what the third has spent in dollars stays as it stands."""
    with old_app.app_context():
        write_rows(tables_of(), 1)
        upgrade(revision="0034")
        change("INSERT INTO transactions (id, account_id, platform_transaction_id, kind, gross_cents, at, platform, fan_id,"
               " currency, created_at) SELECT 4, account_id, 'four', 'tip', -200, '2026-03-01 10:00:00', platform, 1, 'USD',"
               " created_at FROM transactions WHERE id = 1")  # fmt: skip
        change("UPDATE transactions SET fan_id = 1, currency = 'USD', kind = 'tip', gross_cents = 500 WHERE id = 1")
        change("UPDATE transactions SET fan_id = 1, currency = 'EUR', kind = 'tip', gross_cents = 700 WHERE id = 2")
        change("UPDATE transactions SET fan_id = 2, currency = 'EUR', kind = 'tip', gross_cents = 900 WHERE id = 3")
        change("UPDATE fans SET stated_value_cents = 30, value_cents = 1200, earned_cents = 1200, tips_cents = 1200,"
               " last_paid_at = '2026-03-01 12:02:00'")  # fmt: skip
        upgrade(revision="0035")
        columns = "value_cents, earned_cents, tips_cents, messages_cents, last_paid_at"
        found = [(*cents, at and str(at)[:16]) for *cents, at in ask(f"SELECT {columns} FROM fans ORDER BY id")]
        assert found == [
            (300, 300, 300, None, "2026-03-01 12:01"), (30, None, None, None, None),
            (1200, 1200, 1200, None, "2026-03-01 12:02"),
        ]  # fmt: skip


def test_what_was_taken_back_is_no_purchase(old_app: Flask):
    with old_app.app_context():
        write_rows(tables_of(), 1)
        upgrade(revision="0034")
        change(
            "UPDATE transactions SET kind = 'tip', fan_id = 1, gross_cents = 5, at = '2026-03-01 09:00:00' WHERE id = 1"
        )
        change("UPDATE transactions SET kind = 'message', fan_id = 1, gross_cents = -5 WHERE id = 2")
        change("UPDATE transactions SET kind = 'tip', fan_id = 2, gross_cents = -5 WHERE id = 3")
        change("UPDATE fans SET last_purchase_at = '2026-03-05 12:00:00'")
        upgrade(revision="0035")
        found = [at and str(at)[:16] for (at,) in ask("SELECT last_purchase_at FROM fans ORDER BY id")]
        assert found == ["2026-03-01 09:00", None, "2026-03-05 12:00"]


def test_whose_conversations_are_is_known_from_then_on(old_app: Flask):
    with old_app.app_context():
        write_rows(tables_of(), 1)
        upgrade(revision="0035")
        change("UPDATE conversations SET assignee_id = CASE WHEN id = 2 THEN NULL ELSE 4 - id END")
        upgrade(revision="0037")
        found = ask("SELECT conversation_id, assignee_id, at FROM assignments ORDER BY id")
        assert [(thread, whom) for thread, whom, _ in found] == [(1, 3), (3, 1)]
        assert all(str(at)[:10] == str(datetime.now(UTC))[:10] for *_, at in found)


def test_what_was_paid_lately_is_summed_up(old_app: Flask):
    """The second fan paid in euros, and had something taken back; the third long ago."""
    with old_app.app_context():
        write_rows(tables_of(), 1)
        upgrade(revision="0037")
        change("UPDATE transactions SET fan_id = id, currency = 'USD', gross_cents = id * 100, at = CURRENT_TIMESTAMP")
        change("INSERT INTO transactions (id, account_id, platform_transaction_id, kind, gross_cents, at, platform, fan_id,"
               " currency, created_at) SELECT id + 3, account_id, id, 'tip', 7 - 9 * (id - 1), at, platform, id, 'USD',"
               " created_at FROM transactions WHERE id < 3")  # fmt: skip
        change("UPDATE transactions SET currency = 'EUR' WHERE id = 2")
        change("UPDATE transactions SET at = '2020-01-01 12:00:00' WHERE id = 3")
        upgrade(revision="0038")
        assert ask("SELECT lately_cents FROM fans ORDER BY id") == [(107,), (None,), (None,)]


def test_an_id_that_was_given_is_not_given_again(old_app: Flask):
    """On PostgreSQL it never was. What points at the tables stays as it is."""
    with old_app.app_context():
        write_rows(tables_of(), 1)
        upgrade(revision="0039")
        change("UPDATE room_events SET room = 'thread:70' WHERE seq = (SELECT max(seq) FROM room_events)")
        change("UPDATE message_media SET medium = '/media/80' WHERE message_id = 3")
        counts = "SELECT (SELECT count(*) FROM messages), (SELECT count(*) FROM notes), (SELECT count(*) FROM media)"
        before = ask(counts)
        upgrade()
        assert ask(counts) == before != [(0, 0, 0)]
        if db.engine.dialect.name == "sqlite":
            seen = "SELECT name, seq FROM sqlite_sequence WHERE name IN ('conversations', 'media') ORDER BY name"
            assert ask(seen) == [("conversations", 70), ("media", 80)]
            assert ask("PRAGMA foreign_key_check") == []
            assert ask("PRAGMA integrity_check") == [("ok",)]


def tables_of() -> list[sa.Table]:
    metadata = sa.MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", SAWarning
        )  # of what stands in no model: expressions, tables that point in a ring
        metadata.reflect(db.engine)
        tables = metadata.sorted_tables
    return [each for each in tables if not each.name.startswith((*BY_HAND, "alembic_version"))]


def write_rows(tables: list[sa.Table], first: int) -> None:
    """Into each table rows with all columns it has: the nth points at the nth of each other table."""
    with db.engine.begin() as connection:
        connection = connection.execution_options(writes=True)
        there: set[str] = set()
        for table in tables:
            there.add(table.name)
            rows = [
                {c.name: value_of(c, number, there) for c in table.columns} for number in range(first, first + ROWS)
            ]
            connection.execute(sa.insert(table), rows)


def value_of(column: sa.Column, number: int, there: set[str]) -> Any:
    if column.foreign_keys and not {each.column.table.name for each in column.foreign_keys} <= there:
        return None
    match column.type:
        case sa.Boolean():
            return False
        case sa.Integer():
            return number
        case sa.DateTime():
            return datetime(2026, 3, 1, 12, number % 60, tzinfo=UTC if db.engine.dialect.name == "postgresql" else None)
        case sa.JSON():
            return {"number": number}
        case sa.Float() | sa.Numeric():
            return number / 4
        case sa.Text() | sa.String():
            return f"{column.table.name} {column.name} {number}"
    raise AssertionError(f"no value for {column!r}")


def rows_of(tables: list[sa.Table]) -> Found:
    """By the columns that the old release knows."""
    with db.engine.connect() as connection:
        return {
            each.name: [dict(row) for row in connection.execute(sa.select(each).order_by(*each.primary_key)).mappings()]
            for each in tables
        }
