"""Stretches of six hours whose rows are kept as tallies, so that a month is summed from 120 small blocks, not from its rows.

A figure is never older than the page: triggers note each change of a stretch that has ended, in the transaction of the
change itself. Until such a stretch is counted anew, some seconds later, it is read from its rows, like what has not
ended yet.
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import gcd

from sqlalchemy import delete, func, select, update

from app.accounts.models import Account
from app.analytics.models import ChangedStretch, KeptStretch
from app.analytics.periods import Period, Span, number_at, slots_of
from app.analytics.reading import read_tally
from app.analytics.tally import Tally, packed, unpacked
from app.background import stopping
from app.bulk import is_any_of, many
from app.conversations.models import Message
from app.database import db, execute, in_binary, insert, run, table_of, utcnow, write
from app.money.models import Transaction

SECONDS = 6 * 3600  # migration 0030 says the same to the triggers
SLOT_SECONDS = 900  # no zone of today begins its days inside of one
SETTLED_AFTER = timedelta(minutes=90)  # triggers note what is older than 30: a transaction may take the hour between
NOTED_BEFORE = timedelta(seconds=20)  # what changes again and again is not counted anew each time
OLDEST = timedelta(days=3 * 366)
AT_A_TIME_SECONDS = 0.5  # messages wait for the same workers


@dataclass(frozen=True)
class Stretch:
    """Numbered since 1970."""

    number: int

    @property
    def start(self) -> datetime:
        return datetime.fromtimestamp(self.number * SECONDS, UTC)

    @property
    def end(self) -> datetime:
        return datetime.fromtimestamp((self.number + 1) * SECONDS, UTC)

    @property
    def slots(self) -> range:
        return slots_of(self, SLOT_SECONDS)


@dataclass(frozen=True)
class Part:
    """Of a span, what is not kept."""

    start: datetime
    end: datetime


def tallies_over(account_id: int, period: Period) -> list[Tally]:
    """One at least, which together hold the period; and what lies beside it in the stretches that it begins and ends in."""
    slot_seconds = gcd(SLOT_SECONDS, period.slot_seconds)
    kept = _kept(account_id, period) if slot_seconds == SLOT_SECONDS else {}
    missing = [read_tally(account_id, part, slot_seconds) for part in _parts_without(kept, period)]
    return [*kept.values(), *missing]


def _kept(account_id: int, span: Span) -> dict[int, Tally]:
    """By number, those that are as their rows are. Which have changed is read first: what is counted anew in between is
    then read from its rows, once more."""
    first, last = number_at(span.start, SECONDS), number_at(span.end, SECONDS)
    changed = select(ChangedStretch.number).where(
        ChangedStretch.account_id == account_id, ChangedStretch.number.between(first, last)
    )
    changed_now = set(db.session.scalars(changed.distinct()))
    rows = select(KeptStretch.number, KeptStretch.tally).where(
        KeptStretch.account_id == account_id, KeptStretch.number.between(first, last)
    )
    return {
        number: unpacked(tally, SLOT_SECONDS, Stretch(number).slots)
        for number, tally in db.session.execute(in_binary(rows.order_by(KeptStretch.number)))
        if number not in changed_now
    }


def _parts_without(kept: Iterable[int], span: Span) -> Iterator[Part]:
    start = span.start
    for stretch in map(Stretch, kept):
        if start < stretch.start:
            yield Part(start, stretch.start)
        start = stretch.end
    if start < span.end:
        yield Part(start, span.end)


def accounts_due() -> list[int]:
    """Those for which `keep` has something to do."""
    settled = _settled()
    changed = select(ChangedStretch.account_id).where(
        ChangedStretch.noted_at < utcnow() - NOTED_BEFORE, ChangedStretch.number <= settled
    )
    newest = select(KeptStretch.account_id).where(KeptStretch.number == settled)
    behind = select(Account.id).where(Account.id.not_in(newest))
    return sorted({*db.session.scalars(changed.distinct()), *db.session.scalars(behind)})


def keep(account_id: int) -> None:
    """Background task: counts what has ended, and what changed since. The newest first, as people look at these; but the
    very newest last: once it is kept, all are. May run twice at once."""
    until = time.monotonic() + AT_A_TIME_SECONDS
    for number in due(account_id):
        if stopping.is_set() or time.monotonic() > until:
            return
        _keep_one(account_id, number)


def due(account_id: int) -> list[int]:
    """The numbers of those that `keep` is to count."""
    settled = _settled()
    changed = set(db.session.scalars(select(ChangedStretch.number).where(
        ChangedStretch.account_id == account_id, ChangedStretch.number <= settled
    ).distinct()))  # fmt: skip
    kept = set(db.session.scalars(select(KeptStretch.number).where(KeptStretch.account_id == account_id)))
    first = max(min([settled, *_firsts(account_id)]), number_at(utcnow() - OLDEST, SECONDS))
    found = changed | (set(range(first, settled + 1)) - kept)
    return sorted(found - {settled}, reverse=True) + [settled] * (settled in found)


def _settled() -> int:
    """The newest that has ended for good."""
    return number_at(utcnow() - SETTLED_AFTER, SECONDS) - 1


def _firsts(account_id: int) -> list[int]:
    """The stretches with which payments and messages begin."""
    firsts = (
        db.session.scalar(select(func.min(moment)).where(moment.class_.account_id == account_id))
        for moment in (Transaction.at, Message.created_at)
    )
    return [number_at(first, SECONDS) for first in firsts if first]


def _keep_one(account_id: int, number: int) -> None:
    """Whoever else keeps it at the same time waits at its row. What changed is noted as counted by its id: a change that
    is committed while this counts stays noted."""
    with write() as session:
        if session.get(Account, account_id) is None:
            execute(delete(ChangedStretch).where(ChangedStretch.account_id == account_id))
            return
        row = insert(table_of(KeptStretch)).values(account_id=account_id, number=number, tally=b"")
        session.execute(row.on_conflict_do_nothing())
        of_it = KeptStretch.account_id == account_id, KeptStretch.number == number
        session.execute(select(KeptStretch.number).where(*of_it).with_for_update(key_share=True))
        changes = select(ChangedStretch.id).where(
            ChangedStretch.account_id == account_id, ChangedStretch.number == number
        )
        counted = list(session.scalars(changes))
        stretch = Stretch(number)
        tally = packed(read_tally(account_id, stretch, SLOT_SECONDS), stretch.slots.start)
        execute(update(KeptStretch).where(*of_it).values(tally=tally))
        run(delete(ChangedStretch).where(is_any_of(ChangedStretch.id, "counted")), {"counted": many(counted)})
