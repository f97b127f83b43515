"""How fast a step of an import goes, and when it will be done. Arithmetic on what its row says; no database, no web."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.database import utcnow
from app.imports.models import Import, ImportStatus


@dataclass(frozen=True)
class Pace:
    rows: int  # that this step goes over
    rows_per_second: int | None
    ends_at: datetime | None


def pace_of(found: Import) -> Pace:
    rows = (
        found.total_rows if found.status in (ImportStatus.REHEARSING, ImportStatus.REHEARSED) else found.rows_to_write
    )
    if not found.started_at or not found.processed_rows:
        return Pace(rows, None, None)
    now = found.finished_at or utcnow()
    seconds = max((now - found.started_at).total_seconds(), 0.001)
    rate = found.processed_rows / seconds
    left = max(rows - found.processed_rows, 0)
    return Pace(rows, round(rate), now + timedelta(seconds=left / rate) if found.is_at_work else None)
