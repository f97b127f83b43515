"""CSV imports: the whole story in one call, or step by step."""

from dataclasses import asdict
from typing import Any

from flask import Response, request, stream_with_context, url_for
from flask_login import current_user
from werkzeug.datastructures import FileStorage

from app.accounts.auditing import record_export
from app.accounts.guard import account
from app.api import bp
from app.api.schemas.files import (
    ImportColumnIn,
    ImportForm,
    ImportMappingIn,
    ImportMappingOut,
    ImportOut,
    ImportRowsOut,
    ImportRowsQuery,
    RehearsalOut,
    UploadForm,
)
from app.errors import Invalid
from app.imports import actions, downloads, queries
from app.imports.choosing import ColumnChoice, MappingChoice, read_choices
from app.imports.headers import FIELDS
from app.imports.models import Import, ImportKind
from app.imports.options import Options, Rules
from app.paging import fetch_page

WAIT_SECONDS = 25
STILL_RUNNING = {202: "Still running: ask again at Location."}


@bp.post("/onlyfans/import/csv")
@bp.input(ImportForm, location="form")
@bp.output(ImportOut)
@bp.doc(responses=STILL_RUNNING)
def import_csv(form_data: ImportForm) -> Any:
    """Upload, map, rehearse and apply, with sensible choices."""
    file = _file()
    started = actions.start(
        account.id, current_user.id, filename=file.filename or "", content=file.stream, **form_data.model_dump()
    )
    done = actions.wait_for(started.id, _patience())
    if (words := queries.doubt_that_stopped(done)) is not None:
        raise Invalid(("timezone", words))
    return _answer(done)


@bp.post("/onlyfans/import")
@bp.input(UploadForm, location="form")
@bp.output(ImportMappingOut, status_code=201)
def upload_import(form_data: UploadForm) -> Any:
    """The first step: keeps the file, and says what its columns seem to be. Each table of it is an import of its own."""
    file = _file()
    new, *others = actions.upload(
        account.id, current_user.id, filename=file.filename or "", content=file.stream, encoding=form_data.encoding
    )
    shown = _mapping(new)
    shown.other_tables = [each.id for each in others]
    return shown, 201, {"Location": url_for("api.show_import", import_id=new.id)}


@bp.get("/onlyfans/import/<id:import_id>/mapping")
@bp.output(ImportMappingOut)
def show_mapping(import_id: int) -> Any:
    return _mapping(queries.find_import(account.id, import_id))


@bp.put("/onlyfans/import/<id:import_id>/mapping")
@bp.input(ImportMappingIn)
@bp.output(RehearsalOut)
@bp.doc(responses=STILL_RUNNING)
def map_import(import_id: int, json_data: ImportMappingIn) -> Any:
    """The second step, and the third: says what the columns are, and has the import rehearsed."""
    choice = MappingChoice(
        kind=json_data.kind or "",
        columns={each.index: _column_choice(each) for each in json_data.columns},
        rules=Rules.from_json(json_data.rules.model_dump()),
        timezone=json_data.timezone,
        encoding=json_data.encoding,
    )
    return _rehearsal_when_done(actions.map_columns(account.id, import_id, choice))


@bp.get("/onlyfans/import/<id:import_id>/rehearsal")
@bp.output(RehearsalOut)
def show_rehearsal(import_id: int) -> RehearsalOut:
    return _rehearsal(queries.find_import(account.id, import_id))


@bp.get("/onlyfans/import/<id:import_id>/rows")
@bp.input(ImportRowsQuery, location="query")
@bp.output(ImportRowsOut)
def list_import_rows(import_id: int, query_data: ImportRowsQuery) -> ImportRowsOut:
    rows = queries.rows_of(queries.find_import(account.id, import_id), query_data.list)
    page = fetch_page(rows, queries.BY_ROW, limit=query_data.limit, cursor=query_data.cursor)
    return ImportRowsOut(rows=page.rows, total=page.total, next_cursor=page.next_cursor)


