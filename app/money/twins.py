"""One payment that is told twice: by an event of the platform and by its statement, each with a number of its own.

It is one row, which keeps both numbers: so whatever comes first, and however often, it counts once. The two are known to be
one by fan (where the statement names one; by name, where that is all it has), amount, currency, kind, and times that lie
within WITHIN of each other; each is taken for one other only, the nearest in time. A statement may tell days alone: then the
event lies in that day, by the statement's clock, and of several alike the first of a day is the first of its rows.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, literal_column, or_, select

from app.bulk import is_any_of, many
from app.database import db, on_postgresql, run
from app.fans.models import Fan
from app.money.models import Transaction
from app.money.queries import COUNTED

WITHIN = timedelta(minutes=10)
LONGEST_DAY = timedelta(hours=26)  # on which clocks go back
FAMILIES = {"renewal": "subscription"}  # an event may call new what a statement calls renewed
ANY = "other"  # a statement's word that is not known


IN_BOTH = Transaction.statement_id.is_not(None)
IN_STATEMENTS_ALONE = Transaction.import_id.is_not(None)
IN_EVENTS_ALONE = Transaction.import_id.is_(None) & Transaction.statement_id.is_(None)


def is_same_kind(one: str, other: str) -> bool:
    families = {FAMILIES.get(each, each) for each in (one, other)}
    return len(families) == 1 or ANY in families


def find_in_statements(fan: Fan, kind: str, gross_cents: int, at: datetime) -> Transaction | None:
    """The payment of an event as a statement told it before, if one did. Inside `with write():`."""
    near = and_(Transaction.day_ends_at.is_(None), Transaction.at.between(at - WITHIN, at + WITHIN))
    alike = _in_statements(fan, kind, gross_cents, near)
    nearest = min(alike, key=lambda each: (each.fan_id != fan.id, abs(each.at - at), each.id), default=None)
    if nearest is not None:
        return nearest
    of_the_day = (Transaction.day_ends_at > at) & Transaction.at.between(at - LONGEST_DAY, at)
    alike = _in_statements(fan, kind, gross_cents, of_the_day)
    # Rows are written from the file's last to its first.
    return min(alike, key=lambda each: (each.fan_id != fan.id, -each.id), default=None)


def _in_statements(fan: Fan, kind: str, gross_cents: int, when: Any) -> list[Transaction]:
    rows = (
        select(Transaction)
        .where(
            Transaction.account_id == fan.account_id,
            Transaction.platform == fan.platform,
            when,
            Transaction.import_id.is_not(None),
            Transaction.gross_cents == gross_cents,
            COUNTED,
            or_(Transaction.fan_id.is_(None), Transaction.fan_id == fan.id, Transaction.fan_id.in_(_namesakes(fan))),
        )
        .with_for_update(key_share=True)
    )
    return [each for each in db.session.scalars(rows) if is_same_kind(each.kind, kind)]


def _namesakes(fan: Fan) -> Any:
    """Of whom nothing but the fan's name is known: a statement that has but names made them."""
    nameless = (Fan.handle_key, Fan.platform_fan_id, Fan.email_key)
    return select(Fan.id).where(
        Fan.account_id == fan.account_id, Fan.name_key == fan.name_key, *(each.is_(None) for each in nameless)
    )


_EVENTS = select(
    Transaction.id, Transaction.platform_transaction_id, Transaction.statement_id, Transaction.gross_cents,
    Transaction.net_cents, Transaction.fee_cents, Transaction.tax_cents, Transaction.currency, Transaction.fan_id,
    Transaction.import_id, Transaction.kind, Transaction.at, Fan.name_key,
).outerjoin(Fan, Fan.id == Transaction.fan_id)  # fmt: skip


def is_near(moment: Any, within: timedelta = WITHIN) -> Any:
    """Of a transaction: it lies so near to a moment that the database has. Entered by an index."""
    minutes = int(within.total_seconds() // 60)
    if on_postgresql():
        about = literal_column(f"interval '{minutes} minutes'")
        return Transaction.at.between(moment - about, moment + about)
    first, last = (func.strftime("%Y-%m-%d %H:%M:%f", moment, f"{sign}{minutes} minutes") for sign in "-+")
    return Transaction.at.between(first, last)


class ToldByEvents:
    """What events told and no statement yet: for the rows of one statement, each given to one of them."""

    def __init__(self, account_id: int, platform: str) -> None:
        self._of = (Transaction.account_id == account_id) & (Transaction.platform == platform)
        self._taken: set[int] = set()
        self._known: dict[tuple[int, str], list[Any]] = {}

    def load(self, times: Collection[datetime], cents: Collection[int]) -> None:
        """For rows of these times, the ends of days among them, and of these gross amounts."""
        self._known = defaultdict(list)
        if not times:
            return
        rows = _EVENTS.where(
            self._of,
            Transaction.at.between(min(times) - WITHIN, max(times) + WITHIN),
            Transaction.import_id.is_(None),
            Transaction.statement_id.is_(None),
            is_any_of(Transaction.gross_cents, "cents"),
        )
        for each in run(rows, {"cents": many(set(cents))}):
            self._known[each.gross_cents, each.currency].append(each)

    def take(
        self, fan_id: int | None, name: str | None, kind: str, gross_cents: int, currency: str, at: datetime,
        day_ends_at: datetime | None = None,
    ) -> Any | None:  # fmt: skip
        """The payment of a row, with its number with the platform; no other row gets it. Asked from the last row to the first.

        name: the key of the payer's, where the row gives nothing else of them. With neither it may be anybody's.
        day_ends_at: of a row that tells the day alone, which began at `at`.
        """
        alike = [
            each
            for each in self._known.get((gross_cents, currency), ())
            if each.id not in self._taken
            and _may_be_then(each.at, at, day_ends_at)
            and _may_be_of(each, fan_id, name)
            and is_same_kind(each.kind, kind)
        ]
        nearest = min(alike, key=lambda each: (abs(each.at - (day_ends_at or at)), each.id), default=None)
        if nearest is not None:
            self._taken.add(nearest.id)
        return nearest


def _may_be_then(told_at: datetime, at: datetime, day_ends_at: datetime | None) -> bool:
    return abs(told_at - at) <= WITHIN if day_ends_at is None else at <= told_at < day_ends_at


def _may_be_of(told: Any, fan_id: int | None, name: str | None) -> bool:
    if fan_id is None and name is None:
        return True
    return told.fan_id == fan_id or (name is not None and told.name_key == name)
