"""What is done about one conversation, from its thread."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response

from app.accounts import queries as accounts
from app.accounts.guard import account
from app.conversations import drafts, filters, queries, sending_later, triage
from app.conversations.forms import composer_of, kept_in_address
from app.conversations.models import Conversation
from app.conversations.views import bp, thread_page
from app.errors import Invalid
from app.web import id_in

CHANGES: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "archive": (triage.ARCHIVED, "Archived. Back with a new message."),
    "open": (triage.OPEN, "Back in the inbox."),
    "pin": (triage.PINNED, "Pinned to the top."),
    "unpin": (triage.UNPINNED, "No longer pinned."),
    "read": (triage.READ, "Marked as read."),
    "unread": (triage.UNREAD, "Marked as unread."),
}
NOTHING_KNOWN = ("do", "Choose what is to be done.")


@bp.get("/messages/onlyfans/<id:conversation_id>/triage")
def handling(conversation_id: int) -> str:
    """What a thread's header says of it by now."""
    return render_template(
        "conversations/_triage.html",
        conversation=queries.find_conversation(account.id, conversation_id),
        people=accounts.people_of(account.id, active_only=True),
        snooze_times=triage.snooze_times(account.timezone),
        kept=kept_in_address(),
    )


@bp.post("/messages/onlyfans/<id:conversation_id>/triage")
def change(conversation_id: int) -> Response | tuple[str, int, dict[str, str]]:
    way_back = _way_back(queries.find_conversation(account.id, conversation_id))
    try:
        values, said = change_named(request.form.get("do", ""))
        triage.change(account.id, conversation_id, values)
    except Invalid as error:
        flash(error.said, "error")
    else:
        if request.headers.get("HX-Request"):
            return said, 200, way_back if request.form["do"] == "archive" else {}
        flash(said, "success")
    if request.form.get("do") == "unread":  # to look at it would mark it as read
        return redirect(url_for("conversations.index", **kept_in_address()))
    return redirect(url_for("conversations.show", conversation_id=conversation_id, **kept_in_address()))


@bp.post("/messages/onlyfans/<id:conversation_id>/snooze")
def snooze_to(conversation_id: int) -> Response | tuple[str, int]:
    """Until a time of one's own."""
    conversation = queries.find_conversation(account.id, conversation_id)
    try:
        values, said = change_named("snooze:own")
    except Invalid as error:
        form = composer_of(drafts.find_draft(conversation, current_user.id))
        said = request.form.get("until", "")
        return thread_page(conversation, form, snooze_until=said, snooze_fault=error.errors[0][1]), 400
    triage.change(account.id, conversation_id, values)
    flash(said, "success")
    return redirect(url_for("conversations.show", conversation_id=conversation_id, **kept_in_address()))


def _way_back(conversation: Conversation) -> dict[str, str]:
    """What the form says to undo that this one is archived, as a header."""
    pinned, until = "pinned" if conversation.pinned else "", conversation.snoozed_until
    undo = "archive" if conversation.archived else f"back:{pinned}:{until.isoformat() if until else ''}"
    return {"Greenroom-Undo": undo}


def change_named(do: str) -> tuple[Mapping[str, Any], str]:
    """By its name in the form: `archive`, `snooze:tomorrow`, `assign:7`, `back:pinned:`. Raises Invalid."""
    name, _, rest = do.partition(":")
    if do in CHANGES:
        return CHANGES[do]
    if name == "snooze":
        return triage.snoozed(_snooze_time(rest)), "Snoozed. Back by itself, or when they write."
    if name == "assign":
        return triage.assigned(
            account.id, id_in(rest) if rest else None
        ), "Assigned." if rest else "Assigned to nobody."
    if name == "back":
        pinned, _, until = rest.partition(":")
        return triage.taken_back(pinned=bool(pinned), snoozed_until=_moment(until)), "As it was before."
    raise Invalid(NOTHING_KNOWN)


def _snooze_time(name: str) -> datetime | None:
    """None: until the fan writes. Raises Invalid."""
    if name == "own":
        until = sending_later.local_time(request.form.get("until", ""), account.timezone)
        sending_later.check_time(until)
        return until
    for each in triage.snooze_times(account.timezone):
        if each.name == name:
            return each.at
    raise Invalid(NOTHING_KNOWN)


def _moment(said: str) -> datetime | None:
    """Raises Invalid."""
    try:
        return datetime.fromisoformat(said).astimezone(UTC) if said else None
    except (ValueError, OverflowError) as error:
        raise Invalid(NOTHING_KNOWN) from error


@bp.get("/messages/onlyfans/next")
def next_waiting() -> Response:
    """Who waits longest for an answer, of those that are nobody else's; then whoever waits next, and round again. `after`: who
    was looked at, and `since` when they waited then, whether or not they were answered."""
    after, since = id_in(request.args.get("after")), _moment(request.args.get("since", ""))
    found = filters.next_waiting(account.id, current_user.id, after, since)
    if found is None:
        flash("Nobody else waits for an answer.", "success")
        return redirect(url_for("conversations.index"))
    return redirect(url_for("conversations.show", conversation_id=found, **kept_in_address()))
