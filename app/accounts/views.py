from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug import Response

from app import limits
from app.accounts import actions, queries
from app.accounts.forms import SignInForm
from app.accounts.guard import enter, first_place, open_to_all, person
from app.database import LARGEST_ID
from app.errors import NotFound
from app.web import once_answered

bp = Blueprint("accounts", __name__)


@bp.get("/")
def home() -> Response:
    return redirect(first_place())


@bp.get("/login")
@open_to_all
def sign_in() -> str | Response:
    form = SignInForm(next=request.args.get("next", ""))
    if current_user.is_authenticated and enter(person, session.get("account_id")):
        return redirect(_safe_target(form.next.data))
    return _sign_in_page(form)


@bp.post("/login")
@open_to_all
def start_session() -> Response | tuple[str, int]:
    limits.count_sign_in()
    form = SignInForm()
    if not form.validate_on_submit():
        return _sign_in_page(form), 400
    try:
        user = actions.check_sign_in(form.email.data or "", form.password.data or "")
    except actions.WrongSignIn:
        once_answered(actions.note_failed_sign_in, form.email.data or "")
        form.password.errors = ["This e-mail and password do not belong together."]
        return _sign_in_page(form), 401
    session.clear()  # a session that someone planted before the sign-in must not survive it
    session.permanent = True
    login_user(user)
    actions.begin_session(user)
    return redirect(_safe_target(form.next.data) if enter(user, None) else url_for("accounts.home"))


def _sign_in_page(form: SignInForm) -> str:
    return render_template("accounts/sign_in.html", form=form, demo=current_app.config.get("DEMO"))


def _safe_target(target: str | None) -> str:
    """Where to go after sign-in: only within this site."""
    parts = urlsplit(target or "")
    stays = target and target.startswith("/") and not target.startswith(("//", "/\\")) and not parts.netloc
    return target if stays and "\\" not in target else first_place()  # type: ignore[return-value]


@bp.post("/logout")
def sign_out() -> Response:
    actions.end_session(person)
    logout_user()
    session.clear()
    return redirect(url_for("accounts.sign_in"))


@bp.post("/account")
def switch() -> Response:
    account_id = request.form.get("account_id", 0, type=int)
    if not 0 < account_id <= LARGEST_ID or queries.find_membership(person, account_id) is None:
        raise NotFound
    session["account_id"] = account_id
    flash("Switched account.", "success")
    return redirect(url_for("accounts.home"))
