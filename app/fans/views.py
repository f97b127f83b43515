from flask import Blueprint, flash, redirect, render_template, request, stream_with_context, url_for
from flask import Response as StreamedResponse
from werkzeug import Response

from app.accounts.auditing import record_export
from app.accounts.guard import account
from app.errors import Conflict, Invalid
from app.fans import actions, queries
from app.fans.export import fans_csv
from app.fans.forms import FanForm, form_for
from app.fans.models import Fan
from app.paging import count_up_to, fetch_page
from app.rare import fetch_rare_counted

bp = Blueprint("fans", __name__)

FANS_PER_PAGE = 50
MOST_COUNTED = 10_000
MOST_FOUND_COUNTED = 1000
SORT_LABELS = {
    "-valueCents": "Most spent",
    "valueCents": "Least spent",
    "name": "Name",
    "-lastSeenAt": "Last seen",
    "-createdAt": "Newest",
}
FORM_FIELDS = {"platformFanId": "platform_fan_id", "value_cents": "value"}


@bp.get("/fans")
def index() -> str:
    search, tag = request.args.get("search", "").replace("\0", ""), request.args.get("tag", "").replace("\0", "")
    sort = request.args.get("sort", "-valueCents")
    order = queries.SORTS.get(sort, queries.SORTS["-valueCents"])
    rows = queries.search_fans(account.id, search=search, tag=tag)
    cursor = request.args.get("cursor")
    if search.strip() or tag.strip():
        rare = queries.rare_fans(account.id, rows, order, search)
        page, total, is_all = fetch_rare_counted(
            rows, order, rare, limit=FANS_PER_PAGE, most=MOST_FOUND_COUNTED, cursor=cursor
        )
    else:
        page = fetch_page(rows, order, limit=FANS_PER_PAGE, cursor=cursor, counted=False)
        total = count_up_to(rows.with_only_columns(Fan.id), MOST_COUNTED)
        total, is_all = min(total, MOST_COUNTED), total <= MOST_COUNTED
    template = "fans/_list.html" if request.headers.get("HX-Request") else "fans/index.html"
    return render_template(
        template,
        page=page,
        total=total,
        is_all=is_all,
        search=search,
        tag=tag,
        sort=order.name,
        sorts=SORT_LABELS,
        tags=queries.tags_of_account(account.id),
    )


@bp.get("/fans.csv")
def export() -> StreamedResponse:
    """The list as the address filters and sorts it, all pages."""
    search, tag = request.args.get("search", "").replace("\0", ""), request.args.get("tag", "").replace("\0", "")
    order = queries.SORTS.get(request.args.get("sort", ""), queries.SORTS["-valueCents"])
    record_export(account.id, f"fans{f' with “{search}”' if search else ''}{f' tagged {tag}' if tag else ''}")
    lines = fans_csv(queries.search_fans(account.id, search=search, tag=tag), order)
    response = StreamedResponse(stream_with_context(lines), mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="fans.csv"'
    return response


@bp.get("/fans/new")
def new() -> str:
    return render_template("fans/new.html", form=FanForm())


@bp.post("/fans/new")
def create() -> Response | tuple[str, int]:
    form = FanForm()
    if form.validate_on_submit():
        try:
            fan = actions.add_fan(account.id, form.values())
        except (Invalid, Conflict) as error:
            show_error(form, error)
        else:
            flash(f"{fan.display_name} was added.", "success")
            return redirect(url_for("fans.show", fan_id=fan.id))
    return render_template("fans/new.html", form=form), 400


@bp.get("/fans/<id:fan_id>")
def show(fan_id: int) -> str:
    fan = queries.find_fan(account.id, fan_id)
    return render_template("fans/show.html", fan=fan, form=form_for(fan))


@bp.post("/fans/<id:fan_id>")
def update(fan_id: int) -> Response | tuple[str, int]:
    fan, form, status = queries.find_fan(account.id, fan_id), FanForm(), 400
    if form.validate_on_submit():
        try:
            actions.change_fan(account.id, fan_id, form.values(), form.values_shown())
        except (Invalid, Conflict) as error:
            show_error(form, error)
            status = error.status
            if isinstance(error, Invalid) and status == 409:
                form.show_as_now(fan, [name for name, _ in error.errors])
        else:
            flash("Saved.", "success")
            return redirect(url_for("fans.show", fan_id=fan_id))
    return render_template("fans/show.html", fan=fan, form=form), status


@bp.post("/fans/<id:fan_id>/tags")
def change_tags(fan_id: int) -> Response | str | tuple[str, int]:
    """`add` or `remove`: a tag. htmx gets the tags alone, as they stand beside a conversation too."""
    fan, error = queries.find_fan(account.id, fan_id), ""
    try:
        if taken := _said("remove"):
            fan = actions.untag_fan(account.id, fan_id, taken)
        else:
            fan = actions.tag_fan(account.id, fan_id, _said("add"))
    except Invalid as invalid:
        error = invalid.errors[0][1]
    if request.headers.get("HX-Request"):
        return render_template("fans/_tags.html", fan=fan, error=error), 422 if error else 200
    if error:
        flash(error, "error")
    return redirect(url_for("fans.show", fan_id=fan_id))


@bp.post("/fans/<id:fan_id>/notes")
def change_notes(fan_id: int) -> Response | tuple[str, int]:
    """As change_tags. What somebody else wrote meanwhile is shown, not written over."""
    fan, error, text = queries.find_fan(account.id, fan_id), "", _said("notes")
    try:
        fan = actions.change_notes(account.id, fan_id, text, version=_said("version"))
    except Invalid as invalid:
        error = invalid.errors[0][1]
    except Conflict as conflict:
        error = conflict.detail
    if request.headers.get("HX-Request"):
        return render_template("fans/_notes.html", fan=fan, error=error, mine=text), 422 if error else 200
    if error:
        return render_template("fans/notes.html", fan=fan, error=error, mine=text), 422
    flash("Saved.", "success")
    return redirect(url_for("fans.show", fan_id=fan_id))


def _said(name: str) -> str:
    return request.form.get(name, "").replace("\r\n", "\n").replace("\0", "")


def show_error(form: FanForm, error: Invalid | Conflict) -> None:
    """Beside the field it is about."""
    if isinstance(error, Conflict):
        field = form.platform_fan_id if "platform id" in error.detail else form.handle
        field.errors = [error.detail]
        return
    for name, message in error.errors:
        form[FORM_FIELDS.get(name, name)].errors = [message]
