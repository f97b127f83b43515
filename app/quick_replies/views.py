from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug import Response

from app.accounts.guard import account
from app.errors import Conflict, Invalid, NotFound
from app.fans import placeholders
from app.paging import fetch_page
from app.quick_replies import actions, queries
from app.quick_replies.forms import QuickReplyForm, form_for
from app.quick_replies.models import QuickReply

bp = Blueprint("quick_replies", __name__)

REPLIES_PER_PAGE = 50


@bp.get("/settings/replies")
def index() -> str:
    search, folder = (request.args.get(name, "").replace("\0", "")[:200] for name in ("search", "folder"))
    rows = queries.replies_of(account.id, current_user.id, search=search, folder=folder)
    page = fetch_page(
        queries.with_authors(rows), queries.BY_CODE, limit=REPLIES_PER_PAGE, cursor=request.args.get("cursor")
    )
    return render_template(
        "quick_replies/_list.html" if request.headers.get("HX-Request") else "quick_replies/index.html",
        page=page,
        search=search,
        folder=folder,
        folders=queries.folders_of(account.id, current_user.id),
        deleted=_just_deleted(),
    )


def _just_deleted() -> QuickReply | None:
    """The one that the address says was deleted, as long as it is."""
    try:
        reply_id = request.args.get("deleted", 0, type=int)
        reply = queries.find_reply(account.id, current_user.id, reply_id, deleted=True)
    except NotFound:
        return None
    return reply if reply.deleted_at else None


@bp.get("/settings/replies/new")
def new() -> str:
    return _page(QuickReplyForm(code=request.args.get("code", "")))


@bp.post("/settings/replies/new")
def create() -> Response | tuple[str, int]:
    form = QuickReplyForm()
    if form.validate_on_submit():
        try:
            reply = actions.add_reply(account.id, current_user.id, form.wording())
        except Invalid as error:
            _show_errors(form, error)
        else:
            flash(f"/{reply.code} was added.", "success")
            return redirect(url_for("quick_replies.index"))
    return _page(form), 400


@bp.get("/settings/replies/<id:reply_id>")
def edit(reply_id: int) -> str:
    reply = queries.find_reply(account.id, current_user.id, reply_id)
    return _page(form_for(reply), reply)


@bp.post("/settings/replies/<id:reply_id>")
def save(reply_id: int) -> Response | tuple[str, int]:
    reply = queries.find_reply(account.id, current_user.id, reply_id)
    form = QuickReplyForm()
    if form.validate_on_submit():
        try:
            actions.change_reply(account.id, current_user.id, reply_id, form.wording(), form.version.data or 0)
        except Invalid as error:
            _show_errors(form, error)
        except Conflict as error:
            form.form_errors.append(error.detail)
        else:
            flash(f"/{reply.code} was saved.", "success")
            return redirect(url_for("quick_replies.index"))
    return _page(form, reply), 400


@bp.post("/settings/replies/<id:reply_id>/delete")
def remove(reply_id: int) -> Response:
    actions.delete_reply(account.id, current_user.id, reply_id)
    return redirect(url_for("quick_replies.index", deleted=reply_id))


@bp.post("/settings/replies/<id:reply_id>/restore")
def restore(reply_id: int) -> Response:
    try:
        reply = actions.restore_reply(account.id, current_user.id, reply_id)
    except Invalid:
        flash("It cannot come back: another reply has its code by now.", "error")
    else:
        flash(f"/{reply.code} is back.", "success")
    return redirect(url_for("quick_replies.index"))


def _show_errors(form: QuickReplyForm, error: Invalid) -> None:
    for name, message in error.errors:
        form[name].errors = [*form[name].errors, message]


def _page(form: QuickReplyForm, reply: QuickReply | None = None) -> str:
    return render_template(
        "quick_replies/edit.html",
        form=form,
        reply=reply,
        folders=queries.folders_of(account.id, current_user.id),
        placeholders=placeholders.NAMES,
        may_keep_to_oneself=reply is None or not reply.is_shared or reply.author_id == current_user.id,
    )
