from pathlib import Path

from flask import Blueprint, Response, redirect, render_template, request, send_file, stream_with_context, url_for
from flask_login import current_user
from werkzeug import Response as Redirect

from app import limits
from app.accounts.guard import account
from app.errors import Invalid
from app.imports import actions, queries, rejected
from app.imports.forms import ImportForm
from app.imports.mapping import HOUSE_HEADER
from app.imports.models import Import, Severity
from app.imports.pace import pace_of
from app.paging import fetch_page

bp = Blueprint("imports", __name__)

IMPORTS_PER_PAGE = 30
ROWS_PER_PAGE = 50
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "fans.csv"
FORM_FIELDS = {"dateOrder": "date_order"}


@bp.get("/imports")
def index() -> str:
    return _index(ImportForm())


@bp.post("/imports")
def create() -> Redirect | tuple[str, int]:
    form = ImportForm()
    status = 400
    if form.validate_on_submit():
        try:
            limits.count_import()
            new = _start(form)
        except Invalid as error:
            status = error.status
            for name, message in error.errors:
                field = getattr(form, FORM_FIELDS.get(name, name), form.file)
                field.errors = [*field.errors, message]
        else:
            return redirect(url_for("imports.show", import_id=new.id))
    return _index(form), status


def _start(form: ImportForm) -> Import:
    if not form.file.data:
        raise Invalid(("file", "Choose a file."))
    return actions.start(
        account.id,
        current_user.id,
        filename=form.file.data.filename or "",
        content=form.file.data.stream,
        kind=form.kind.data,
        invalid=form.invalid.data,
        date_order=form.date_order.data,
        decimal=form.decimal.data,
        unit=form.unit.data,
        currency=form.currency.data,
        encoding=form.encoding.data,
    )


def _index(form: ImportForm) -> str:
    page = fetch_page(
        queries.imports_of(account.id), queries.NEWEST_FIRST, limit=IMPORTS_PER_PAGE, cursor=request.args.get("cursor")
    )
    return render_template("imports/index.html", form=form, page=page, house_header=HOUSE_HEADER)


@bp.get("/imports/example.csv")
def example() -> Response:
    return send_file(EXAMPLE, mimetype="text/csv", as_attachment=True, download_name="fans.csv")


@bp.get("/imports/<id:import_id>")
def show(import_id: int) -> str:
    return _state("imports/show.html", import_id)


@bp.get("/imports/<id:import_id>/progress")
def progress(import_id: int) -> str:
    return _state("imports/_state.html", import_id)


def _state(template: str, import_id: int) -> str:
    found = queries.find_import(account.id, import_id)
    severity = Severity.WARNING if request.args.get("list") == "warnings" else Severity.ERROR
    page = fetch_page(
        queries.rows_of(found, severity), queries.BY_ROW, limit=ROWS_PER_PAGE, cursor=request.args.get("cursor")
    )
    return render_template(
        template,
        found=found,
        pace=pace_of(found),
        page=page,
        severity=severity,
        warnings=queries.count_warnings(found),
        columns=queries.columns_read(found),
    )


@bp.get("/imports/<id:import_id>/rejected.csv")
def rejected_csv(import_id: int) -> Response:
    found = queries.find_import(account.id, import_id)
    lines = stream_with_context(rejected.as_csv(found))
    response = Response(lines, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="rejected-{found.id}.csv"'
    return response
