"""The pages of a note and of an answer for later: what their buttons in the thread do, without JavaScript too."""

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response

from app.accounts.guard import account
from app.conversations import notes, sending_later
from app.conversations.desk_models import LaterReply
from app.conversations.views import bp
from app.errors import Conflict, Forbidden, Invalid


@bp.get("/messages/onlyfans/notes/<id:note_id>")
def show_note(note_id: int) -> str:
    return render_template("conversations/note.html", note=notes.find_note(account.id, note_id), error="")


@bp.post("/messages/onlyfans/notes/<id:note_id>")
def change_note(note_id: int) -> Response | tuple[str, int]:
    """`do`: save, delete or restore."""
    whose = (account.id, note_id, current_user.id)
    text = request.form.get("text", "").replace("\r\n", "\n").replace("\0", "")
    try:
        match request.form.get("do"):
            case "delete":
                notes.remove_note(*whose)
                return redirect(url_for("conversations.show_note", note_id=note_id))
            case "restore":
                note = notes.restore_note(*whose)
            case _:
                note = notes.change_note(*whose, text)
    except Invalid as error:
        note = notes.find_note(account.id, note_id)
        return render_template("conversations/note.html", note=note, text=text, error=error.errors[0][1]), 400
    except Forbidden as error:
        flash(error.detail, "error")
        return redirect(url_for("conversations.show_note", note_id=note_id))
    return redirect(url_for("conversations.show", conversation_id=note.conversation_id))


@bp.get("/messages/onlyfans/later/<id:later_id>")
def show_later(later_id: int) -> str | Response:
    later = sending_later.find_later(account.id, later_id)
    if later.is_hidden:
        return redirect(url_for("conversations.show", conversation_id=later.conversation_id))
    return render_template("conversations/later.html", later=later)


@bp.post("/messages/onlyfans/later/<id:later_id>")
def settle_later(later_id: int) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """`do`: send, edit or cancel."""
    later = sending_later.find_later(account.id, later_id)
    thread = url_for("conversations.show", conversation_id=later.conversation_id)
    try:
        said = _settle(later, request.form.get("do", ""))
    except Conflict as error:
        if request.headers.get("HX-Request"):
            return error.detail, 409
        flash(error.detail, "error")
    else:
        if request.headers.get("HX-Request"):
            return said, 200, {"HX-Redirect": thread} if request.form.get("do") == "edit" else {}
        flash(said, "success")
    return redirect(thread)


def _settle(later: LaterReply, do: str) -> str:
    """Raises Conflict."""
    if do == "send":
        sending_later.send_now(account.id, later.id)
        return "It goes out now."
    if do == "edit":
        sending_later.take_back(account.id, later.id, current_user.id)
        return "Its text is in the composer."
    sending_later.cancel(account.id, later.id)
    return "Cancelled."
