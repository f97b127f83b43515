"""How far an export is, how fast it goes, and when its rows will be written. Arithmetic; no database, no web."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.database import utcnow
from app.portability.models import AccountExport


@dataclass
class SoFar:
    """Written, and of how much."""

    rows: int = 0
    of_rows: int = 0
    files: int = 0  # media
    of_files: int = 0
    is_whole: bool = False


Progress = Callable[[SoFar], None]


@dataclass(frozen=True)
class Pace:
    rows_per_second: int
    ends_at: datetime


def pace_of(found: AccountExport) -> Pace | None:
    """None before the first rows and after the last: how long media take, rows do not tell."""
    if not found.started_at or not 0 < found.rows < found.total_rows:
        return None
    now = utcnow()
    rate = found.rows / max((now - found.started_at).total_seconds(), 0.001)
    return Pace(round(rate), now + timedelta(seconds=(found.total_rows - found.rows) / rate))
