"""The search page, which is also what the field of Ctrl-K shows; and views that are kept under a name."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response

from app.accounts.guard import account
from app.conversations import saved_views
from app.conversations.forms import kept_in_address
from app.conversations.models import SavedView
from app.conversations.operators import LONGEST_SEARCH, Wanted, read
from app.conversations.queries import threads_with
from app.conversations.search import find_fans, find_messages
from app.conversations.views import bp
from app.conversations.words import excerpt
from app.errors import Invalid

MESSAGES_PER_PAGE = 30
MESSAGES_AT_A_GLANCE = 6
PATIENCE_SECONDS = 0.035  # then what was found is shown, and the page asks for what lies further back


@bp.get("/messages/onlyfans/search")
def search() -> str:
    asked_for = request.headers.get("HX-Target", "")
    if asked_for.endswith("quick-found"):
        return render_template("conversations/_found.html", glance=True, **_found(MESSAGES_AT_A_GLANCE, fans_shown=3))
    values = _found(MESSAGES_PER_PAGE, fans_shown=5)
    if asked_for.endswith("further"):
        return render_template("conversations/_found_rows.html", glance=False, in_place=True, **values)
    if request.headers.get("HX-Request"):
        return render_template("conversations/_found.html", glance=False, **values)
    views = [view for view in saved_views.seen_by(account.id, current_user.id) if view.place == "search"]
    return render_template("conversations/search.html", glance=False, views=views, **values)


def _said() -> str:
    return request.args.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]


def _found(limit: int, fans_shown: int) -> dict[str, Any]:
    said = _said()
    wanted = read(said, account.timezone)
    values: dict[str, Any] = {
        "said": said,
        "wanted": wanted,
        "page": None,
        "fans": [],
        "threads": {},
        "more_fans": None,
        "is_further": "so_far" in request.args,
        "so_far": max(0, request.args.get("so_far", 0, type=int)),  # found on the way here
    }
    if wanted.is_nothing:
        return values
    cursor = request.args.get("cursor")
    page = find_messages(account.id, current_user.id, wanted, limit=limit, cursor=cursor, patience=PATIENCE_SECONDS)
    values |= {
        "page": page,
        "excerpts": {message.id: excerpt(message.text, wanted.phrases) for message in page.rows},
    }
    if not cursor:
        fans, number, is_all = find_fans(account.id, wanted, limit=fans_shown)
        values |= {"fans": fans, "threads": threads_with(account.id, [fan.id for fan in fans]) if fans else {}}
        if number > len(fans):
            words = f"All {number:,} fans" if is_all else f"All {number:,} or more fans"
            values["more_fans"] = {"words": words, "address": _all_fans(wanted)}
    return values


def _all_fans(wanted: Wanted) -> str | None:
    """The address of the list of fans, where it can say as much."""
    if wanted.least_cents is not None or wanted.most_cents is not None or len(wanted.tags) > 1:
        return None
    return url_for("fans.index", search=" ".join(wanted.words) or None, tag=next(iter(wanted.tags), None))


# --- Saved views ---


@bp.get("/messages/onlyfans/views")
def list_views() -> str:
    return render_template("conversations/views.html", views=saved_views.seen_by(account.id, current_user.id))


@bp.get("/messages/onlyfans/views/new")
def new_view() -> str:
    return _view_form("", None)


@bp.post("/messages/onlyfans/views/new")
def create_view() -> Response | tuple[str, int]:
    place, address = _place()
    name, is_shared = request.form.get("name", ""), request.form.get("shared") == "1"
    try:
        view = saved_views.save_view(
            account.id, current_user.id, name=name, is_shared=is_shared, place=place, address=address
        )
    except Invalid as error:
        return _view_form(name, error.said, is_shared=is_shared), 400
    flash(f"Saved as “{view.name}”.", "success")
    return redirect(address_of(view))


@bp.post("/messages/onlyfans/views/<id:view_id>")
def change_view(view_id: int) -> Response | tuple[str, int]:
    try:
        saved_views.rename_view(account.id, current_user.id, view_id, request.form.get("name", ""))
    except Invalid as error:
        views = saved_views.seen_by(account.id, current_user.id)
        wrong = {"id": view_id, "name": request.form.get("name", ""), "error": error.said}
        return render_template("conversations/views.html", views=views, wrong=wrong), 400
    flash("Renamed.", "success")
    return redirect(url_for("conversations.list_views"))


@bp.post("/messages/onlyfans/views/<id:view_id>/delete")
def remove_view(view_id: int) -> Response:
    saved_views.remove_view(account.id, current_user.id, view_id)
    flash("The view was deleted.", "success")
    return redirect(url_for("conversations.list_views"))


def _view_form(name: str, error: str | None, *, is_shared: bool = False) -> str:
    place, address = _place()
    return render_template(
        "conversations/view_new.html", place=place, address=address, name=name, error=error, is_shared=is_shared
    )


def _place() -> tuple[str, dict[str, str]]:
    """What is to be saved: a search, or the inbox as the address filters it."""
    if said := _said():
        return "search", {"q": said}
    return "inbox", {name: value.replace("\0", "")[:LONGEST_SEARCH] for name, value in kept_in_address().items()}


@bp.app_template_filter("view_address")
def address_of(view: SavedView) -> str:
    endpoint = "conversations.search" if view.place == "search" else "conversations.index"
    return url_for(endpoint, **view.address)  # type: ignore[arg-type]
