"""How a connection fares: its breaker, how fast it may go for now, and what its pace means in plain words.

Ticks are those of the steady clock (app/clock.py).
"""

from datetime import date
from enum import StrEnum
from zoneinfo import ZoneInfo

from app.clock import SECOND
from app.database import utcnow
from app.formats import plural
from app.platforms.models import Connection

BREAKER_FAULTS = 5  # in a row
BREAKER_STEPS = 16  # it first opens for this part of the longest backoff, then twice as long each time
SLOWEST_PERCENT = 25
RECOVERED_PERCENT = 50  # of the pace, each window


class Breaker(StrEnum):
    CLOSED = "closed"  # all goes
    OPEN = "open"  # nothing goes: too many calls in a row failed
    HALF_OPEN = "half_open"  # one call tries whether the platform is back


def breaker_of(connection: Connection, now: int) -> Breaker:
    if connection.faults_in_a_row < BREAKER_FAULTS:
        return Breaker.CLOSED
    return Breaker.OPEN if (connection.held_tick or 0) > now else Breaker.HALF_OPEN


def after_fault(connection: Connection, now: int, longest_backoff: float) -> dict[str, int]:
    """What to write down after one more fault. longest_backoff: seconds."""
    faults = connection.faults_in_a_row + 1
    if faults < BREAKER_FAULTS:
        return {"faults_in_a_row": faults}
    seconds = longest_backoff * min(2 ** (faults - BREAKER_FAULTS) / BREAKER_STEPS, 1)
    return {"faults_in_a_row": faults, "held_tick": now + round(seconds * SECOND)}


def speed_percent(connection: Connection, now: int) -> int:
    """How much of its pace a connection uses: less for a while after the platform said to slow down."""
    if connection.slow_percent >= 100:
        return 100
    window = connection.pace_window_seconds * SECOND
    return min(connection.slow_percent + (now - connection.slowed_tick) * RECOVERED_PERCENT // window, 100)


def after_limit(connection: Connection, now: int, held_until: int) -> dict[str, int]:
    """What to write down when the platform says to slow down: half of the present speed, and a pause."""
    slower = max(speed_percent(connection, now) // 2, SLOWEST_PERCENT)
    return {"slow_percent": slower, "slowed_tick": now, "held_tick": held_until, "faults_in_a_row": 0}


def today_in(zone_name: str) -> date:
    return utcnow().astimezone(ZoneInfo(zone_name)).date()


def sent_on(connection: Connection, day: date) -> int:
    """What its daily cap has counted on a day of the account's zone."""
    return connection.cap_count if connection.cap_day == day.isoformat() else 0


def pace_in_words(connection: Connection) -> str:
    """What the pace, the reserve and the daily cap mean for a campaign to 1,000 fans."""
    limit, window, reserve = connection.pace_limit, connection.pace_window_seconds, connection.reserve
    words = [
        f"Never more than {plural(limit, 'message', 'messages')} in any {plural(window, 'second', 'seconds')}, "
        "replies and campaigns together."
    ]
    if reserve:
        words.append(f"Campaigns use {limit - reserve:,} of them; {reserve:,} are kept for replies.")
    if connection.daily_cap:
        words.append(f"At most {plural(connection.daily_cap, 'message', 'messages')} a day, from midnight on.")
    seconds = 1000 * window / max(limit - reserve, 1)
    if connection.daily_cap:
        seconds = max(seconds, (-(-1000 // connection.daily_cap) - 1) * 86_400)
    duration = _duration(seconds)
    return " ".join([*words, f"A campaign to 1,000 fans takes {duration}."])


def _duration(seconds: float) -> str:
    for size, one, many in ((86_400, "day", "days"), (3_600, "hour", "hours"), (60, "minute", "minutes")):
        if seconds >= 2 * size or (size == 60 and seconds >= size):
            return f"about {plural(round(seconds / size), one, many)}"
    return "less than a minute"
