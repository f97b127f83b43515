"""The outbox under load: `python -m bench.outbox [--database sqlite|postgres|both] [--seconds 180] [--connections 1000]`.

Four figures on each database, in one run:
- the ceiling: what the sandbox platform alone takes from a bare loop;
- deliveries with no pace to hold them back, as a part of that ceiling;
- many connections at ten a minute each: what was sent of what was allowed, and what it cost;
- how soon a reply leaves behind a campaign of ten thousand.
"""

import argparse
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from sqlalchemy import func, select

from app.conversations import actions
from app.conversations.actions import Draft
from app.conversations.models import Conversation, Message
from app.database import db
from bench.outbox_rows import add_connections
from bench.place import Place, a_place, add_result, cpu_seconds, peak_megabytes, percentile
from tests.servers import http_client

WORKERS = 2
CLIENTS = 16


def main() -> None:
    options = _options()
    databases = ("sqlite", "postgres") if options.database == "both" else (options.database,)
    results: list[dict[str, object]] = []
    for database in databases:
        with a_place(database) as place:
            add_result("outbox", results, {"database": database} | ceiling(place))
        with a_place(database) as place:
            found = many_connections(place, options.connections, options.seconds)
            add_result("outbox", results, {"database": database} | found)
        for pace in ((10, 60), (600, 60)):
            with a_place(database) as place:
                found = replies_behind_campaigns(place, pace, options.seconds)
                add_result("outbox", results, {"database": database} | found)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--seconds", type=int, default=180)
    return parser.parse_args()


def ceiling(place: Place) -> dict[str, object]:
    alone = bare_loop(place)
    place.sandbox.reset()
    unpaced = deliver_unpaced(place)
    return {
        "sandbox alone (sends/s)": round(alone),
        "delivered without a pace (sends/s)": round(unpaced),
        "of the ceiling": f"{unpaced / alone:.1%}",
    }


def bare_loop(place: Place, seconds: float = 3) -> float:
    """Sends a second that the sandbox takes from keep-alive clients who do nothing else."""
    ends_at = time.monotonic() + seconds
    headers = {"Authorization": "Bearer sandbox-bench"}

    def loop(number: int) -> int:
        done = 0
        with http_client(place.sandbox.url, headers=headers) as client:
            while time.monotonic() < ends_at:
                answer = client.post(f"/api/acct_bare/chats/{number + 1}/messages", json={"text": "hello"})
                done += answer.raise_for_status().is_success
        return done

    with ThreadPoolExecutor(CLIENTS) as pool:
        return sum(pool.map(loop, range(CLIENTS))) / seconds


def deliver_unpaced(place: Place, connections: int = 20, messages: int = 500) -> float:
    """Sends a second, from the first arrival to the last, with a pace that never holds."""
    with place.app.app_context():
        add_connections("unpaced", connections, messages, place.sandbox.url, (100_000, 1))
    place.start_workers(WORKERS, "sending")
    arrivals = _wait_for_sends(place, connections * messages, 300)
    return len(arrivals) / (arrivals[-1] - arrivals[0])


def many_connections(
    place: Place, connections: int, seconds: int, pace: tuple[int, int] = (10, 60)
) -> dict[str, object]:
    spacing = pace[1] / pace[0]
    place.sandbox.faults(limit=pace[0], windowSeconds=pace[1])
    with place.app.app_context():
        add_connections("many", connections, int(seconds / spacing) + 5, place.sandbox.url, pace)
    place.start_workers(WORKERS, "sending")
    time.sleep(seconds + 2 * spacing + 5)  # the workers' own start, and the first round
    pids = [worker.pid for worker in place.workers]
    cpu, memory = sum(map(cpu_seconds, pids)), [round(peak_megabytes(pid)) for pid in pids]
    place.stop_workers()
    arrivals: dict[str, list[float]] = {}
    for send in place.sandbox.sends():
        arrivals.setdefault(send["account"], []).append(send["receivedAt"])
    within = sum(sum(at < times[0] + seconds for at in times) for times in arrivals.values())
    allowed = connections * seconds * pace[0] / pace[1]
    gaps = [later - earlier for times in arrivals.values() for earlier, later in pairwise(times)]
    stats = place.sandbox.stats()
    return {
        "connections": connections,
        "pace": "{}/{}".format(*pace),
        "seconds": seconds,
        "sent of allowed": f"{within / allowed:.2%}",
        "sends": within,
        "violations": stats["violations"],
        "longest gap, p99.9 and max (s)": f"{percentile(gaps, 99.9):.2f} / {max(gaps):.2f}",
        "CPU of the senders (cores)": round(cpu / seconds, 2),
        "CPU per send (ms)": round(1000 * cpu / max(stats["total"], 1), 2),
        "peak memory per sender (MB)": memory,
    }


def replies_behind_campaigns(place: Place, pace: tuple[int, int], seconds: float) -> dict[str, object]:
    """Ten campaigns of 10,000, and replies that use a fifth of the pace: seconds from the commit until the platform has it."""
    connections, fans = 10, 10_000
    place.sandbox.faults(limit=pace[0], windowSeconds=pace[1])
    with place.app.app_context():
        accounts = add_connections("replies", connections, fans, place.sandbox.url, pace)
    place.start_workers(WORKERS, "sending")
    _wait_for_sends(place, connections, 60)
    posted: dict[str, float] = {}
    spacing = pace[1] / pace[0]
    threads = [
        threading.Thread(target=_reply_now_and_then, args=(place, account_id, seconds, spacing, posted))
        for account_id in accounts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(pace[1])  # whatever was queued has found a slot by then
    arrived = {send["text"]: send["receivedAt"] for send in place.sandbox.sends() if send["text"] in posted}
    waits = [arrived[text] - at for text, at in posted.items() if text in arrived]
    return {
        "replies behind campaigns of": fans,
        "pace": "{}/{}".format(*pace),
        "spacing (s)": spacing,
        "replies": f"{len(arrived)} of {len(posted)} arrived",
        "left within, p50 / p95 / max (s)": " / ".join(f"{percentile(waits, each):.2f}" for each in (50, 95, 100)),
        "violations": place.sandbox.stats()["violations"],
    }


def _reply_now_and_then(
    place: Place, account_id: int, seconds: float, spacing: float, posted: dict[str, float]
) -> None:
    """To fans whose campaign message is far back in the line."""
    dice = random.Random(account_id)
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        time.sleep(5 * spacing * dice.uniform(0.5, 1.5))
        text = f"reply {account_id} {len(posted)} {dice.random()}"
        with place.app.app_context():
            chat = db.session.scalar(
                select(Conversation.id)
                .where(Conversation.account_id == account_id)
                .order_by(Conversation.id.desc())
                .offset(dice.randrange(1000))
                .limit(1)
            )
            message = actions.send_message(account_id, chat or 0, Draft(text))
            posted[text] = message.created_at.timestamp()


def _wait_for_sends(place: Place, number: int, seconds: float) -> list[float]:
    """Times of arrival. Raises TimeoutError."""
    ends_at = time.monotonic() + seconds
    while place.sandbox.stats()["accepted"] < number:
        if time.monotonic() > ends_at:
            with place.app.app_context():
                rows = db.session.execute(select(Message.status, func.count()).group_by(Message.status))
                raise TimeoutError(f"not {number} within {seconds} s: {Counter(dict(rows.tuples().all()))}")
        time.sleep(1)  # the sandbox counts all it has to answer this, and is to have its time for sends
    return sorted(send["receivedAt"] for send in place.sandbox.sends() if send["text"] == "hello")


if __name__ == "__main__":
    main()
