"""The worker's side of an import: a lease so that one worker is at it, sets of rows, each with its progress in one commit."""

import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

import structlog
from flask import current_app
from sqlalchemy import or_, update
from sqlalchemy.exc import IntegrityError

from app.background import later, stopping
from app.database import db, utcnow, write
from app.fans.sync import request_sync
from app.imports.applying import Tally, apply_fans
from app.imports.mapping import Plan, data_rows
from app.imports.matching import ONLY_KEYS, Clash, load_crowd
from app.imports.models import UNFINISHED, Import, ImportKind, ImportStatus
from app.imports.payments import apply_payments, content_key
from app.imports.reading import Reading, RowReader, person_of
from app.imports.repeats import RowKeys, keys_left
from app.platforms.queries import first_connection

log = structlog.get_logger()
ROWS_PER_COMMIT = 500
LEASE = timedelta(seconds=30)
HEARTBEAT_SECONDS = 5
MOST_TRIES = 3


class LeaseLost(Exception):
    """Another worker has taken over."""


def folder() -> Path:
    return current_app.config["INSTANCE"] / "imports"


def take_in(import_id: int) -> None:
    lease = _claim(import_id)
    if lease is None:
        return
    try:
        _run(import_id, lease)
    except LeaseLost:
        log.info("import_taken_over", import_id=import_id)
    except Exception:
        _give_back(import_id, lease, failed=True)
        raise


def _claim(import_id: int) -> str | None:
    """Takes the import, unless it is finished or a living worker has it."""
    lease, now = secrets.token_hex(8), utcnow()
    free = or_(Import.lease_until.is_(None), Import.lease_until < now)
    taken = (
        update(Import)
        .where(Import.id == import_id, Import.status.in_(UNFINISHED), free)
        .values(status=ImportStatus.RUNNING, lease=lease, lease_until=now + LEASE, tries=Import.tries + 1)
    )
    first = update(Import).where(Import.id == import_id, Import.started_at.is_(None)).values(started_at=now)
    with write() as session:
        if not session.execute(taken).rowcount:  # type: ignore[attr-defined]
            return None
        session.execute(first)
    return lease


def _hold(import_id: int, lease: str) -> None:
    """Stays the one at work, or raises LeaseLost. Does not commit."""
    mine = update(Import).where(Import.id == import_id, Import.lease == lease, Import.status.in_(UNFINISHED))
    if not db.session.execute(mine.values(lease_until=utcnow() + LEASE)).rowcount:  # type: ignore[attr-defined]
        raise LeaseLost


def _give_back(import_id: int, lease: str, *, failed: bool) -> None:
    with write() as session:
        found = session.get(Import, import_id)
        if found is None or found.lease != lease:
            return
        found.lease = found.lease_until = None
        if not failed:
            found.tries -= 1
        elif found.tries >= MOST_TRIES:
            found.status, found.finished_at = ImportStatus.FAILED, utcnow()
            found.failure = (
                f"The import broke off after row {found.last_row}. What came before is in; upload the file again."
            )
            _clear_away(folder() / found.stored_file)


def _run(import_id: int, lease: str) -> None:
    found = db.session.get_one(Import, import_id)
    account_id, plan, policy = found.account_id, Plan.from_json(found.options["plan"]), found.options["invalid"]
    path, last_row = folder() / found.stored_file, found.last_row
    db.session.commit()
    if not path.exists():
        _fail(import_id, lease, "The uploaded file is no longer there. Upload it again.")
        return
    keys = RowKeys(path.with_suffix(".keys"))
    try:
        if not keys.is_complete and not _first_pass(import_id, lease, account_id, path, plan, policy, keys):
            return
        if not _apply_all(import_id, lease, account_id, path, plan, policy, keys, last_row):
            return
    finally:
        keys.close()
    _finish(import_id, lease)
    _clear_away(path)
    _link_new_fans(account_id)


def _clear_away(path: Path) -> None:
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink(missing_ok=True)


