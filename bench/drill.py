"""The drill: a real stack runs a campaign while it is killed, flushed and restarted, a hundred times.

    python -m bench.drill [--database sqlite|postgres|both] [--messages 2000] [--deeds 100] [--seed 1]

Every part is the real one: the launcher, web, two senders, Valkey, the database, and a sandbox platform that answers
one call in twenty each with 429, 500, a line cut before and a line cut after it accepted, all of them late. A seeded
script does one deed every second or so. In the end the platform's own journal is held against our books.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import redis
from sqlalchemy import select

from app import create_app
from app.campaigns.actions import Plan, launch
from app.config import redis_socket
from app.conversations.actions import Draft
from app.database import db
from app.platforms.models import Connection
from bench.place import add_result
from tests.servers import make_database, running_postgres, wait_until
from tests.stack.stack import Stack

PACE = (100, 5)
TROUBLE = {"error429": 0.05, "error500": 0.05, "dropBefore": 0.05, "dropAfterAccept": 0.05, "delaySeconds": 0.3}
SETTINGS = {
    "GREENROOM_PACE": "{}/{}".format(*PACE),
    "GREENROOM_SENDERS": "2",
    "GREENROOM_SEND_LEASE": "8",
    "GREENROOM_SEND_BACKOFF": "0.2/5",
    "GREENROOM_LIMIT_BULK": "1000/hour",
}
SETTLE_SECONDS = 900
TO_BE_CANCELLED = 100  # recipients of a campaign beside the others, which somebody cancels
MOST_AT_ONCE = 900  # recipients of one campaign: the demo has a thousand fans
WENT_OUT = ("sent", "delivered", "read")
ENDS = ("sent", "failed", "unknown", "cancelled")


@dataclass
class Drill:
    stack: Stack
    seed: int
    campaigns: list[int] = field(default_factory=list)  # of which the last is to be cancelled
    deeds: Counter[str] = field(default_factory=Counter)
    violations: int = 0
    _seen: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._count_violations, daemon=True)

    def begin(self) -> None:
        self.stack.start()
        self._make_trouble()
        self._watcher.start()

    def _make_trouble(self) -> None:
        self.stack.sandbox.faults(limit=PACE[0], windowSeconds=PACE[1], seed=self.seed, **TROUBLE)

    def _count_violations(self) -> None:
        """The sandbox counts in memory: what it counted before it was restarted is kept here."""
        while not self._over.wait(0.1):
            try:
                now = self.stack.sandbox.stats()["violations"]
            except httpx.HTTPError:
                continue
            self.violations += max(now - self._seen, 0) if now >= self._seen else now
            self._seen = now

    def do_something(self) -> None:
        deed = self.dice.choice(DEEDS)
        self.deeds[deed.__name__] += 1
        deed(self)

    def press(self, verb: str, campaign: int) -> None:
        """Whatever comes of it: the web may be away, and the campaign may be through."""
        headers = {"Authorization": f"Bearer {self.stack.token}"}
        try:
            taken = self.stack.http.post(f"/api/campaigns/{campaign}/{verb}", headers=headers).is_success
        except httpx.HTTPError:
            taken = False
        if not taken:
            self.deeds[f"({verb} was not taken)"] += 1

    def resume_all(self) -> None:
        for campaign in self.campaigns:
            if self.stack.call("GET", f"/api/campaigns/{campaign}")["status"] == "paused":
                self.press("resume", campaign)

    def end(self) -> None:
        self._over.set()
        self._watcher.join()


def kill_a_sender(drill: Drill) -> None:
    if pids := drill.stack.pids("sender"):
        os.kill(drill.dice.choice(sorted(pids)), signal.SIGKILL)


def kill_the_worker(drill: Drill) -> None:
    _kill(drill, "worker")


def kill_the_web(drill: Drill) -> None:
    _kill(drill, "web")


def kill_valkey(drill: Drill) -> None:
    _kill(drill, "valkey")


def flush_redis(drill: Drill) -> None:
    try:
        redis.Redis(unix_socket_path=str(redis_socket(drill.stack.instance))).flushall()
    except redis.RedisError:
        drill.deeds["(Valkey was away already)"] += 1


def kill_the_launcher(drill: Drill) -> None:
    drill.stack.kill("launcher")
    drill.stack.start()
    drill._make_trouble()


def stop_and_start(drill: Drill) -> None:
    drill.stack.stop(signal.SIGTERM)
    drill.stack.start()
    drill._make_trouble()


def pause_a_campaign(drill: Drill) -> None:
    drill.press("pause", drill.dice.choice(drill.campaigns))


def resume_a_campaign(drill: Drill) -> None:
    drill.press("resume", drill.dice.choice(drill.campaigns))


def cancel_the_last_campaign(drill: Drill) -> None:
    drill.press("cancel", drill.campaigns[-1])


DEEDS: list[Callable[[Drill], None]] = [
    kill_a_sender, kill_a_sender, kill_a_sender, kill_the_worker, kill_the_web, kill_valkey, flush_redis, flush_redis,
    kill_the_launcher, stop_and_start, pause_a_campaign, pause_a_campaign, resume_a_campaign, resume_a_campaign,
    resume_a_campaign, cancel_the_last_campaign,
]  # fmt: skip


def _kill(drill: Drill, kind: str) -> None:
    """Nothing where it is down already: the launcher has not brought it back yet."""
    for pid in drill.stack.pids(kind):
        os.kill(pid, signal.SIGKILL)


def run(database: str, messages: int, deeds: int, seed: int) -> dict[str, object]:
    """The books after a drill, as a table of names and values."""
    with _place(database) as (folder, settings), Stack(folder / "instance", **SETTINGS, **settings) as stack:
        drill = Drill(stack, seed)
        drill.begin()
        began = time.monotonic()
        text = f"drill {seed} {os.urandom(4).hex()}"
        drill.campaigns = campaigns = _launch(stack, messages, text)
        for _ in range(deeds):
            time.sleep(drill.dice.uniform(0.5, 1.5))
            drill.do_something()
        wait_until(lambda: _is_up(stack), 60, 0.2)
        drill.resume_all()
        wait_until(lambda: _waiting(stack, campaigns) == 0, SETTLE_SECONDS, 1)
        seconds = time.monotonic() - began
        drill.end()
        return {
            "database": database,
            "seed": seed,
            "deeds": dict(sorted(drill.deeds.items())),
            "seconds": round(seconds),
        } | books(stack, campaigns, text, drill.violations)


@contextmanager
def _place(database: str) -> Iterator[tuple[Path, dict[str, str]]]:
    folder = Path(tempfile.mkdtemp(prefix="gr-drill-"))
    if database == "sqlite":
        yield folder, {}
        return
    with running_postgres() as server:
        yield folder, {"DATABASE_URL": make_database(server, "drill")}


def _launch(stack: Stack, messages: int, text: str) -> list[int]:
    """As many campaigns as it takes, and one more, by the verb that the composer calls: each fan gets a line of each."""
    fans = _linked_fans(stack)
    os.environ.update(stack.environment)
    app = create_app()
    with app.app_context():
        account_id = db.session.scalar(select(Connection.account_id)) or 0
        sizes = [min(MOST_AT_ONCE, messages - first) for first in range(0, messages, MOST_AT_ONCE)] + [TO_BE_CANCELLED]
        plans = [Plan(fans[:size], Draft(f"{text} line {place}")) for place, size in enumerate(sizes)]
        return [launch(account_id, plan).id for plan in plans]


def _linked_fans(stack: Stack) -> list[int]:
    """Once the connection has fetched its fans."""

    def found() -> list[int]:
        fans = _pages(stack, "/api/crm/fans", "fans")
        ids = [fan["id"] for fan in fans if fan["platformFanId"] and not fan["doNotMessage"]]
        return ids if len(ids) >= MOST_AT_ONCE else []

    return wait_until(found, 60, 1)


def _is_up(stack: Stack) -> bool:
    try:
        return stack.sign_in().is_success
    except httpx.HTTPError:
        return False


def _waiting(stack: Stack, campaigns: list[int]) -> int:
    return sum(metrics["queued"] + metrics["sending"] for metrics in _metrics(stack, campaigns))


def _metrics(stack: Stack, campaigns: list[int]) -> list[dict[str, int]]:
    return [stack.call("GET", f"/api/campaigns/{each}")["metrics"] for each in campaigns]


def books(stack: Stack, campaigns: list[int], text: str, violations: int) -> dict[str, object]:
    """Ours, beside what the platform wrote into its journal."""
    chats = {
        fan["id"]: int(fan["platformFanId"]) for fan in _pages(stack, "/api/crm/fans", "fans") if fan["platformFanId"]
    }
    accepted = [each for each in _journal(stack) if each["mine"] and text in each["text"]]
    copies = Counter((each["chat"], each["text"].split(" line ")[1][0]) for each in accepted)
    ended, arrived = Counter[str](), Counter[str]()
    for place, campaign in enumerate(campaigns):
        for line in _pages(stack, f"/api/campaigns/{campaign}/recipients", "recipients"):
            status = "sent" if line["status"] in WENT_OUT else line["status"]
            ended[status] += 1
            arrived[status] += bool(copies[chats[line["fanId"]], str(place)])
    return {
        "planned": ended.total() - ended["skipped"],
        "sent + failed + unknown + cancelled": sum(ended[each] for each in ENDS),
        **{status: ended[status] for status in ENDS},
        "of the unknown, arrived": arrived["unknown"],
        "accepted by the platform": len(accepted),
        "accepted twice": sum(count - 1 for count in copies.values()),
        "accepted but called failed": arrived["failed"] + arrived["cancelled"],
        "called sent but never accepted": ended["sent"] - arrived["sent"],
        "violations of the pace": violations + _too_many_in_a_window([each["at"] for each in accepted]),
    }


def _pages(stack: Stack, path: str, name: str) -> Iterator[dict]:
    cursor: str | None = ""
    while cursor is not None:
        page = stack.call("GET", f"{path}?limit=200&cursor={cursor}")
        yield from page[name]
        cursor = page["nextCursor"]


def _journal(stack: Stack) -> list[dict]:
    """All messages of the platform's own file, with the chat they stand in."""
    lines = (stack.instance / "sandbox.jsonl").read_text().splitlines()
    return [body for line in lines for kind, body in json.loads(line) if kind == "message"]


def _too_many_in_a_window(times: list[int]) -> int:
    """Microseconds in; how many arrivals had already N before them within the window."""
    ordered = sorted(times)
    return sum(at - ordered[place] < PACE[1] * 1_000_000 for place, at in enumerate(ordered[PACE[0] :]))


def faults_of(result: dict[str, object]) -> list[str]:
    """What the books must not say."""
    wrong = ("accepted twice", "accepted but called failed", "called sent but never accepted", "violations of the pace")
    found = [f"{name}: {result[name]}" for name in wrong if result[name]]
    if result["planned"] != result["sent + failed + unknown + cancelled"]:
        found.append("planned is not sent + failed + unknown + cancelled")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--deeds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    databases = ("sqlite", "postgres") if options.database == "both" else (options.database,)
    results: list[dict[str, object]] = []
    for database in databases:
        add_result("drill", results, run(database, options.messages, options.deeds, options.seed))
    faults = [fault for result in results for fault in faults_of(result)]
    print("\n".join(faults) or "\nNothing was lost, sent twice, or sent too fast.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