@bp.get("/onlyfans/import/<id:import_id>/<name>.csv")
@bp.doc(responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}})
def import_rows_csv(import_id: int, name: str) -> Response:
    """One of the lists of rows, by its name; `rejected.csv` holds all skipped rows, to mend and send again."""
    found = queries.find_import(account.id, import_id)
    queries.rows_of(found, _list_of(name))
    record_export(account.id, f"{name} rows of {found.file_name}", "import", found.id)
    found = queries.find_import(account.id, import_id)
    response = Response(stream_with_context(downloads.as_csv(found, _list_of(name))), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{found.id}.csv"'
    return response


@bp.post("/onlyfans/import/<id:import_id>/apply")
@bp.output(ImportOut)
@bp.doc(responses=STILL_RUNNING)
def apply_import(import_id: int) -> Any:
    """The fourth step: does what the rehearsal said."""
    return _answer_when_done(actions.apply(account.id, import_id))


@bp.post("/onlyfans/import/<id:import_id>/undo")
@bp.output(ImportOut)
@bp.doc(responses=STILL_RUNNING)
def undo_import(import_id: int) -> Any:
    """Takes the whole import back. What people did since stays: see the list `not-undone`."""
    return _answer_when_done(actions.undo(account.id, import_id))


@bp.get("/onlyfans/import/<id:import_id>")
@bp.output(ImportOut)
def show_import(import_id: int) -> ImportOut:
    return _document(queries.find_import(account.id, import_id))


@bp.delete("/onlyfans/import/<id:import_id>")
@bp.output({}, status_code=204)
def discard_import(import_id: int) -> tuple[str, int]:
    """Drops an import that was not applied."""
    actions.discard(account.id, import_id)
    return "", 204


def _file() -> FileStorage:
    file = request.files.get("file")
    if file is None:
        raise Invalid(("file", "Send the CSV as the multipart field `file`."))
    return file


def _list_of(name: str) -> str:
    return "skipped" if name == "rejected" else name


def _column_choice(column: ImportColumnIn) -> ColumnChoice:
    said = read_choices(
        date_order=column.date_order, decimal=column.decimal, unit=column.unit, currency=column.currency
    )
    return ColumnChoice(column.field, said)


def _mapping(found: Import) -> ImportMappingOut:
    options = Options.from_json(found.options)
    plan = options.plan
    fields = {column.index: column.field for column in plan.columns}
    columns = [
        {"index": index, "header": header, "field": fields.get(index), "samples": samples}
        for index, (header, samples) in enumerate(
            zip(plan.header, options.samples or [[]] * len(plan.header), strict=True)
        )
    ]
    return ImportMappingOut.model_validate(
        {
            "import_id": found.id, "status": found.status, "kind": found.kind, "exporter": found.exporter,
            "encoding": plan.form.encoding, "delimiter": plan.form.delimiter, "header_row": plan.header_row,
            "timezone": plan.zone, "columns": columns, "questions": [asdict(each) for each in options.questions],
            "fields": FIELDS[ImportKind(found.kind)], "rules": asdict(options.rules),
        }
    )  # fmt: skip


def _rehearsal(found: Import) -> RehearsalOut:
    shown = RehearsalOut.model_validate({**_columns(found), "import_id": found.id})
    shown.status = _status(found)
    shown.doubt = queries.doubt_of(found)
    return shown


def _columns(found: Import) -> dict[str, Any]:
    return {name: getattr(found, name) for name in RehearsalOut.model_fields if name not in ("import_id", "doubt")}


def _rehearsal_when_done(found: Import) -> Any:
    done = actions.wait_for(found.id, _patience())
    shown = _rehearsal(done)
    if done.is_at_work:
        return shown, 202, {"Location": url_for("api.show_rehearsal", import_id=found.id)}
    return shown


def _answer_when_done(found: Import) -> Any:
    return _answer(actions.wait_for(found.id, _patience()))


def _answer(found: Import) -> Any:
    if found.is_at_work:
        return _document(found), 202, {"Location": url_for("api.show_import", import_id=found.id)}
    return _document(found)


def _patience() -> float:
    asked = [each.partition(";")[0].strip().lower() for each in request.headers.get("Prefer", "").split(",")]
    return 0 if "respond-async" in asked else WAIT_SECONDS


def _document(found: Import) -> ImportOut:
    return ImportOut.model_validate(
        {"import_id": found.id, "status": _status(found), "kind": found.kind, "summary": queries.summary(found)}
    )


def _status(found: Import) -> str:
    return "running" if found.is_at_work else found.status
