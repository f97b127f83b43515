import tempfile

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from werkzeug import Response as Answer

from app.accounts.auditing import record_export
from app.accounts.guard import account
from app.errors import Conflict
from app.fans.queries import find_fan
from app.portability import erasing
from app.portability.fan_file import write_fan_file

bp = Blueprint("portability", __name__)


@bp.get("/fans/<id:fan_id>/everything.zip")
def export_fan(fan_id: int) -> Response:
    """A copy of all that is kept about them."""
    fan = find_fan(account.id, fan_id)
    record_export(account.id, "everything about a fan", "fan", fan_id)
    file = tempfile.TemporaryFile()  # noqa: SIM115  it is closed with the answer
    write_fan_file(fan, file)
    file.seek(0)
    return send_file(file, "application/zip", as_attachment=True, download_name=f"fan-{fan_id}.zip")


@bp.get("/fans/<id:fan_id>/erase")
def ask_to_erase(fan_id: int) -> str:
    fan = find_fan(account.id, fan_id)
    return render_template("portability/erase.html", fan=fan, would=erasing.consequences(fan), error="")


@bp.post("/fans/<id:fan_id>/erase")
def erase_fan(fan_id: int) -> Answer | tuple[str, int]:
    fan = find_fan(account.id, fan_id)
    error = "" if request.form.get("sure") else "Tick this first: it cannot be undone."
    try:
        if not error:
            erasing.erase_fan(account.id, fan_id)
    except Conflict as conflict:
        error = conflict.detail
    if error:
        return render_template("portability/erase.html", fan=fan, would=erasing.consequences(fan), error=error), 422
    flash("Erased. The payments and the books of campaigns stand, without a name.", "success")
    return redirect(url_for("fans.show", fan_id=fan_id))
