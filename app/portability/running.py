"""The worker's side of an export: one worker is at it, says every second how far it is, and nobody sees half a file."""

import errno
import secrets
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from app.accounts.models import Account
from app.background import later, stopping
from app.database import db, execute, utcnow, write
from app.portability import files, queries
from app.portability.exporting import export_account
from app.portability.files import NoRoom
from app.portability.models import AccountExport, ExportState
from app.portability.pace import SoFar

log = structlog.get_logger()
LEASE = timedelta(seconds=60)
BEAT_SECONDS = 1
MOST_TRIES = 3
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
BROKE_OFF = "It broke off three times. Look at System for what else goes wrong, then begin it again."


class LeaseLost(Exception):
    """Another worker has taken over, or somebody stopped it."""


class Stopped(Exception):
    """This worker was asked to stop."""


def take_on(export_id: int) -> None:
    """From the beginning to the whole file: a file that shows one moment cannot be gone on with."""
    work = _claim(export_id)
    if work is None:
        return
    try:
        with files.draft(work.stored_file) as path:
            work.write(path)
    except LeaseLost:
        log.info("export_taken_over", export_id=export_id)
    except Stopped:
        work.give_back(failed=False)
        later("run_export", export_id)
    except NoRoom as error:
        work.fail(error.detail)
    except OSError as error:
        if error.errno not in NO_ROOM:
            work.give_back(failed=True)
            raise
        work.fail(NoRoom().detail)
    except Exception:
        work.give_back(failed=True)
        raise


def _claim(export_id: int) -> "_Work | None":
    """Takes the export, unless nothing is to do or a living worker has it."""
    account_id = queries.account_of(export_id)
    if account_id is None:
        return None
    with write() as session:
        queries.lock_account(account_id)
        found = session.get(AccountExport, export_id, populate_existing=True, with_for_update={"key_share": True})
        if found is None or not found.is_at_work or (found.lease_until and found.lease_until > utcnow()):
            return None
        if found.tries >= MOST_TRIES:
            _give_up(found)
            return None
        found.state, found.stored_file, found.tries = ExportState.RUNNING, secrets.token_hex(16), found.tries + 1
        found.started_at, found.lease_until = utcnow(), utcnow() + LEASE
        found.rows = found.files = 0
        return _Work(export_id, account_id, found.stored_file)


@dataclass
class _Work:
    export_id: int
    account_id: int
    stored_file: str
    next_beat: float = field(default_factory=time.monotonic)

    def write(self, path: Path) -> None:
        files.check_room()
        export_account(self.account_id, path, self.beat)
        try:
            size = files.sync(path)
        except FileNotFoundError:  # it was stopped just now, and cleared away
            raise LeaseLost from None
        account = db.session.get_one(Account, self.account_id)
        name = files.name_for(account.name, utcnow(), account.timezone)
        with write():
            self.hold(state=ExportState.DONE, size=size, file_name=name, lease_until=None, finished_at=utcnow())
            files.keep(path, self.stored_file)

    def beat(self, so_far: SoFar) -> None:
        """Raises LeaseLost, Stopped or NoRoom. A database that is busy is told the next time."""
        if time.monotonic() < self.next_beat and not so_far.is_whole:
            return
        self.next_beat = time.monotonic() + BEAT_SECONDS
        if stopping.is_set():
            raise Stopped
        files.check_room()
        try:
            with write():
                self.hold(
                    rows=so_far.rows, total_rows=so_far.of_rows, files=so_far.files, total_files=so_far.of_files,
                    lease_until=utcnow() + LEASE,
                )  # fmt: skip
        except OperationalError as error:
            log.info("export_beat_missed", error=type(error.orig).__name__)

    def hold(self, **values: object) -> None:
        """Raises LeaseLost where it is another's by now. Does not commit."""
        mine = (AccountExport.id == self.export_id) & (AccountExport.stored_file == self.stored_file)
        if not execute(update(AccountExport).where(mine, AccountExport.state == ExportState.RUNNING).values(values)):
            raise LeaseLost

    def give_back(self, *, failed: bool) -> None:
        with write() as session:
            found = session.get(
                AccountExport, self.export_id, populate_existing=True, with_for_update={"key_share": True}
            )
            if found is None or found.stored_file != self.stored_file or found.state != ExportState.RUNNING:
                return
            found.state, found.stored_file, found.lease_until = ExportState.QUEUED, "", None
            if not failed:
                found.tries -= 1
            elif found.tries >= MOST_TRIES:
                _give_up(found)

    def fail(self, words: str) -> None:
        try:
            with write():
                self.hold(state=ExportState.FAILED, reason=words, lease_until=None, finished_at=utcnow())
        except LeaseLost:
            log.info("export_taken_over", export_id=self.export_id)


def _give_up(found: AccountExport) -> None:
    found.state, found.reason, found.stored_file = ExportState.FAILED, BROKE_OFF, ""
    found.lease_until, found.finished_at = None, utcnow()
