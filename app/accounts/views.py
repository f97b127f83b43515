from urllib.parse import urlsplit

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_login import current_user, logout_user
from werkzeug import Response

from app import limits
from app.accounts import actions, half_way, queries, sessions, two_step
from app.accounts.forms import SignInForm
from app.accounts.guard import enter, enter_first, first_place, let_in, open_to_all, person
from app.errors import NotFound
from app.web import id_in, once_answered

bp = Blueprint("accounts", __name__)


@bp.get("/")
def home() -> Response:
    return redirect(first_place())


@bp.get("/login")
@open_to_all
def sign_in() -> str | Response:
    form = SignInForm(next=request.args.get("next", ""))
    if current_user.is_authenticated:
        if enter():
            return redirect(after_sign_in(form.next.data))
        form.form_errors.append(f"No account lets {person.email} in at present. Ask an owner.")
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
    if two_step.is_on(user):
        half_way.begin(user, form.next.data or "")
        return redirect(url_for("accounts.show_code"))
    let_in(user)
    enter_first(user)
    return redirect(after_sign_in(form.next.data))


def _sign_in_page(form: SignInForm) -> str:
    return render_template("accounts/sign_in.html", form=form, demo=current_app.config.get("DEMO"))


def after_sign_in(target: str | None) -> str:
    """Where the person was going, if that is on this site; else the first place that they may see."""
    if target and _stays_here(target):
        return target
    return first_place() if g.membership else url_for("accounts.sign_in")


def _stays_here(target: str) -> bool:
    """As browsers read it, which leave out tabs and take a backslash for a slash; after two slashes comes a host."""
    try:
        is_path = target.startswith("/") and not target.startswith("//")
        return is_path and "\\" not in target and not urlsplit(target).netloc
    except ValueError:
        return False


@bp.post("/logout")
def sign_out() -> Response:
    sessions.sign_out(person, g.open_session.sign_in.id)
    logout_user()
    session.clear()
    return redirect(url_for("accounts.sign_in"))


@bp.post("/account")
def switch() -> Response:
    account_id = id_in(request.form.get("account_id"))
    if queries.find_membership(person, account_id) is None:
        raise NotFound
    session["account_id"] = account_id
    flash("Switched account.", "success")
    return redirect(url_for("accounts.home"))
