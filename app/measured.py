"""What is counted while it happens, for Prometheus (operations/metrics.py shows it, with all that is counted from the database).

Requests and sockets are numbers of this machine's web processes: several share files in the instance folder, as
prometheus_client has it where gunicorn.conf.py names a folder. What workers count is kept in Redis, for all machines: a
Redis that was emptied begins at nought again, which Prometheus knows how to read.
"""

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from redis import RedisError

from app.extensions import get_redis

log = structlog.get_logger()
KEY = "greenroom:counted"
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

here = CollectorRegistry()  # of this process; where there are several, their files hold all
requests = Counter(
    "greenroom_requests", "Requests answered, by the template of their route.",
    ["route", "method", "status"], registry=here,
)  # fmt: skip
request_seconds = Histogram(
    "greenroom_request_seconds", "Seconds until a request was answered.",
    ["route", "method"], buckets=BUCKETS, registry=here,
)  # fmt: skip
sockets = Gauge("greenroom_sockets", "Open live lines to browsers.", registry=here, multiprocess_mode="livesum")


def count(what: str, kind: str, by: int = 1) -> None:
    """One more of a kind. With Redis away it is not counted: what it counts is known from the database all the same."""
    try:
        get_redis().hincrby(KEY, f"{what}:{kind}", by)
    except RedisError as error:
        log.debug("not_counted", what=what, error=type(error).__name__)


def counted(what: str) -> dict[str, int]:
    """By kind. Raises redis.RedisError."""
    found: dict[bytes, bytes] = get_redis().hgetall(KEY)  # type: ignore[assignment]
    pairs = ((name.decode().partition(":"), int(number)) for name, number in found.items())
    return {kind: number for (group, _, kind), number in pairs if group == what}
