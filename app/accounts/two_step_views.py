import segno
from flask import current_app, flash, redirect, render_template, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from markupsafe import Markup
from werkzeug import Response

from app import limits
from app.accounts import actions, two_step
from app.accounts.forms import TwoStepForm
from app.accounts.guard import person
from app.accounts.views import bp
from app.errors import Invalid

SET_UP_SECONDS = 60 * 60


@bp.get("/settings/me/two-step")
def show_two_step() -> str:
    return _page(TwoStepForm(formdata=None))


def _page(form: TwoStepForm, codes: list[str] | None = None) -> str:
    if two_step.is_on(person):
        left = two_step.codes_left(person)
        return render_template(
            "accounts/two_step.html", form=form, codes=codes, left=left, few=left <= two_step.FEW_CODES
        )
    secret = _secret_in(form.key.data) or two_step.new_secret()
    form.key.data = _signer().dumps([person.id, secret])  # type: ignore[assignment]
    qr = segno.make(two_step.address(person, secret), error="m")
    picture = Markup(qr.svg_inline(omitsize=True, light="white", svgclass="qr"))  # noqa: S704  made here
    return render_template("accounts/two_step_off.html", form=form, qr=picture, secret=_in_fours(secret))


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="two-step secret")


def _secret_in(key: str | None) -> str | None:
    """The secret that the page was shown with: only one that was drawn here, for this person, not long ago."""
    try:
        user_id, secret = _signer().loads(key or "", max_age=SET_UP_SECONDS)
    except BadSignature:
        return None
    return secret if user_id == person.id else None


def _in_fours(secret: str) -> str:
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


@bp.post("/settings/me/two-step")
def change_two_step() -> Response | str | tuple[str, int]:
    form = TwoStepForm()
    if not form.validate_on_submit():
        return _page(form), 400
    limits.count_own_password()
    try:
        actions.check_own_password(person, form.password.data or "", "password")
        return _change(form)
    except Invalid as error:
        for name, message in error.errors:
            form[name].errors = [message]
        return _page(form), 400


def _change(form: TwoStepForm) -> Response | str:
    code = form.code.data or ""
    if not two_step.is_on(person):
        secret = _secret_in(form.key.data)
        if secret is None:
            raise Invalid(("code", "This page stood open for too long. Scan the new picture below."))
        return _codes_page(two_step.turn_on(person, secret, code))
    limits.count_code(person.id)
    try:
        two_step.check(person, code)
    except two_step.WrongCode as error:
        raise Invalid(("code", error.detail)) from error
    if form.do.data == "renew":
        return _codes_page(two_step.renew_codes(person))
    two_step.turn_off(person)
    flash("Two-step sign-in is off. Your password alone lets you in.", "success")
    return redirect(url_for("accounts.me"))


def _codes_page(codes: list[str]) -> str:
    return _page(TwoStepForm(formdata=None), codes)
