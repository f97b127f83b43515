"""Times that name no zone are read in the one that was said, or the account's. Whether that fits is seen by payments that are
here already: all of them some hours away, the file was written by another clock, and each payment would stand twice.
"""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, cast, func, or_, select, true

from app.database import UTCDateTime, db, on_postgresql
from app.imports.models import ImportRow, Outcome
from app.imports.moments import names_its_zone
from app.imports.plan import Plan, clean
from app.imports.row import Reading
from app.money.shifted import Doubt, doubt, find_apart

LOOKED_AT = 1000  # rows from the file's beginning, and from its end: events tell of what is new, and stand at either
LOOKED_AT_NAMELESS = 100  # each may be anybody's


def is_by_a_bare_clock(reading: Reading, plan: Plan) -> bool:
    """Whether a payment's time is one of the clock, and nothing says of which zone."""
    at, clock, zone = (plan.fields.get(name) for name in ("at", "time", "zone"))
    if at is None or at.zone or (zone and _cell(reading, zone.index)):
        return False
    text = " ".join(_cell(reading, each.index) for each in (at, clock) if each)
    return ":" in text and not names_its_zone(text)


def _cell(reading: Reading, index: int) -> str:
    return clean(reading.cells[index]) if index < len(reading.cells) else ""


def find_doubt(account_id: int, import_id: int, plan: Plan) -> Doubt | None:
    """After the rehearsal has decided about all rows."""
    new = (ImportRow.import_id == import_id) & (ImportRow.outcome == Outcome.NEW)
    named = bool(plan.identity)
    of = db.session.scalar(select(func.count()).select_from(ImportRow).where(new)) or 0
    at_once = LOOKED_AT if named else LOOKED_AT_NAMELESS
    ends = (
        select(ImportRow.row).where(new).order_by(by).limit(at_once) for by in (ImportRow.row, ImportRow.row.desc())
    )
    is_at_an_end = or_(*(ImportRow.row.in_(select(each.subquery().c.row)) for each in ends))
    told = select(*_said().values()).where(new, is_at_an_end).subquery("told")
    found = find_apart(account_id, told, _moment(told.c.at), true(), named=named)
    db.session.commit()  # no transaction is held while the zones are gone through
    return doubt(found, ZoneInfo(plan.zone), min(of, 2 * at_once))


def _said() -> dict[str, Any]:
    texts = {name: ImportRow.after[name].as_string().label(name) for name in ("at", "kind", "currency")}
    cents = cast(ImportRow.after["gross_cents"].as_string(), BigInteger).label("gross_cents")
    return texts | {"key": ImportRow.row.label("key"), "fan_id": ImportRow.fan_id, "gross_cents": cents}


def _moment(text: Any) -> Any:
    """As they stand in a row's values: in UTC, without saying so."""
    return cast(text + "+00", UTCDateTime) if on_postgresql() else text
