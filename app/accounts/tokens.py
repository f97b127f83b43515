"""Bearer tokens: a signed JWT that names a row. The row is the truth, the signature keeps guessers from the database."""

import secrets
from typing import Any

import jwt
from flask import current_app

from app.accounts.models import ApiToken, User
from app.database import utcnow

ALGORITHM = "HS256"


def sign_token(user: User, account_id: int) -> tuple[str, ApiToken]:
    """The token, and its row for the caller to store."""
    now = utcnow()
    row = ApiToken(
        id=secrets.token_urlsafe(16),
        account_id=account_id,
        user_id=user.id,
        sign_in_epoch=user.sign_in_epoch,
        expires_at=now + current_app.config["TOKEN_LIFETIME"],
    )
    claims = {"sub": str(user.id), "acc": account_id, "jti": row.id, "iat": now, "exp": row.expires_at}
    return jwt.encode(claims, _key(), algorithm=ALGORITHM), row


def read_token(token: str) -> dict[str, Any] | None:
    try:
        return jwt.decode(token, _key(), algorithms=[ALGORITHM], options={"require": ["sub", "jti", "exp"]})
    except jwt.InvalidTokenError:
        return None


def _key() -> str:
    return f"bearer {current_app.config['SECRET_KEY']}"
