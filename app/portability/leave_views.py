from flask import Response, flash, redirect, render_template, send_file, url_for
from werkzeug import Response as Redirect

from app.accounts.auditing import record_export
from app.accounts.guard import account, person
from app.errors import Conflict, NotFound
from app.portability import actions, files, queries
from app.portability.models import ExportState
from app.portability.pace import pace_of
from app.portability.views import bp

NOT_WHOLE = "There is no file of this export."
GONE = "The file is no longer on this machine. Begin a new export."


@bp.get("/settings/leave")
def leave() -> str:
    return _state("portability/leave.html")


@bp.get("/settings/leave/progress")
def leave_progress() -> str:
    return _state("portability/_exports.html")


def _state(template: str) -> str:
    exports = queries.recent_exports(account.id)
    newest = exports[0][0] if exports else None
    at_work = newest if newest and newest.is_at_work else None
    return render_template(
        template,
        exports=exports,
        at_work=at_work,
        pace=pace_of(at_work) if at_work else None,
        failed=newest if newest and newest.state == ExportState.FAILED else None,
        kept_for=queries.KEPT,
    )


@bp.post("/settings/leave")
def begin_export() -> Redirect:
    actions.begin(account.id, person.id)
    return redirect(url_for("portability.leave"))


@bp.get("/settings/leave/<id:export_id>.zip")
def download_export(export_id: int) -> Response:
    found = queries.find_export(account.id, export_id)
    path, name = files.place_of(found.stored_file), found.file_name
    if found.state != ExportState.DONE:
        raise NotFound(NOT_WHOLE)
    if not path.exists():
        raise NotFound(GONE)
    record_export(account.id, "the whole account", "export", export_id)
    return send_file(path, "application/zip", as_attachment=True, download_name=name)


@bp.post("/settings/leave/<id:export_id>/delete")
def discard_export(export_id: int) -> Redirect:
    try:
        actions.discard(account.id, export_id)
    except Conflict as error:
        flash(error.detail, "error")
    return redirect(url_for("portability.leave"))
