"""How fast an import goes, and when it will be done. Arithmetic on what its row says; no database, no web."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.database import utcnow
from app.imports.models import Import


@dataclass(frozen=True)
class Pace:
    rows_per_second: int | None
    ends_at: datetime | None


def pace_of(found: Import) -> Pace:
    if not found.started_at or not found.processed_rows:
        return Pace(None, None)
    now = found.finished_at or utcnow()
    seconds = max((now - found.started_at).total_seconds(), 0.001)
    rate = found.processed_rows / seconds
    left = found.total_rows - found.processed_rows
    return Pace(round(rate), None if found.is_finished else now + timedelta(seconds=left / rate))
