"""Campaigns at full size: `python -m bench.campaigns [--database sqlite|postgres|both] [--fans 100000]`.

A launch to all fans, by the page's own action and a real worker, until each has their message; a reply that is posted
meanwhile every tenth of a second; what segments cost; and sending without a pace. Beside it, in the same run: the same
rows by one bare INSERT … SELECT a table in one transaction (while which no reply could be posted on SQLite), the bare SQL
of each count, and a bare loop of sends.
"""

import argparse
import threading
import time

from sqlalchemy import func, select, text

from app.accounts.models import Account
from app.bulk import insert_many, prepare_for_many
from app.campaigns import actions
from app.campaigns.actions import Plan
from app.campaigns.models import Recipient
from app.conversations.actions import Draft, send_to_fan
from app.database import db, on_postgresql, table_of, utcnow, write
from app.fans.keys import keys_of
from app.fans.models import Fan
from app.platforms import actions as platforms
from app.platforms.queries import first_connection
from app.segments.rules import EVERYBODY
from bench import segments
from bench.imports import fans
from bench.outbox import ceiling
from bench.place import Place, a_place, add_result, percentile

NAMES = (
    "id", "account_id", "platform", "platform_fan_id", "name", "handle", "email", "notes", "stated_value_cents", "value_cents",
    "last_seen_at", "do_not_message", "custom", "name_key", "handle_key", "email_key", "search_text", "created_at", "updated_at",
)  # fmt: skip
TEXT, FILLED = "Something new for all of you", "Hello {{first_name|love}}, something new"
MOST_SECONDS = 600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--fans", type=int, default=100_000)
    options = parser.parse_args()
    databases = ("sqlite", "postgres") if options.database == "both" else (options.database,)
    results: list[dict[str, object]] = []
    for database in databases:
        add_result("campaigns", results, measure(database, options.fans))


def measure(database: str, number: int) -> dict[str, object]:
    with a_place(database) as place, place.app.app_context():
        bare_audience, bare = _bare(_fill(place, number))
    result: dict[str, object] = {
        "database": database,
        "fans": number,
        "bare INSERT … SELECT of the audience (s)": round(bare_audience, 2),
        "bare INSERT … SELECT of all rows (s)": round(bare, 1),
    }
    for name, words in (("one text", TEXT), ("filled in", FILLED)):
        with a_place(database) as place:
            with place.app.app_context():
                account_id = _fill(place, number)
            place.start_workers(1, "incoming", "links")
            time.sleep(4)
            frozen, whole, replies = _launch(place, account_id, number, words)
            result[f"{name}: frozen (s)"] = f"{frozen:.2f}, {bare_audience / frozen:.0%} of the bare one"
            result[f"{name}: all messages made (s)"] = round(whole, 1)
            result[f"{name}: of the bare one"] = f"{bare / whole:.0%}"
            result[f"{name}: replies posted meanwhile, p50 / p95 / longest (ms)"] = (
                f"{percentile(replies, 50):.0f} / {percentile(replies, 95):.0f} / {max(replies):.0f} ({len(replies)})"
            )
    with a_place(database) as place, place.app.app_context():
        result |= segments.summary(_fill(place, number))
    with a_place(database) as place:
        result |= ceiling(place)
    return result


def _fill(place: Place, number: int) -> int:
    """An account with so many fans. Returns its id."""
    with write() as session:
        account = Account(name="Bench")
        session.add(account)
    platforms.connect(
        account.id, base_url=place.sandbox.url, external_account="acct_bench", api_key="sandbox-test",
        pace_limit=1, pace_window_seconds=3600,
    )  # fmt: skip
    now, rows = utcnow().replace(tzinfo=None).isoformat(" "), []
    for place_, (handle, name, email, _, cents, day) in enumerate(fans(number), 1):
        keys = keys_of(name, f"@{handle}", email)
        rows.append(
            (place_, account.id, "onlyfans", str(100_000_000 + place_), name, f"@{handle}", email, "", cents, cents,
             f"{day} 00:00:00", False, "{}", keys["name_key"], keys["handle_key"], keys["email_key"], keys["search_text"],
             now, now)
        )  # fmt: skip
    with write():
        insert_many(table_of(Fan), NAMES, rows)
    if on_postgresql():
        with write() as session:
            session.execute(text("SELECT setval(pg_get_serial_sequence('fans', 'id'), (SELECT max(id) FROM fans))"))
            session.execute(text("ANALYZE"))
    return account.id


