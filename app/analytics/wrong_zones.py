"""Statements that were read by another clock than they were written by, as is seen once events tell the same payments."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from app.analytics import counted
from app.analytics.periods import Period
from app.database import db
from app.imports.models import Import
from app.imports.options import Options
from app.imports.zone_doubts import LOOKED_AT, LOOKED_AT_NAMELESS
from app.money.models import Transaction
from app.money.shifted import Doubt, doubt, find_apart
from app.money.twins import IN_EVENTS_ALONE, IN_STATEMENTS_ALONE

MOST_LOOKED_AT = 10


@dataclass(frozen=True)
class WrongZone:
    of_import: Import
    doubt: Doubt


def wrong_zones(account_id: int, period: Period) -> list[WrongZone]:
    """Of the statements with the most payments in the period that no event told. By the newest payments of each."""
    alone = select(Transaction.import_id, func.count()).where(counted.moved(account_id, period), IN_STATEMENTS_ALONE)
    most = alone.group_by(Transaction.import_id).order_by(func.count().desc()).limit(MOST_LOOKED_AT)
    counts = dict(db.session.execute(most).all())
    imports = db.session.scalars(select(Import).where(Import.account_id == account_id, Import.id.in_(counts)))
    each = ((found, _doubt_of(found, period, counts[found.id])) for found in imports.all())
    return [WrongZone(found, doubt) for found, doubt in each if doubt]


def _doubt_of(found: Import, period: Period, count: int) -> Doubt | None:
    options = Options.from_json(found.options)
    if not options.has_bare_clocks:
        return None
    named = bool(options.plan.identity)
    looked_at = LOOKED_AT if named else LOOKED_AT_NAMELESS
    columns = (Transaction.fan_id, Transaction.kind, Transaction.gross_cents, Transaction.currency, Transaction.at)
    told = (
        select(Transaction.id.label("key"), *columns)
        .where(counted.moved(found.account_id, period), Transaction.import_id == found.id)
        .order_by(Transaction.at.desc())
        .limit(looked_at)
        .subquery("told")
    )
    apart = find_apart(found.account_id, told, told.c.at, IN_EVENTS_ALONE, named=named)
    return doubt(apart, ZoneInfo(options.plan.zone), min(count, looked_at))
