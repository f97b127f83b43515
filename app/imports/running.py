"""The worker's side of an import: a lease so that one worker is at it, and the step that it is at, set by set."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy import or_, select, update

from app.background import later, stopping
from app.bulk import count_anew, prepare_for_many
from app.conversations import live
from app.database import db, execute, table_of, utcnow, write
from app.errors import Invalid
from app.fans.models import Fan, FanTag
from app.fans.sync import request_sync
from app.imports import rehearsing, sets
from app.imports.applying import apply_set
from app.imports.files import folder
from app.imports.models import AT_WORK, WRITTEN, Import, ImportStatus, Outcome
from app.imports.options import Options
from app.imports.sets import RowSet
from app.imports.undoing import undo_set
from app.money.models import Transaction
from app.money.shifted import Doubt
from app.platforms.queries import first_connection

log = structlog.get_logger()
LEASE = timedelta(seconds=30)
MOST_TRIES = 3
COUNTED_AFTER = {4**power for power in range(12)}  # sets: often at first, when tables grow to many times their size
BULK_TABLES = tuple(map(table_of, (Fan, FanTag, Transaction)))


class LeaseLost(Exception):
    """Another worker has taken over."""


class Stopped(Exception):
    """This worker was asked to stop."""


def take_on(import_id: int) -> None:
    """One step after the other, until a person is asked or all is done."""
    lease = _claim(import_id)
    if lease is None:
        return
    work = _Work(import_id, lease)
    try:
        while work.go_on():
            pass
    except LeaseLost:
        log.info("import_taken_over", import_id=import_id)
    except Stopped:
        work.give_back(failed=False)
        later("run_import", import_id)
    except Invalid as error:
        work.fail(" ".join(words for _, words in error.errors))
    except Exception:
        work.give_back(failed=True)
        raise


def _claim(import_id: int) -> str | None:
    """Takes the import, unless nothing is to do or a living worker has it."""
    lease, now = secrets.token_hex(8), utcnow()
    free = or_(Import.lease_until.is_(None), Import.lease_until < now)
    taken = update(Import).where(Import.id == import_id, Import.status.in_(AT_WORK), free)
    with write():
        if not execute(taken.values(lease=lease, lease_until=now + LEASE, tries=Import.tries + 1)):
            return None
        first = update(Import).where(Import.id == import_id, Import.started_at.is_(None))
        execute(first.values(started_at=now))
    return lease


@dataclass
class _Work:
    import_id: int
    lease: str

    def go_on(self) -> bool:
        """Does the step that the import is at. False where there is none left."""
        found = db.session.get_one(Import, self.import_id, populate_existing=True)
        status, options, account_id, cursor = (
            found.status,
            Options.from_json(found.options),
            found.account_id,
            found.cursor,
        )
        path, since = folder() / found.stored_file, (found.created_at, found.started_at or utcnow())
        db.session.commit()
        if status == ImportStatus.REHEARSING:
            self._rehearse(account_id, path, options)
        elif status == ImportStatus.APPLYING:
            self._in_sets(account_id, cursor, lambda done: apply_set(done, options, *since), ImportStatus.COMPLETED)
            path.unlink(missing_ok=True)
            _link_new_fans(account_id)
        elif status == ImportStatus.UNDOING:
            self._in_sets(account_id, cursor, lambda done: undo_set(done, options), ImportStatus.UNDONE)
        return status in AT_WORK

    def _rehearse(self, account_id: int, path: Path, options: Options) -> None:
        if not path.exists():
            return self.fail("The uploaded file is no longer there. Upload it again.")
        with write():
            self.hold()
            count_anew(*BULK_TABLES)
        rehearsing.rehearse(self.import_id, account_id, path, options, self.hold)
        if options.apply_at_once and options.doubt and not options.zone_is_said:
            with write():
                self.hold()
                self._change(options=options.to_json())
            return self.fail(f"{options.doubt.words} {_send_zone(options.doubt)}")
        with write():
            self.hold()
            rehearsing.finish(self.import_id, options)
            if not options.apply_at_once:
                self._change(lease=None, lease_until=None, tries=0)
            else:
                self._change(started_at=utcnow())

    def _in_sets(
        self, account_id: int, cursor: str, do: Callable[[RowSet], list[int] | None], then: ImportStatus
    ) -> None:
        """cursor: the outcome that it is at, and the row down to which all is done. `do` may say which threads are gone."""
        at, _, row = cursor.partition(":")
        outcomes = WRITTEN[WRITTEN.index(Outcome(at)) :] if at else WRITTEN
        below = int(row) if row else sets.BEFORE_ALL
        done = 0
        for outcome in outcomes:
            while found := self._next_set(account_id, outcome, below):
                below = found.first
                with write():
                    self.hold()
                    gone = do(found) or []
                    self._change(cursor=f"{outcome}:{below}", tries=0)
                    done += 1
                    if done in COUNTED_AFTER:
                        count_anew(*BULK_TABLES)
                    noted = live.note_many_gone(account_id, gone)
                live.tell(noted)
            below = sets.BEFORE_ALL
        with write():
            self.hold()
            self._change(status=then, cursor="", finished_at=utcnow(), lease=None, lease_until=None)

    def _next_set(self, account_id: int, outcome: Outcome, below: int) -> RowSet | None:
        found = sets.next_set(account_id, self.import_id, outcome, below)
        db.session.commit()
        return found

    def hold(self) -> None:
        """Stays the one at work; raises LeaseLost or Stopped. Does not commit."""
        if stopping.is_set():
            raise Stopped
        prepare_for_many()
        self._one_import_at_a_time()
        mine = update(Import).where(Import.id == self.import_id, Import.lease == self.lease, Import.status.in_(AT_WORK))
        if not execute(mine.values(lease_until=utcnow() + LEASE)):
            raise LeaseLost

    def _one_import_at_a_time(self) -> None:
        """Of an account, in each set: two that change the same fans would otherwise wait for each other's locks."""
        account_id = select(Import.account_id).where(Import.id == self.import_id).scalar_subquery()
        others = (
            select(Import.id).where(Import.account_id == account_id, Import.status.in_(AT_WORK)).order_by(Import.id)
        )
        db.session.execute(others.with_for_update(key_share=True)).all()

    def _change(self, **values: object) -> None:
        execute(update(Import).where(Import.id == self.import_id).values(**values))

    def give_back(self, *, failed: bool) -> None:
        with write() as session:
            found = session.get(Import, self.import_id, populate_existing=True)
            if found is None or found.lease != self.lease:
                return
            found.lease = found.lease_until = None
            if not failed:
                found.tries -= 1
            elif found.tries >= MOST_TRIES:
                self._give_up(found)

    def _give_up(self, found: Import) -> None:
        written = found.status != ImportStatus.REHEARSING
        so_far = "What was done before stands; undo takes it back." if written else "Nothing was changed."
        found.status, found.finished_at = ImportStatus.FAILED, utcnow()
        found.failure = f"The import broke off three times. {so_far}"

    def fail(self, words: str) -> None:
        with write():
            self.hold()
            self._change(
                status=ImportStatus.FAILED, failure=words, finished_at=utcnow(), lease=None, lease_until=None
            )  # fmt: skip


def _send_zone(doubt: Doubt) -> str:
    return f"Nothing was changed. Send timezone={doubt.zone}, or timezone={doubt.read_in} to take them so."


def _link_new_fans(account_id: int) -> None:
    if connection := first_connection(account_id, "onlyfans"):
        request_sync(connection.id)
