from flask import current_app, g

from app import limits
from app.accounts import actions, two_step
from app.accounts.guard import open_to_all
from app.accounts.models import User
from app.api import bp
from app.api.schemas.signing_in import TokenIn, TokenOut
from app.web import once_answered


@bp.post("/auth/token")
@bp.input(TokenIn)
@bp.output(TokenOut)
@open_to_all
def issue_token(json_data: TokenIn) -> TokenOut:
    """Sign in: a bearer token for one account."""
    limits.count_sign_in()
    try:
        user = actions.check_sign_in(json_data.email, json_data.password)
    except actions.WrongSignIn:
        once_answered(actions.note_failed_sign_in, json_data.email)
        raise
    if two_step.is_on(user):
        _check_code(user, json_data.code)
    token = actions.issue_token(user, json_data.account_id)
    return TokenOut(access_token=token, expires_in=int(current_app.config["TOKEN_LIFETIME"].total_seconds()))


def _check_code(user: User, code: str | None) -> None:
    if code is None:
        raise two_step.WrongCode("This person also signs in with a code from an app: send it as `code`.")
    limits.count_code(user.id)
    try:
        two_step.check(user, code)
    except two_step.WrongCode:
        once_answered(two_step.note_wrong_code, user.id)
        raise


@bp.delete("/auth/token")
@bp.output({}, status_code=204)
def revoke_token() -> str:
    """Revoke the bearer's own token."""
    token = g.get("token")
    if token is not None:
        actions.revoke_token(token.id)
    return ""
