"""An import's steps, each a verb: upload, map, (the worker rehearses), apply, undo. `start` is all of them in one call."""

import time
from dataclasses import asdict, replace
from typing import IO, Any

from sqlalchemy import update

from app.accounts import auditing
from app.accounts.auditing import Act
from app.background import later
from app.database import db, execute, insert, utcnow, write
from app.errors import Conflict, Invalid, NotFound
from app.imports import choosing, queries, running, sets
from app.imports.choosing import ColumnChoice, MappingChoice
from app.imports.evidence import Choices
from app.imports.exporters import recognise
from app.imports.files import KeptFile, folder, kept_file
from app.imports.mapping import Sheet, look, mapped
from app.imports.models import WRITTEN, Import, ImportKind, ImportRow, ImportStatus, Outcome, RememberedMapping
from app.imports.options import POLICIES, Options, Rules
from app.imports.proposing import Proposer
from app.imports.questions import inspect, settle

ACTS = {
    ImportStatus.APPLYING: Act.IMPORT_APPLIED,
    ImportStatus.UNDOING: Act.IMPORT_UNDONE,
    ImportStatus.DISCARDED: Act.IMPORT_DISCARDED,
}
NOT_REACHED = "The import ended before this row"


def start(
    account_id: int,
    user_id: int | None,
    *,
    filename: str,
    content: IO[bytes] | bytes,
    kind: str | None = None,
    invalid: str | None = "reject",
    date_order: str | None = None,
    decimal: str | None = None,
    unit: str | None = None,
    currency: str | None = None,
    timezone: str | None = None,
    encoding: str | None = None,
) -> Import:
    """The whole story with sensible choices. Raises Invalid (400, 413, 415), and then nothing has changed."""
    wanted = choosing.kind(kind)
    rules = Rules(invalid=choosing.one_of("invalid", invalid, POLICIES) or "reject")
    choices = choosing.read_choices(date_order=date_order, decimal=decimal, unit=unit, currency=currency)
    zone = choosing.zone(account_id, timezone)
    with kept_file(filename, content) as kept:
        with kept.path.open("rb") as file:
            plan = inspect(file, kept.name, kind=wanted, choices=choices, encoding=encoding or None, zone=zone)
        options = Options(plan, rules, apply_at_once=True, zone_is_said=bool(timezone))
        (new,) = _keep(account_id, user_id, kept, [options], ImportStatus.REHEARSING)
    later("run_import", new.id)
    return new


def upload(
    account_id: int, user_id: int | None, *, filename: str, content: IO[bytes] | bytes, encoding: str | None = None
) -> list[Import]:
    """Keeps the file and says what its columns seem to be; nothing else happens. Raises Invalid (400, 413, 415).

    Each table of the file is an import of its own; most files hold one.
    """
    zone = choosing.zone(account_id, None)
    with kept_file(filename, content) as kept:
        with kept.path.open("rb") as file:
            tables = Proposer(file, account_id, kept.name, zone, encoding or None).tables()
        return _keep(account_id, user_id, kept, tables, ImportStatus.MAPPING)


def _keep(
    account_id: int, user_id: int | None, kept: KeptFile, tables: list[Options], status: ImportStatus
) -> list[Import]:
    """An import for each table of the file."""
    names = kept.names(len(tables))
    with write() as session:
        new = [
            Import(
                account_id=account_id,
                user_id=user_id,
                file_name=kept.name if len(tables) == 1 else f"{kept.name}, table {number} of {len(tables)}",
                stored_file=name,
                size=kept.size,
                sha256=kept.sha256,
                kind=options.plan.kind,
                status=status,
                exporter=recognise(options.plan.header),
                options=options.to_json(),
                total_rows=options.plan.total_rows,
            )
            for number, (name, options) in enumerate(zip(names, tables, strict=True), 1)
        ]
        session.add_all(new)
        session.flush()
        for each in new:
            auditing.record(account_id, Act.IMPORT_STARTED, "import", each.id, each.file_name)
    return new


def map_columns(account_id: int, import_id: int, choice: MappingChoice) -> Import:
    """Has the import rehearsed as a person says. Raises NotFound, Conflict, and Invalid where something is still open."""
    found = queries.find_import(account_id, import_id)
    if found.status not in (ImportStatus.MAPPING, ImportStatus.REHEARSED):
        raise Conflict("This import has gone on: its columns can be changed no longer.")
    kind = choosing.kind(choice.kind) or ImportKind(found.kind)
    rules = choosing.checked_rules(choice.rules)
    zone = choosing.zone(account_id, choice.timezone)
    path = folder() / found.stored_file
    if not path.exists():
        raise Conflict("The uploaded file is no longer there. Upload it again.")
    with path.open("rb") as file:
        before = Options.from_json(found.options).plan
        sheet = look(file, choice.encoding or before.form.encoding, before.first_row, before.last_row)
        fields = choosing.checked_fields(kind, choice.columns, len(sheet.header))
        plan = mapped(sheet, kind, zone, fields)
        answers = {index: each.said for index, each in choice.columns.items()}
        plan, questions = settle(file, plan, Choices(), answers)
    if questions:
        raise Invalid(*((f"{each.field}-{each.column}", each.words) for each in questions))
    options = Options(plan, rules, sheet.shown(), answers=answers, zone_is_said=bool(choice.timezone))
    _remember(account_id, sheet, options, choice.columns)
    values = {"options": options.to_json(), "kind": kind, "total_rows": plan.total_rows}
    _move(found, (ImportStatus.MAPPING, ImportStatus.REHEARSED), ImportStatus.REHEARSING, values)
    later("run_import", import_id)
    return found


