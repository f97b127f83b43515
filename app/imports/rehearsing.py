"""The rehearsal: every row read, and decided about, before anything is written about a fan.

One pass reads the file and notes what names stand in it; a second goes from the last row to the first, since of two
rows about one fan the later one counts. What is decided stands in `import_rows`, whole or not at all: a rehearsal that
was broken off begins anew.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import delete, select, update

from app.database import db, execute, utcnow, write
from app.imports.decisions import Decisions
from app.imports.fan_rows import FanRows
from app.imports.models import Import, ImportKind, ImportRow, ImportStatus, Outcome
from app.imports.options import Options
from app.imports.payment_rows import PaymentRows
from app.imports.plan import data_rows
from app.imports.reading import RowReader
from app.imports.repeats import Repeats
from app.imports.row import Reading
from app.imports.spool import ROWS, Spool
from app.imports.zone_doubts import find_doubt

ROWS_FORGOTTEN_AT_ONCE = 20_000
COUNTERS = {
    Outcome.NEW: Import.new_rows,
    Outcome.CHANGED: Import.changed_rows,
    Outcome.UNCHANGED: Import.unchanged,
    Outcome.CONFLICT: Import.conflict_rows,
    Outcome.REJECTED: Import.rejected_rows,
    "warned": Import.warned_rows,
}

Hold = Callable[[], None]  # says that this worker is still at it, or raises; inside a unit of work


def rehearse(import_id: int, account_id: int, path: Path, options: Options, hold: Hold) -> None:
    """Notes in the options what it doubts. Raises Invalid for a file that cannot be read to its end."""
    forget_rows(import_id, hold)
    spool = Spool(path.parent)
    repeats = Repeats(options.plan.total_rows, lambda: _handles(spool))
    try:
        decide_on = PaymentRows if options.plan.kind == ImportKind.TRANSACTIONS else FanRows
        rows = decide_on(account_id, options.plan, options.rules, repeats)
        for readings in _readings(path, options):
            good = [each for each in readings if each.refusal(options.rules.invalid) is None]
            repeats.note(name for each in good for name in rows.names(each))
            spool.add(readings)
            with write():
                hold()
        for readings in spool.backwards():
            _decide(import_id, account_id, readings, rows, options.rules.invalid, hold)
        options.has_bare_clocks = isinstance(rows, PaymentRows) and rows.has_bare_clocks
        options.doubt = find_doubt(account_id, import_id, options.plan) if options.has_bare_clocks else None
    finally:
        repeats.close()
        spool.close()


def forget_rows(import_id: int, hold: Hold) -> None:
    """What an earlier rehearsal decided; in parts, so that nobody waits for long."""
    counters = {counter.key: 0 for counter in COUNTERS.values()}
    with write():
        hold()
        execute(update(Import).where(Import.id == import_id).values(processed_rows=0, **counters))
    while True:
        some = (
            select(ImportRow.outcome, ImportRow.row)
            .where(ImportRow.import_id == import_id)
            .limit(ROWS_FORGOTTEN_AT_ONCE)
        )
        with write():
            hold()
            found = db.session.execute(some).all()
            for outcome in {each.outcome for each in found}:
                rows = [each.row for each in found if each.outcome == outcome]
                within = ImportRow.row.between(min(rows), max(rows))
                execute(delete(ImportRow).where(ImportRow.import_id == import_id, ImportRow.outcome == outcome, within))
        if not found:
            return


def _readings(path: Path, options: Options) -> Iterator[list[Reading]]:
    reader = RowReader(options.plan, options.rules)
    with path.open("rb") as file:
        rows = (reader.read(row, cells) for row, cells in data_rows(file, options.plan))
        while chunk := list(islice(rows, ROWS)):
            yield chunk


def _handles(spool: Spool) -> Iterator[str]:
    for readings in spool.forwards():
        yield from (each.values["handle"].lstrip("@").casefold() for each in readings if each.values.get("handle"))


def _decide(
    import_id: int, account_id: int, readings: list[Reading], rows: FanRows | PaymentRows, policy: str, hold: Hold
) -> None:
    decisions = Decisions(account_id, import_id)
    good: list[Reading] = []
    for reading in readings:
        if refusal := reading.refusal(policy):
            decisions.skip(reading, Outcome.REJECTED, refusal)
        else:
            good.append(reading)
    with write():
        hold()
        rows.decide(good, decisions)
        decisions.store()
        _count(import_id, decisions.counts, len(readings))


def _count(import_id: int, counts: Counter[str], rows: int) -> None:
    """Does not commit."""
    counted = {counter: counter + counts[name] for name, counter in COUNTERS.items() if counts[name]}
    values = counted | {Import.processed_rows: Import.processed_rows + rows}
    execute(update(Import).where(Import.id == import_id).values(values))


def finish(import_id: int, options: Options) -> None:
    """Does not commit."""
    then = ImportStatus.APPLYING if options.apply_at_once else ImportStatus.REHEARSED
    done = {"status": then, "processed_rows": 0, "cursor": "", "finished_at": utcnow(), "options": options.to_json()}
    execute(update(Import).where(Import.id == import_id).values(**done))
