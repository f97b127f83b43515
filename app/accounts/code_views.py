from flask import flash, redirect, render_template, url_for
from flask_login import current_user
from werkzeug import Response

from app import limits
from app.accounts import half_way, two_step
from app.accounts.forms import CodeForm
from app.accounts.guard import enter_first, let_in, open_to_all
from app.accounts.views import after_sign_in, bp
from app.web import once_answered


@bp.get("/login/code")
@open_to_all
def show_code() -> str | Response:
    return render_template("accounts/code.html", form=CodeForm(formdata=None)) if half_way.find() else _start_over()


@bp.post("/login/code")
@open_to_all
def say_code() -> Response | tuple[str, int]:
    form = CodeForm()
    if not form.validate_on_submit():
        return render_template("accounts/code.html", form=form), 400
    if (found := half_way.find()) is None:
        return _start_over()
    user, target = found
    limits.count_code(user.id)
    try:
        two_step.check(user, form.code.data or "")
    except two_step.WrongCode as error:
        once_answered(two_step.note_wrong_code, user.id)
        form.code.errors = [error.detail]
        return render_template("accounts/code.html", form=form), 401
    let_in(user)
    enter_first(user)
    if (left := two_step.codes_left(user)) <= two_step.FEW_CODES:
        flash(f"Recovery codes left: {left}. Make new ones on your page, under two-step sign-in.", "warning")
    return redirect(after_sign_in(target))


def _start_over() -> Response:
    if not current_user.is_authenticated:
        flash("Enter your password first. The code is asked for within ten minutes of it.", "warning")
    return redirect(url_for("accounts.sign_in"))
