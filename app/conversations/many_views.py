"""What is done about many conversations at once: those that were ticked, or all that a filter finds."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from sqlalchemy import Select, func, select
from werkzeug import Response

from app.accounts.guard import account
from app.conversations import filters, many
from app.conversations.forms import kept_in_address, list_filter
from app.conversations.models import Conversation
from app.conversations.triage_views import change_named
from app.conversations.views import bp
from app.database import db
from app.errors import Invalid, NotFound
from app.fans import actions as fans
from app.web import id_in


@bp.post("/messages/onlyfans/triage")
def change_many() -> Response | str:
    """Those that were ticked; or all that the filter in the address finds, once the person has seen how many these are."""
    back = redirect(url_for("conversations.index", **kept_in_address()))
    everything = request.form.get("which") == "all"
    if not everything and not request.form.getlist("ids"):
        flash("Tick some conversations first.", "error")
        return back
    ids = _all_wanted() if everything else _ticked()
    try:
        change, said = _change_of_many(request.form.get("do", ""), request.form.get("tag", "").replace("\0", ""))
    except Invalid as error:
        flash(error.errors[0][1], "error")
        return back
    if everything and (again := _asked_once_more(ids, said)):
        return again
    number, action_id = change(ids)
    session["undo"] = [action_id, number] if number else None
    flash(f"{number:,} {'conversation' if number == 1 else 'conversations'}: {said[0].lower()}{said[1:]}", "success")
    return back


def _all_wanted() -> Any:
    return filters.inbox(account.id, current_user.id, list_filter()).with_only_columns(Conversation.id)


def _ticked() -> Any:
    ticked = [id_in(each) for each in request.form.getlist("ids")[:1000]]
    ours = (Conversation.account_id == account.id) & Conversation.id.in_(ticked)
    return select(Conversation.id).where(ours)


def _change_of_many(do: str, tag: str) -> tuple[Callable[[Select[Any]], tuple[int, int]], str]:
    """What is done to those that a query of ids finds, and what is said of it; done, it gives how many they were and the id to
    take it back by. Raises Invalid."""
    if do in ("tag", "untag"):
        tag, gives = fans.clean_tag(tag), do == "tag"
        said = f"Tagged {tag}. Those that had the tag are not counted." if gives else f"Without the tag {tag}."
        return lambda ids: many.tag_many(account.id, current_user.id, ids, tag, gives=gives), said
    values, said = change_named(do)
    return lambda ids: many.change_many(account.id, current_user.id, ids, values), said


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


@bp.post("/messages/onlyfans/triage/undo")
def take_back_many() -> Response:
    """What was done is as it was before; done twice, it is said once more."""
    with suppress(NotFound):
        many.take_back(account.id, current_user.id, id_in(request.form.get("action")))
    flash("As it was before.", "success")
    return redirect(url_for("conversations.index", **kept_in_address()))
