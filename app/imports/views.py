from functools import partial
from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    stream_with_context,
    url_for,
)
from flask_login import current_user
from werkzeug import Response as Redirect

from app import limits
from app.accounts.auditing import record_export
from app.accounts.guard import account
from app.config import ROOT
from app.errors import Conflict, Invalid
from app.imports import actions, downloads, queries
from app.imports.forms import MappingForm, UploadForm, mapping_form
from app.imports.mapping import HOUSE_HEADER
from app.imports.models import Import, ImportStatus
from app.imports.options import Options
from app.imports.pace import pace_of
from app.paging import fetch_page
from app.zones import zone_names

bp = Blueprint("imports", __name__)

IMPORTS_PER_PAGE = 30
ROWS_PER_PAGE = 50
EXAMPLE = ROOT / "examples" / "fans.csv"
FIRST_LIST = ("changed", "new", "conflicts", "rejected", "warnings", "unchanged")


@bp.get("/imports")
def index() -> str:
    return _index(UploadForm())


@bp.post("/imports")
def create() -> Redirect | tuple[str, int]:
    form = UploadForm()
    status = 400
    if form.validate_on_submit():
        try:
            limits.count_import()
            new, *others = _upload(form)
        except Invalid as error:
            status = error.status
            form.file.errors = [message for _, message in error.errors]
        else:
            if others:
                flash(f"The file holds {len(others) + 1} tables: each is an import of its own.", "success")
            return redirect(url_for("imports.mapping", import_id=new.id))
    return _index(form), status


def _upload(form: UploadForm) -> list[Import]:
    if not form.file.data:
        raise Invalid(("file", "Choose a file."))
    return actions.upload(
        account.id, current_user.id, filename=form.file.data.filename or "", content=form.file.data.stream
    )


def _index(form: UploadForm) -> str:
    page = fetch_page(
        queries.imports_of(account.id), queries.NEWEST_FIRST, limit=IMPORTS_PER_PAGE, cursor=request.args.get("cursor")
    )
    return render_template("imports/index.html", form=form, page=page, house_header=HOUSE_HEADER)


@bp.get("/imports/example.csv")
def example() -> Response:
    return send_file(EXAMPLE, mimetype="text/csv", as_attachment=True, download_name="fans.csv")


@bp.get("/imports/<id:import_id>/mapping")
def mapping(import_id: int) -> str | Redirect:
    found = queries.find_import(account.id, import_id)
    if found.status not in (ImportStatus.MAPPING, ImportStatus.REHEARSED):
        return redirect(url_for("imports.show", import_id=import_id))
    options = Options.from_json(found.options)
    return _mapping(found, mapping_form(options, found.kind), options)


@bp.post("/imports/<id:import_id>/mapping")
def rehearse(import_id: int) -> Redirect | tuple[str, int]:
    found = queries.find_import(account.id, import_id)
    form = MappingForm()
    form.offer_fields(form.kind.data or "")
    form.offer_encoding(form.encoding.data or "")
    if form.validate_on_submit():
        try:
            actions.map_columns(account.id, import_id, form.choice())
        except Invalid as error:
            form.show_errors(error.errors)
        except Conflict as error:
            flash(error.detail, "error")
            return redirect(url_for("imports.show", import_id=import_id))
        else:
            return redirect(url_for("imports.show", import_id=import_id))
    return _mapping(found, form, Options.from_json(found.options)), 400


def _mapping(found: Import, form: MappingForm, options: Options) -> str:
    columns = list(zip(options.plan.header, options.samples, form.columns, strict=False))
    return render_template("imports/mapping.html", found=found, form=form, columns=columns, plan=options.plan)


@bp.post("/imports/<id:import_id>/timezone")
def read_in_zone(import_id: int) -> Redirect:
    """`timezone`: in which the file's times without a zone are read."""
    try:
        actions.read_in_zone(account.id, import_id, request.form.get("timezone", ""))
    except (Conflict, Invalid) as error:
        flash(error.said, "error")
    return redirect(url_for("imports.show", import_id=import_id))


@bp.get("/imports/<id:import_id>")
def show(import_id: int) -> str | Redirect:
    found = queries.find_import(account.id, import_id)
    if found.status == ImportStatus.MAPPING:
        return redirect(url_for("imports.mapping", import_id=import_id))
    return _state("imports/show.html", found)


@bp.get("/imports/<id:import_id>/progress")
def progress(import_id: int) -> str:
    return _state("imports/_state.html", queries.find_import(account.id, import_id))


def _state(template: str, found: Import) -> str:
    chosen = request.args.get("list") or _first_list(found)
    page = None
    if chosen and not found.is_at_work:
        rows = queries.rows_of(found, chosen)
        page = fetch_page(rows, queries.BY_ROW, limit=ROWS_PER_PAGE, cursor=request.args.get("cursor"))
    return render_template(
        template,
        found=found,
        pace=pace_of(found),
        page=page,
        chosen=chosen,
        lists=_lists(found),
        changes_of=partial(downloads.changes_of, zone=downloads.zone_of(found)),
        columns=queries.columns_read(found),
        spend_is_in=queries.spend_is_in(found),
        doubt=Options.from_json(found.options).doubt if found.status == ImportStatus.REHEARSED else None,
        zones=zone_names(),
    )


def _lists(found: Import) -> dict[str, tuple[str, int]]:
    """The lists that have rows: name in the address, label, number."""
    done = found.status not in (ImportStatus.REHEARSED, ImportStatus.APPLYING)
    is_back = found.status == ImportStatus.UNDONE
    since = "" if not is_back else ", before it was taken back" if found.not_undone else ", taken back"
    counts = {
        "new": (f"New{since}", found.new_rows),
        "changed": (f"Changed{since}", found.changed_rows),
        "unchanged": ("Unchanged", found.unchanged),
        "conflicts": ("Conflicts", found.conflict_rows),
        "rejected": ("Rejected", found.rejected_rows),
        "warnings": ("Warnings", found.warned_rows),
        "not-applied": ("Not applied", found.not_applied if done else 0),
        "not-undone": ("Not undone", found.not_undone),
    }
    return {name: each for name, each in counts.items() if each[1]}


def _first_list(found: Import) -> str | None:
    lists = _lists(found)
    return next((name for name in ("not-undone", "not-applied", *FIRST_LIST) if name in lists), None)


@bp.post("/imports/<id:import_id>/apply")
def apply(import_id: int) -> Redirect:
    return _step(import_id, actions.apply)


@bp.post("/imports/<id:import_id>/undo")
def undo(import_id: int) -> Redirect:
    return _step(import_id, actions.undo)


@bp.post("/imports/<id:import_id>/discard")
def discard(import_id: int) -> Redirect:
    _step(import_id, actions.discard)
    return redirect(url_for("imports.index"))


def _step(import_id: int, verb: Any) -> Redirect:
    try:
        verb(account.id, import_id)
    except Conflict as error:
        flash(error.detail, "error")
    return redirect(url_for("imports.show", import_id=import_id))


@bp.get("/imports/<id:import_id>/<name>.csv")
def rows_csv(import_id: int, name: str) -> Response:
    """One of the lists of rows; `rejected.csv` holds all skipped ones, to mend and upload again."""
    found = queries.find_import(account.id, import_id)
    queries.rows_of(found, name)
    record_export(account.id, f"{name} rows of {found.file_name}", "import", found.id)
    found = queries.find_import(account.id, import_id)
    lines = stream_with_context(downloads.as_csv(found, "skipped" if name == "rejected" else name))
    response = Response(lines, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}-{found.id}.csv"'
    return response