def read_in_zone(account_id: int, import_id: int, timezone: str) -> Import:
    """Has a rehearsed import rehearsed anew, times without a zone read in this one. Raises NotFound, Conflict, Invalid."""
    found = queries.find_import(account_id, import_id)
    zone = choosing.zone(account_id, timezone)
    options = Options.from_json(found.options)
    options = replace(options, plan=replace(options.plan, zone=zone), zone_is_said=True, doubt=None)
    _move(found, (ImportStatus.REHEARSED,), ImportStatus.REHEARSING, {"options": options.to_json()})
    later("run_import", import_id)
    return found


def _remember(account_id: int, sheet: Sheet, options: Options, columns: dict[int, ColumnChoice]) -> None:
    kept = [
        {"index": index, "field": each.field, "said": {k: v for k, v in asdict(each.said).items() if v}}
        for index, each in columns.items()
    ]
    row = {
        "account_id": account_id,
        "header_key": sheet.header_key,
        "kind": options.plan.kind,
        "columns": kept,
        "options": asdict(options.rules),
        "used_at": utcnow(),
    }
    changed = {name: row[name] for name in ("kind", "columns", "options", "used_at")}
    with write():
        execute(
            insert(RememberedMapping)
            .values(row)
            .on_conflict_do_update(index_elements=["account_id", "header_key"], set_=changed)
        )


def apply(account_id: int, import_id: int) -> Import:
    """Has done what the rehearsal said. Raises NotFound, Conflict."""
    found = queries.find_import(account_id, import_id)
    _move(found, (ImportStatus.REHEARSED,), ImportStatus.APPLYING)
    later("run_import", import_id)
    return found


def undo(account_id: int, import_id: int) -> Import:
    """Has the whole import taken back, also one that broke off half-way. Raises NotFound, Conflict."""
    found = queries.find_import(account_id, import_id)
    before = (ImportStatus.COMPLETED, ImportStatus.FAILED)
    if found.status == ImportStatus.FAILED and not found.cursor:
        raise Conflict("This import changed nothing, so there is nothing to undo.")
    if found.status == ImportStatus.FAILED:
        _mark_not_reached(found)
    _move(found, before, ImportStatus.UNDOING)
    later("run_import", import_id)
    return found


def _mark_not_reached(found: Import) -> None:
    at, _, row = found.cursor.partition(":")
    for outcome in WRITTEN[WRITTEN.index(Outcome(at)) :]:
        below = int(row) if outcome == at else sets.BEFORE_ALL
        left = (ImportRow.import_id == found.id) & (ImportRow.outcome == outcome) & (ImportRow.row < below)
        with write():
            sets.say(ImportRow.not_applied, NOT_REACHED, left)


def discard(account_id: int, import_id: int) -> Import:
    """Drops an import that was not applied, with its file. Raises NotFound, Conflict."""
    found = queries.find_import(account_id, import_id)
    _move(found, (ImportStatus.MAPPING, ImportStatus.REHEARSED), ImportStatus.DISCARDED, {"finished_at": utcnow()})
    (folder() / found.stored_file).unlink(missing_ok=True)
    return found


def _move(
    found: Import, before: tuple[ImportStatus, ...], then: ImportStatus, values: dict[str, Any] | None = None
) -> None:
    """Compare and set: of two people who press at once, one succeeds. Raises Conflict."""
    fresh = {"processed_rows": 0, "cursor": "", "tries": 0, "started_at": None, "finished_at": None, "failure": ""}
    change = update(Import).where(Import.id == found.id, Import.status.in_(before))
    with write():
        moved = execute(change.values(**fresh | {"status": then} | (values or {})))
        db.session.refresh(found)
        if moved and then in ACTS:
            auditing.record(found.account_id, ACTS[then], "import", found.id, found.file_name)
    if not moved:
        raise Conflict(f"This import is {found.status} by now.")


def run_import(import_id: int) -> None:
    """The worker's task. Safe to kill at any moment, and to run again or twice at once."""
    running.take_on(import_id)


def wait_for(import_id: int, seconds: float) -> Import:
    """The import once no worker is at it any more, or as it stands after so many seconds."""
    deadline = time.monotonic() + seconds
    pause = 0.03
    while True:
        found = db.session.get(Import, import_id, populate_existing=True)
        if found is None:
            raise NotFound
        if not found.is_at_work or time.monotonic() >= deadline:
            return found
        db.session.commit()  # no transaction is held while waiting
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.5, 0.2)