def _bare(account_id: int) -> tuple[float, float]:
    """Seconds for the recipients of a launch, and for all of its rows, by nothing but SQL."""
    key = "replace(gen_random_uuid()::text, '-', '')" if on_postgresql() else "lower(hex(randomblob(16)))"
    false = "false" if on_postgresql() else "0"
    moment = "now()" if on_postgresql() else "'2026-11-01 00:00:00.000000'"
    campaign, connection = actions._new_campaign(account_id, _plan(TEXT)), first_connection(account_id, "onlyfans")
    with write() as session:
        campaign.connection_id = connection.id if connection else None
        session.add(campaign)
    began, ends = time.monotonic(), []
    with write() as session:
        prepare_for_many() if not on_postgresql() else None
        for statement in (
            "INSERT INTO recipients (account_id, campaign_id, fan_id, wording, nth, created_at)"
            f" SELECT :a, :c, id, 0, 1, {moment} FROM fans WHERE account_id = :a ORDER BY value_cents DESC",
            "INSERT INTO conversations (account_id, fan_id, platform, unread_count, archived, pinned, seq, created_at)"
            f" SELECT :a, id, 'onlyfans', 0, {false}, {false}, 1, {moment} FROM fans WHERE account_id = :a",
            "INSERT INTO messages (account_id, conversation_id, fan_id, connection_id, direction, status, campaign_id, text,"
            " search_text, price_cents, attachments, purchased, rank, idempotency_key, tries, doubt, created_at, changed_at)"
            f" SELECT :a, v.id, r.fan_id, :o, 'out', 'queued', :c, :t, lower(:t), 0, '[]', {false}, 5, {key}, 0, '',"
            f" {moment}, {moment} FROM recipients r JOIN conversations v ON v.fan_id = r.fan_id WHERE r.campaign_id = :c",
            "UPDATE recipients SET message_id = m.id FROM messages m WHERE m.campaign_id = recipients.campaign_id"
            " AND m.fan_id = recipients.fan_id",
            "INSERT INTO room_events (room, seq, account_id, kind, subject_id, created_at)"
            f" SELECT 'thread:' || conversation_id, 1, :a, 'message', id, {moment} FROM messages",
        ):
            values = {"a": account_id, "c": campaign.id, "o": campaign.connection_id, "t": TEXT}
            session.execute(text(statement), {name: values[name] for name in values if f":{name}" in statement})
            ends.append(time.monotonic())
    return ends[0] - began, time.monotonic() - began


def _plan(words: str) -> Plan:
    return Plan((), Draft(words), name="Bench", rule=EVERYBODY, is_template=True)


def _launch(place: Place, account_id: int, number: int, words: str) -> tuple[float, float, list[float]]:
    """Seconds until the audience was frozen, and until all messages stood; milliseconds of replies posted meanwhile."""
    replies: list[float] = []
    done = threading.Event()
    poster = threading.Thread(target=_post_replies, args=(place, account_id, done, replies))
    with place.app.app_context():
        began = time.monotonic()
        campaign = actions.launch(account_id, _plan(words)).id
        frozen = time.monotonic() - began
        poster.start()
        made = select(func.count()).where(Recipient.campaign_id == campaign, Recipient.message_id.is_not(None))
        while db.session.scalar(made) < number:
            db.session.rollback()
            assert time.monotonic() - began < MOST_SECONDS, "it does not come to its end"
            time.sleep(0.2)
        whole = time.monotonic() - began
    done.set()
    poster.join()
    return frozen, whole, replies


def _post_replies(place: Place, account_id: int, done: threading.Event, took: list[float]) -> None:
    with place.app.app_context():
        while not done.is_set():
            began = time.monotonic()
            send_to_fan(account_id, 1 + len(took), Draft("A reply in between"))
            took.append((time.monotonic() - began) * 1000)
            db.session.remove()
            done.wait(0.1)


if __name__ == "__main__":
    main()
