"""Passwords: argon2id, and a check that takes the same time whether the person exists or not."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from flask import current_app


def hash_password(password: str) -> str:
    return _hasher().hash(password)


def password_matches(password_hash: str | None, password: str) -> bool:
    """Without a hash (nobody of that name) a stand-in is checked, for the time it takes."""
    try:
        return _hasher().verify(password_hash or _stand_in(), password) and password_hash is not None
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _stand_in() -> str:
    return _hasher().hash("nobody has this password")


def _hasher() -> PasswordHasher:
    return PasswordHasher(**current_app.config["ARGON2"])
