"""What is done about many conversations at once: those that were ticked, or all that a filter finds."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from sqlalchemy import Select, func, select
from werkzeug import Response

from app.accounts.guard import account
from app.conversations import queries, triage
from app.conversations.forms import kept_in_address, list_filter
from app.conversations.models import Conversation
from app.conversations.triage_views import change_named
from app.conversations.views import bp
from app.database import LARGEST_ID, db
from app.errors import Invalid, NotFound
from app.fans import actions as fans

MOST_TAKEN_BACK = 100  # at once: the way back goes through the browser's cookie
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WAS = re.compile(r"(\d{1,18}):([01]):(\d{1,12})")


@bp.post("/messages/onlyfans/triage")
def change_many() -> Response | str:
    """Those that were ticked; or all that the filter in the address finds, once the person has seen how many these are."""
    back = redirect(url_for("conversations.index", **kept_in_address()))
    everything = request.form.get("which") == "all"
    ids = _all_wanted() if everything else _ticked()
    try:
        change, said = _change_of_many(request.form.get("do", ""), request.form.get("tag", "").replace("\0", ""))
    except Invalid as error:
        flash(error.errors[0][1], "error")
        return back
    if everything and (again := _asked_once_more(ids, said)):
        return again
    session["archived"] = _way_back(ids) if request.form["do"] == "archive" and not everything else []
    number = change(ids)
    flash(f"{number:,} {'conversation' if number == 1 else 'conversations'}: {said[0].lower()}{said[1:]}", "success")
    return back


def _all_wanted() -> Any:
    return queries.inbox(account.id, current_user.id, list_filter()).with_only_columns(Conversation.id)


def _ticked() -> Any:
    ticked = [int(each) for each in request.form.getlist("ids") if each.isdecimal() and int(each) <= LARGEST_ID]
    ours = (Conversation.account_id == account.id) & Conversation.id.in_(ticked[:1000])
    return select(Conversation.id).where(ours)


def _change_of_many(do: str, tag: str) -> tuple[Callable[[Select[Any]], int], str]:
    """What is done to those that a query of ids finds, and what is said of it. Raises Invalid."""
    if do == "tag":
        tag = fans.clean_tag(tag)
        said = f"Tagged {tag}. Those that had the tag are not counted."
        return lambda ids: fans.tag_fans(account.id, ids.with_only_columns(Conversation.fan_id), tag), said
    values, said = change_named(do)
    return lambda ids: triage.change_all(account.id, ids, values), said


def _asked_once_more(ids: Select[Any], said: str) -> str | None:
    """Unless as many match as the person has seen and agreed to."""
    number = db.session.scalar(select(func.count()).select_from(ids.subquery())) or 0
    seen = request.form.get("confirmed", "")
    if seen == str(number):
        return None
    return render_template(
        "conversations/confirm.html",
        number=number,
        seen=int(seen) if seen.isdecimal() and len(seen) < 10 else None,
        said=said,
        again={name: request.form.get(name, "") for name in ("do", "tag", "until")},
        kept=kept_in_address(),
    )


def _way_back(ids: Select[Any]) -> list[str]:
    """Of each that is to be archived: its id, whether it was pinned, until when it was put off, in seconds."""
    rows = select(Conversation.id, Conversation.pinned, Conversation.snoozed_until)
    rows = rows.where(Conversation.id.in_(ids), ~Conversation.archived).limit(MOST_TAKEN_BACK + 1)
    was = [
        f"{row.id}:{int(row.pinned)}:{int((row.snoozed_until - EPOCH).total_seconds()) if row.snoozed_until else 0}"
        for row in db.session.execute(rows)
    ]
    return was if len(was) <= MOST_TAKEN_BACK else []


@bp.post("/messages/onlyfans/triage/undo")
def take_back_many() -> Response:
    """Those that were ticked and archived are as they were."""
    for said in request.form.getlist("was"):
        if found := WAS.fullmatch(said):
            until = EPOCH + timedelta(seconds=int(found[3])) if int(found[3]) else None
            with suppress(NotFound):  # its fan was deleted
                values = triage.taken_back(pinned=found[2] == "1", snoozed_until=until)
                triage.change(account.id, int(found[1]), values)
    flash("As it was before.", "success")
    return redirect(url_for("conversations.index", **kept_in_address()))