def _readings(path: Path, plan: Plan, behind: int = 0) -> Iterator[list[Reading]]:
    reader = RowReader(plan)
    with path.open("rb") as file:
        rows = (reader.read(row, cells) for row, cells in data_rows(file, plan) if row > behind)
        while chunk := list(islice(rows, ROWS_PER_COMMIT)):
            yield chunk


def _first_pass(
    import_id: int, lease: str, account_id: int, path: Path, plan: Plan, policy: str, keys: RowKeys
) -> bool:
    """Notes for every fan which row is the last about them. False where the worker was asked to stop."""
    beat = time.monotonic()
    for chunk in _readings(path, plan):
        good = [reading for reading in chunk if reading.refusal(policy) is None]
        if plan.kind == ImportKind.TRANSACTIONS:
            _note_payments(good, keys)
        _note_fans(account_id, good, keys)
        db.session.commit()  # no transaction is held over the whole file
        if stopping.is_set():
            return _stop(import_id, lease)
        if time.monotonic() - beat > HEARTBEAT_SECONDS:
            beat = time.monotonic()
            with write():
                _hold(import_id, lease)
    keys.complete()
    return True


def _note_payments(readings: list[Reading], keys: RowKeys) -> None:
    for reading in readings:
        if given := reading.values.get("transaction_id"):
            keys.note([(f"t|{given}", reading.row)])
        else:
            keys.count_alike(reading.row, content_key(reading))


def _note_fans(account_id: int, readings: list[Reading], keys: RowKeys) -> None:
    persons = [person_of(reading.values) for reading in readings]
    crowd = load_crowd(account_id, persons, ONLY_KEYS, named=None)
    for reading, person in zip(readings, persons, strict=True):
        try:
            fan = crowd.find(person)
        except Clash:
            fan = None
        keys.note((key, reading.row) for key in keys_left(person, fan.id if fan else None))


def _apply_all(
    import_id: int, lease: str, account_id: int, path: Path, plan: Plan, policy: str, keys: RowKeys, last_row: int
) -> bool:
    apply = apply_payments if plan.kind == ImportKind.TRANSACTIONS else apply_fans
    for chunk in _readings(path, plan, behind=last_row):
        if stopping.is_set():
            return _stop(import_id, lease)
        for last_try in (False, False, True):
            try:
                with write():
                    _hold(import_id, lease)
                    _settle(import_id, account_id, chunk, apply(account_id, chunk, plan, policy, keys))
                break
            except IntegrityError:  # another process took a handle meanwhile: the set is looked up and applied anew
                if last_try:
                    raise
    return True


def _settle(import_id: int, account_id: int, chunk: list[Reading], tally: Tally) -> None:
    """Progress, in the same unit of work as the rows. Does not commit."""
    tally.store(account_id, import_id)
    counted = update(Import).where(Import.id == import_id)
    db.session.execute(
        counted.values(
            inserted=Import.inserted + tally.inserted,
            updated=Import.updated + tally.updated,
            unchanged=Import.unchanged + tally.unchanged,
            skipped=Import.skipped + tally.skipped,
            processed_rows=Import.processed_rows + len(chunk),
            last_row=chunk[-1].row,
            tries=0,
        )
    )


def _stop(import_id: int, lease: str) -> bool:
    _give_back(import_id, lease, failed=False)
    later("run_import", import_id)
    return False


def _finish(import_id: int, lease: str) -> None:
    with write() as session:
        _hold(import_id, lease)
        done = {"status": ImportStatus.COMPLETED, "finished_at": utcnow(), "lease": None, "lease_until": None}
        session.execute(update(Import).where(Import.id == import_id).values(**done))


def _fail(import_id: int, lease: str, words: str) -> None:
    with write() as session:
        _hold(import_id, lease)
        done = {"status": ImportStatus.FAILED, "finished_at": utcnow(), "lease": None, "lease_until": None}
        session.execute(update(Import).where(Import.id == import_id).values(failure=words, **done))


def _link_new_fans(account_id: int) -> None:
    if connection := first_connection(account_id, "onlyfans"):
        request_sync(connection.id)
