from flask import current_app, g

from app import limits
from app.accounts import actions
from app.accounts.guard import open_to_all
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
        token = actions.issue_token(json_data.email, json_data.password, json_data.account_id)
    except actions.WrongSignIn:
        once_answered(actions.note_failed_sign_in, json_data.email)
        raise
    return TokenOut(access_token=token, expires_in=int(current_app.config["TOKEN_LIFETIME"].total_seconds()))


@bp.delete("/auth/token")
@bp.output({}, status_code=204)
def revoke_token() -> str:
    """Revoke the bearer's own token."""
    token = g.get("token")
    if token is not None:
        actions.revoke_token(token.id)
    return ""
