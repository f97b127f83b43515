from flask import flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug import Response

from app.accounts import people
from app.accounts.forms import InviteForm, JoinForm, NewPasswordForm
from app.accounts.guard import account, let_in, open_to_all, person
from app.accounts.roles import IN_WORDS
from app.accounts.views import bp
from app.errors import Conflict, DomainError, Forbidden, Invalid, NotFound


@bp.get("/settings/people", endpoint="people")
def index() -> str:
    return _page(InviteForm(formdata=None))


@bp.post("/settings/people")
def invite() -> tuple[str, int]:
    """The link is shown in the answer itself and nowhere else again."""
    form = InviteForm()
    if form.validate_on_submit():
        try:
            word = people.invite(account.id, person.id, email=form.email.data or "", role=form.role.data)
        except Invalid as error:
            for name, message in error.errors:
                form[name].errors = [message]
        else:
            link = url_for("accounts.show_invitation", word=word, _external=True)
            about = f"Send this link to {form.email.data}. It is good once, for seven days, and is not shown again."
            return _page(InviteForm(formdata=None), link=link, about=about), 201
    return _page(form), 400


def _page(form: InviteForm, link: str = "", about: str = "") -> str:
    return render_template(
        "accounts/people.html",
        form=form,
        link=link,
        about=about,
        members=people.members_of(account.id),
        last_seen=people.last_seen(account.id),
        invitations=people.open_invitations(account.id),
        roles=IN_WORDS,
    )


@bp.post("/settings/people/invitations/<id:invitation_id>/revoke")
def revoke_invitation(invitation_id: int) -> Response:
    people.revoke_invitation(account.id, invitation_id)
    flash("The invitation is taken back: its link opens nothing.", "success")
    return redirect(url_for("accounts.people"))


@bp.post("/settings/people/<id:user_id>/role")
def change_role(user_id: int) -> Response:
    return _step("The role is changed.", people.change_role, user_id, request.form.get("role", ""))


@bp.post("/settings/people/<id:user_id>/deactivate")
def deactivate(user_id: int) -> Response:
    return _step("Deactivated: their sessions and tokens here have ended.", people.deactivate, user_id)


@bp.post("/settings/people/<id:user_id>/reactivate")
def reactivate(user_id: int) -> Response:
    return _step("They may come in again.", people.reactivate, user_id)


def _step(said: str, verb, user_id: int, *values: str) -> Response:
    try:
        verb(account.id, user_id, *values)
        flash(said, "success")
    except (Conflict, Invalid) as error:
        flash(error.said, "error")
    return redirect(url_for("accounts.people"))


@bp.post("/settings/people/<id:user_id>/reset-link")
def make_reset_link(user_id: int) -> Response | tuple[str, int]:
    try:
        word = people.make_reset_link(account.id, person.id, user_id)
    except Forbidden as error:
        flash(error.detail, "error")
        return redirect(url_for("accounts.people"))
    link = url_for("accounts.show_reset", word=word, _external=True)
    about = "Whoever opens this link sets a new password. It is good once, for one hour, and is not shown again."
    return _page(InviteForm(formdata=None), link=link, about=about), 201


@bp.post("/settings/people/<id:user_id>/two-step-off")
def turn_two_step_off(user_id: int) -> Response:
    try:
        people.turn_two_step_off(account.id, person.id, user_id)
    except Forbidden as error:
        flash(error.detail, "error")
    else:
        flash("Two-step sign-in is off for them, until they set it up again.", "success")
    return redirect(url_for("accounts.people"))


@bp.get("/invitations/<word>")
@open_to_all
def show_invitation(word: str) -> str | tuple[str, int]:
    return _invitation(word, JoinForm(formdata=None))


def _invitation(word: str, form: JoinForm, status: int = 200) -> str | tuple[str, int]:
    try:
        invitation, where, known = people.find_invitation(word)
    except NotFound as error:
        return render_template("accounts/link_gone.html", detail=error.detail), 404
    page = render_template(
        "accounts/invitation.html",
        form=form,
        word=word,
        invitation=invitation,
        where=where,
        known=known,
        roles=IN_WORDS,
    )
    return page if status == 200 else (page, status)


@bp.post("/invitations/<word>")
@open_to_all
def accept_invitation(word: str) -> Response | str | tuple[str, int]:
    """Who is signed in joins; who is not becomes somebody new."""
    form = JoinForm()
    is_known = current_user.is_authenticated
    if is_known:
        del form.name, form.password
    if not form.validate_on_submit():
        return _invitation(word, form, 400)
    try:
        if is_known:
            account_id = people.join(word, person)
            return _go_in(account_id)
        let_in(people.join_as_new(word, name=form.name.data or "", password=form.password.data or ""))
    except Invalid as error:
        for name, message in error.errors:
            form[name].errors = [message]
        return _invitation(word, form, 400)
    except DomainError as error:
        flash(error.detail, "error")
        return _invitation(word, form, error.status)
    return redirect(url_for("accounts.home"))


def _go_in(account_id: int) -> Response:
    session["account_id"] = account_id
    return redirect(url_for("accounts.home"))


@bp.get("/passwords/<word>")
@open_to_all
def show_reset(word: str) -> str | tuple[str, int]:
    return _reset(word, NewPasswordForm(formdata=None))


def _reset(word: str, form: NewPasswordForm, status: int = 200) -> str | tuple[str, int]:
    try:
        _, user = people.find_reset(word)
    except NotFound as error:
        return render_template("accounts/link_gone.html", detail=error.detail), 404
    page = render_template("accounts/reset.html", form=form, word=word, user=user)
    return page if status == 200 else (page, status)


@bp.post("/passwords/<word>")
@open_to_all
def use_reset(word: str) -> Response | str | tuple[str, int]:
    form = NewPasswordForm()
    if not form.validate_on_submit():
        return _reset(word, form, 400)
    try:
        people.reset_password(word, form.password.data or "")
    except Invalid as error:
        form.password.errors = [message for _, message in error.errors]
        return _reset(word, form, 400)
    except DomainError as error:
        flash(error.detail, "error")
        return _reset(word, form, error.status)
    flash("Your password is set. Sign in with it.", "success")
    return redirect(url_for("accounts.sign_in"))
