"""Numbers for Prometheus. What the database knows is counted from it at each scrape, so it is right on any process and after
any restart; docs/running.md says what each is for. No label names a person or an account: a connection is its id.
"""

import os
import shutil
from collections.abc import Iterator
from typing import Any

from flask import current_app
from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from redis import RedisError

from app import background, clock, measured
from app.conversations.models import MessageStatus
from app.database import utcnow
from app.operations import counts, health, versions
from app.platforms.condition import Breaker, breaker_of
from app.platforms.models import ConnectionStatus

BREAKERS = {Breaker.CLOSED: 0, Breaker.HALF_OPEN: 1, Breaker.OPEN: 2}
KINDS = {True: "reply", False: "campaign"}


def registries() -> Iterator[CollectorRegistry]:
    """One after the other: what this machine's web processes count, and what is counted now."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        yield together
    else:
        yield measured.here
    counted = CollectorRegistry()
    counted.register(_Counted())  # type: ignore[arg-type]
    yield counted


class _Counted:
    def collect(self) -> Iterator[Metric]:
        is_there = health.database_answers()
        yield _gauge("greenroom_database_up", "Whether the database answers: 1 or 0.", [((), is_there)])
        if is_there:
            yield from _messages()
            yield from _connections()
            yield from _database()
        yield from _redis()
        yield from _machine()


def _gauge(name: str, text: str, rows: Any, labels: tuple[str, ...] = ()) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, number in rows:
        family.add_metric(values, float(number))
    return family


def _counter(name: str, text: str, found: dict[str, int], label: str) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for kind, number in sorted(found.items()):
        family.add_metric([kind], number)
    return family


def _messages() -> Iterator[Metric]:
    waiting, now = counts.waiting(), utcnow()
    by_status = counts.for_people() | {
        MessageStatus.QUEUED.value: sum(each.count for each in waiting),
        MessageStatus.SENDING.value: counts.in_flight(),
    }
    yield _gauge(
        "greenroom_messages",
        "Outgoing messages that are not settled.",
        [((status,), number) for status, number in sorted(by_status.items())],
        ("status",),
    )
    of = ("connection", "kind")
    rows = [((str(each.connection_id), KINDS[each.is_reply]), each) for each in waiting]
    yield _gauge(
        "greenroom_queue_messages", "Messages that wait to be sent.", [(where, each.count) for where, each in rows], of
    )
    ages = [(where, (now - each.oldest).total_seconds()) for where, each in rows]
    yield _gauge("greenroom_queue_oldest_seconds", "Age of the message that has waited longest.", ages, of)
    text = "Rows of imports, by what became of them."
    yield _counter("greenroom_import_rows", text, counts.import_rows(), "outcome")
    yield _gauge(
        "greenroom_events_unhandled", "Webhooks that are stored and not yet handled.", [((), counts.events_unhandled())]
    )


def _connections() -> Iterator[Metric]:
    stands, now = counts.connections(), clock.now()
    found = [((str(each.connection.id),), each) for each in stands]
    used = [(where, each.used / each.connection.pace_limit) for where, each in found]
    yield _gauge("greenroom_pace_used_ratio", "Part of the pace's window that is used, 0 to 1.", used, ("connection",))
    breakers = [(where, BREAKERS[breaker_of(each.connection, now)]) for where, each in found]
    yield _gauge(
        "greenroom_breaker", "0: all goes. 1: one call tries. 2: nothing goes.", breakers, ("connection",)
    )  # fmt: skip
    states = [
        ((*where, status.value), each.connection.status == status)
        for where, each in found
        for status in ConnectionStatus
    ]
    yield _gauge(
        "greenroom_connection_status", "1 for the status that a connection has.", states, ("connection", "status")
    )


def _database() -> Iterator[Metric]:
    yield _gauge("greenroom_database_bytes", "Size of the database.", [((), counts.database_bytes())])
    if (number := counts.database_connections()) is not None:
        yield _gauge("greenroom_database_connections", "Connections to the database, of everybody.", [((), number)])


def _redis() -> Iterator[Metric]:
    name, text = "greenroom_redis_up", "Whether Redis answers: 1 or 0."
    try:
        jobs, sends = background.queues(), measured.counted("sends")
    except RedisError:
        yield _gauge(name, text, [((), 0)])
        return
    yield _gauge(name, text, [((), 1)])
    text = "Calls to platforms to send, by what came of them."
    yield _counter("greenroom_send_attempts", text, sends, "outcome")
    of = ("queue",)
    yield _gauge(
        "greenroom_jobs_waiting", "Background jobs that wait.", [((each.name,), each.waiting) for each in jobs], of
    )
    text = "Seconds that the first job in line has waited."
    yield _gauge("greenroom_jobs_oldest_seconds", text, [((each.name,), each.oldest_seconds) for each in jobs], of)
    yield _gauge(
        "greenroom_jobs_failed", "Failed jobs that are kept.", [((each.name,), each.failed) for each in jobs], of
    )
    text = "Whether a worker listens to the queue: 1 or 0."
    yield _gauge("greenroom_queue_served", text, [((each.name,), each.is_served) for each in jobs], of)


def _machine() -> Iterator[Metric]:
    disk = shutil.disk_usage(current_app.config["INSTANCE"])
    yield _gauge("greenroom_disk_bytes", "Size of the disk with the instance folder.", [((), disk.total)])
    yield _gauge("greenroom_disk_free_bytes", "What is free of it.", [((), disk.free)])
    info = InfoMetricFamily("greenroom", "Versions.")
    info.add_metric([], versions.short())
    yield info
