"""An owner takes everything along: asks for the file, throws it away. The worker writes it, the sweep clears up."""

from contextlib import suppress
from typing import Any

from sqlalchemy import update

from app.accounts import auditing
from app.accounts.auditing import Act
from app.background import later
from app.database import execute, utcnow, write
from app.errors import Conflict
from app.portability import files, queries, running
from app.portability.models import AT_WORK, AccountExport, ExportState

EXPIRED = "Its seven days were over."
STOPPED = "It was stopped before it was whole."
THROWN_AWAY = "Somebody deleted it."
HELD_THE_ERASED = "A fan was erased who was in it."


def begin(account_id: int, user_id: int | None) -> AccountExport:
    """The one that is at work already, where there is one."""
    with write() as session:
        queries.lock_account(account_id)
        found = queries.export_at_work(account_id)
        if found is None:
            found = AccountExport(account_id=account_id, user_id=user_id)
            session.add(found)
            session.flush()
            auditing.record(account_id, Act.EXPORT_BEGUN, "export", found.id)
    later("run_export", found.id)
    return found


def run_export(export_id: int) -> None:
    """The worker's task. Safe to kill at any moment, and to run again or twice at once."""
    running.take_on(export_id)


def discard(account_id: int, export_id: int, why: str = THROWN_AWAY) -> AccountExport:
    """Throws the file away, or stops the writing of it. Raises NotFound, Conflict."""
    found = queries.find_export(account_id, export_id)
    own = AccountExport.id == export_id
    with write() as session:
        stopped = _delete(own & AccountExport.state.in_(AT_WORK), STOPPED)
        deleted = _delete(own & (AccountExport.state == ExportState.DONE), why)
        session.refresh(found)
    if not stopped and not deleted:
        raise Conflict("This file is gone already.")
    files.remove(files.names_of(found.stored_file))
    return found


def withdraw(account_id: int) -> set[str]:
    """For who is being erased: no file that holds them stays, and one that is being written is begun anew without them.
    Does not commit. Returns the files, which go after the commit.
    """
    queries.lock_account(account_id)
    own = AccountExport.account_id == account_id
    anew: dict[str, Any] = {"state": ExportState.QUEUED, "stored_file": "", "lease_until": None, "tries": 0, "rows": 0}
    execute(update(AccountExport).where(own, AccountExport.state == ExportState.RUNNING).values(anew))
    done = own & (AccountExport.state == ExportState.DONE)
    kept = queries.stored_files(done)
    _delete(done, HELD_THE_ERASED)
    return {name for each in kept for name in files.names_of(each)}


def _delete(which: Any, why: str) -> int:
    values = {"state": ExportState.DELETED, "reason": why, "lease_until": None, "finished_at": utcnow()}
    return execute(update(AccountExport).where(which).values(values))


def clear_up() -> None:
    """Files go when their days are over, and so does what no row speaks for: left by a worker that was killed, or by an
    account that is gone."""
    for account_id, export_id in queries.expired_exports(utcnow() - queries.KEPT):
        with suppress(Conflict):  # somebody deleted it just now
            discard(account_id, export_id, EXPIRED)
    there = files.names()  # before the rows are read: a file's row is there before the file
    if there:
        files.remove(there - {name for each in queries.stored_files() for name in files.names_of(each)})
