"""What takes long to count is remembered for a minute, for all who look. It says when it was counted.

Only of periods with very many rows: those of others are counted each time, and so are as new as the page.
"""

from datetime import datetime

import orjson
import structlog
from redis import RedisError

from app.analytics.figures import Figures
from app.analytics.kpis import Kpis
from app.analytics.periods import Period
from app.analytics.tables import Work
from app.database import utcnow
from app.extensions import get_redis

log = structlog.get_logger()
SECONDS = 60  # no figure is shown that is older
MANY = 50_000  # rows: about a tenth of a second


def recall(account_id: int, period: Period) -> Figures | None:
    try:
        kept = get_redis().get(_key(account_id, period))
    except RedisError:
        return None
    figures = _read(kept) if isinstance(kept, bytes) else None
    return figures if figures and _age(figures) < SECONDS else None


def remember(account_id: int, period: Period, figures: Figures) -> None:
    left = int(SECONDS - _age(figures))
    if figures.rows < MANY or left <= 0:
        return
    try:
        get_redis().set(_key(account_id, period), orjson.dumps(figures), ex=left)
    except RedisError as error:
        log.warning("figures_not_remembered", error=type(error).__name__)


def _age(figures: Figures) -> float:
    return (utcnow() - figures.as_of).total_seconds()


def _key(account_id: int, period: Period) -> str:
    return f"greenroom:figures:{account_id}:{period.first}:{period.after}:{period.zone.key}:{period.step}"


def _read(kept: bytes) -> Figures:
    said = orjson.loads(kept)
    said["as_of"] = datetime.fromisoformat(said["as_of"])
    for name in ("kpis", "previous"):
        said[name] = Kpis(**said[name])
    for name in ("campaigns", "staff"):
        said[name] = [(each, Work(**work)) for each, work in said[name]]
    return Figures(**said)
