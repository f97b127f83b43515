from flask import flash, g, redirect, render_template, url_for
from werkzeug import Response

from app import limits
from app.accounts import actions, sessions, two_step
from app.accounts.browsers import browser_name
from app.accounts.forms import NameForm, PasswordForm
from app.accounts.guard import account, let_in, person
from app.accounts.views import bp
from app.errors import Invalid


@bp.get("/settings/me")
def me() -> str:
    return _page(NameForm(formdata=None, name=person.name), PasswordForm(formdata=None))


@bp.post("/settings/me")
def change_name() -> Response | tuple[str, int]:
    form = NameForm()
    if form.validate_on_submit():
        try:
            actions.change_name(person, form.name.data or "")
        except Invalid as error:
            form.name.errors = [message for _, message in error.errors]
        else:
            flash("Your name is changed.", "success")
            return redirect(url_for("accounts.me"))
    return _page(form, PasswordForm(formdata=None)), 400


@bp.post("/settings/me/password")
def change_password() -> Response | tuple[str, int]:
    form = PasswordForm()
    if form.validate_on_submit():
        limits.count_own_password()
        try:
            actions.change_own_password(person, form.old.data or "", form.password.data or "")
        except Invalid as error:
            for name, message in error.errors:
                form[name].errors = [message]
        else:
            let_in(g.open_session.user)  # this browser goes on
            flash("Your password is changed. All other sessions and API tokens have ended.", "success")
            return redirect(url_for("accounts.me"))
    return _page(NameForm(formdata=None, name=person.name), form), 400


def _page(name_form: NameForm, password_form: PasswordForm) -> str:
    return render_template(
        "accounts/me.html",
        name_form=name_form,
        password_form=password_form,
        sessions=sessions.open_sessions(person.id),
        this_session=g.open_session.sign_in.id,
        tokens=sessions.open_tokens(person),
        browser_name=browser_name,
        two_step=two_step.is_on(person),
        role=g.membership.role,
        account_name=account.name,
    )


@bp.post("/settings/me/sessions/<id:sign_in_id>/end")
def end_session(sign_in_id: int) -> Response:
    sessions.end(person, sign_in_id)
    flash("That session has ended.", "success")
    return redirect(url_for("accounts.me"))


@bp.post("/settings/me/sessions/end-others")
def end_other_sessions() -> Response:
    sessions.end_others(person, g.open_session.sign_in.id)
    flash("All other sessions and API tokens have ended.", "success")
    return redirect(url_for("accounts.me"))


@bp.post("/settings/me/tokens/<token_id>/revoke")
def revoke_token(token_id: str) -> Response:
    sessions.revoke_token(person, token_id)
    flash("That token is good no longer.", "success")
    return redirect(url_for("accounts.me"))
