"""Numbers for Prometheus, counted from the database at each scrape: so they are right on any process, after any restart."""

from collections.abc import Iterator

from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, Metric
from redis import RedisError
from sqlalchemy import func, select

from app.background import queue_lengths
from app.conversations.models import Message, MessageStatus, SendAttempt
from app.conversations.sockets import open_sockets
from app.database import db


class _Counted:
    def collect(self) -> Iterator[Metric]:
        yield _messages_waiting()
        yield _attempts()
        yield from _jobs()
        sockets = GaugeMetricFamily("greenroom_sockets", "Open sockets of the answering process.")
        sockets.add_metric([], open_sockets())
        yield sockets


def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(_Counted())  # type: ignore[arg-type]
    return made


def _messages_waiting() -> Metric:
    family = GaugeMetricFamily("greenroom_messages", "Outgoing messages that are not settled.", labels=["status"])
    wanted = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.FAILED, MessageStatus.UNKNOWN)
    rows = select(Message.status, func.count()).where(Message.status.in_(wanted)).group_by(Message.status)
    counts = {row[0]: row[1] for row in db.session.execute(rows)}
    for status in wanted:
        family.add_metric([status], counts.get(status, 0))
    return family


def _attempts() -> Metric:
    family = CounterMetricFamily("greenroom_send_attempts", "Calls to platforms to send.", labels=["outcome"])
    rows = select(func.coalesce(SendAttempt.outcome, "in_flight"), func.count()).group_by(SendAttempt.outcome)
    for outcome, count in db.session.execute(rows):
        family.add_metric([outcome], count)
    return family


def _jobs() -> Iterator[Metric]:
    try:
        lengths = queue_lengths()
    except RedisError:
        return
    family = GaugeMetricFamily("greenroom_jobs_waiting", "Background jobs that wait.", labels=["queue"])
    for queue, length in lengths.items():
        family.add_metric([queue], length)
    yield family
