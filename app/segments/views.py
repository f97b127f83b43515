from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response

from app.accounts.guard import account
from app.errors import Conflict, Invalid
from app.fans import own_fields
from app.fans import queries as fans
from app.formats import plural
from app.segments import actions, queries
from app.segments.forms import RuleForm, entered, form_of
from app.segments.glancing import glance, look
from app.segments.models import Segment
from app.segments.ready_made import READY_MADE
from app.segments.rules import FIELDS, Group, parse
from app.segments.words import Names, in_words
from app.web import id_in

bp = Blueprint("segments", __name__)

FANS_SHOWN = 8
Answer = Response | str | tuple[str, int] | tuple[str, int, dict[str, str]]


@bp.get("/segments")
def index() -> str:
    names = queries.names_of(account.id)
    saved = [(each, in_words(parse(each.rule), names)) for each in queries.segments_of(account.id)]
    return render_template("segments/index.html", saved=saved, ready_made=READY_MADE.values())


@bp.get("/segments/count")
def count() -> str:
    """How many there are in one of the list, asked by itself: a number may take a moment."""
    ready = READY_MADE.get(request.args.get("ready", ""))
    if ready:
        rule = ready.rule
    else:
        rule = parse(queries.find_segment(account.id, id_in(request.args.get("id"))).rule)
    return plural(queries.count_fans(account.id, rule), "fan", "fans")


@bp.get("/segments/new")
def new() -> str:
    ready = READY_MADE.get(request.args.get("ready", ""))
    form = form_of(ready.name, ready.rule) if ready else None
    return _page(form or RuleForm())


@bp.get("/segments/<id:segment_id>")
def edit(segment_id: int) -> str:
    segment = queries.find_segment(account.id, segment_id)
    rule = parse(segment.rule)
    form = form_of(segment.name, rule)
    if form is None:
        return _page(RuleForm(segment.name), segment, shown=rule)
    return _page(form, segment)


@bp.post("/segments/new")
def create() -> Answer:
    return _work(None)


@bp.post("/segments/<id:segment_id>")
def save(segment_id: int) -> Answer:
    return _work(queries.find_segment(account.id, segment_id))


def _work(segment: Segment | None) -> Answer:
    """`do`: save; a step of building (see RuleForm.do); or nothing, to look at what it finds."""
    form = entered(request.form)
    what = request.form.get("do", "")
    form.show_errors(also_of_empty=what == "save")
    if what != "save":
        form.do(what)
        return _page(form, segment)
    try:
        saved = _save(form, segment)
    except Conflict as error:
        form.errors["name"] = error.detail
    except Invalid as error:
        form.errors |= {name: words for name, words in error.errors if name in ("name", "rule")}
    else:
        flash(f"{saved.name} was saved.", "success")
        if request.headers.get("HX-Request"):
            return "", 200, {"HX-Redirect": url_for("segments.index")}
        return redirect(url_for("segments.index"))
    return _page(form, segment), 422


def _save(form: RuleForm, segment: Segment | None) -> Segment:
    """Raises Invalid, Conflict."""
    rule = form.rule()
    if segment is None:
        return actions.save_segment(account.id, current_user.id, form.name, rule)
    version = request.form.get("version", segment.version, type=int)
    return actions.change_segment(account.id, segment.id, name=form.name, rule=rule, version=version)


@bp.post("/segments/<id:segment_id>/delete")
def remove(segment_id: int) -> Response:
    flash(f"{actions.remove_segment(account.id, segment_id).name} was deleted.", "success")
    return redirect(url_for("segments.index"))


def _page(form: RuleForm, segment: Segment | None = None, shown: Group | None = None) -> str:
    """The page; or the builder by itself, with what its rule finds now."""
    names = queries.names_of(account.id)
    values: dict[str, Any] = {
        "form": form,
        "segment": segment,
        "fields": FIELDS,
        "tags": fans.tags_of_account(account.id),
        "own_fields": own_fields.names_in(account.id),
        "names": names,
        "fixed": shown and in_words(shown, names),
    } | _found(form, shown, names)
    template = "segments/_builder.html" if request.headers.get("HX-Request") else "segments/edit.html"
    return render_template(template, **values)


def _found(form: RuleForm, shown: Group | None, names: Names) -> dict[str, Any]:
    try:
        rule = shown or form.rule()
    except Invalid:
        return {"found": None, "words": ""}
    words = in_words(rule, names)
    is_plain = request.method == "POST" and "HX-Request" not in request.headers
    waits = shown or is_plain or "exactly" in request.form  # a rule that is only shown has no form that could ask again
    found = (look if waits else glance)(account.id, rule, FANS_SHOWN)
    return {"found": found, "words": words}
