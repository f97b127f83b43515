"""One clock for the log, the limiter and the chats: whole microseconds since 1970, read from the monotonic clock."""

import time
from datetime import UTC, datetime

# The limiter must not be fooled by a step of the wall clock, and its decisions must be checkable from the log's times.
_OFFSET = time.time_ns() // 1000 - time.monotonic_ns() // 1000

SECOND = 1_000_000
DAY = 86_400 * SECOND


def now() -> int:
    return time.monotonic_ns() // 1000 + _OFFSET


def iso(at: int) -> str:
    """2026-06-10T18:35:30+00:00, as the vendor writes it: whole seconds."""
    return datetime.fromtimestamp(at // SECOND, UTC).isoformat()


def iso_micros(at: int) -> str:
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{at % SECOND:06d}Z"


def plain(at: int) -> str:
    """2026-06-10 20:59:47: how `transactions.new` writes it, without a zone."""
    return datetime.fromtimestamp(at // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")
