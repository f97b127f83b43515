"""A message's own page, those that need a person, and what a person decides about them."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from werkzeug import Response

from app.accounts.guard import account
from app.conversations import forecast, queries, settling
from app.conversations.models import Message
from app.conversations.thread import MESSAGES_PER_PAGE
from app.conversations.views import bp
from app.errors import Conflict
from app.paging import fetch_page


@bp.get("/messages/onlyfans/failed")
def failed() -> str:
    rows = queries.with_fan(queries.messages_needing_a_person(account.id))
    cursor = request.args.get("cursor")
    page = fetch_page(rows, queries.NEWEST_MESSAGES_FIRST, limit=MESSAGES_PER_PAGE, cursor=cursor, counted=False)
    return render_template("conversations/failed.html", page=page)


@bp.get("/messages/onlyfans/message/<id:message_id>")
def show_message(message_id: int) -> str:
    message = queries.find_outgoing(account.id, message_id)
    due_at = forecast.send_time(message)
    return render_template("conversations/message.html", message=message, due_at=due_at)


@bp.post("/messages/onlyfans/message/<id:message_id>/retry")
def retry(message_id: int) -> Response | tuple[str, int]:
    return _settled(message_id, lambda: settling.retry(account.id, message_id), "It is in the queue again.", "failed")


@bp.post("/messages/onlyfans/message/<id:message_id>/settle")
def settle(message_id: int) -> Response | tuple[str, int]:
    outcome = request.form.get("outcome")
    if outcome == "send_again":
        return _settled(
            message_id, lambda: settling.send_again(account.id, message_id), "It is in the queue again.", "unknown"
        )
    arrived = outcome == "sent"
    said = "Marked as sent." if arrived else "Marked as not sent: you may send it again."
    return _settled(message_id, lambda: settling.settle(account.id, message_id, arrived=arrived), said, "unknown")


def _settled(message_id: int, verb: Callable[[], Message], said: str, was: str) -> Response | tuple[str, int]:
    """In a thread, which hears by itself what became of it, nothing more is to be said. `was`: the status before."""
    try:
        verb()
    except Conflict as error:
        flash(error.detail, "error")
    else:
        if request.headers.get("HX-Request"):
            return "", 204
        flash(said, "success")
    if request.form.get("from") == "message":
        return redirect(url_for("conversations.show_message", message_id=message_id))
    if request.form.get("from") == "campaign":
        campaign_id = queries.find_outgoing(account.id, message_id).campaign_id
        reason, search = request.form.get("reason") or None, request.form.get("search") or None
        return redirect(url_for("campaigns.show", campaign_id=campaign_id, status=was, reason=reason, search=search))
    return redirect(url_for("conversations.failed"))
