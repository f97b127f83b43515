"""How often one person, or one address, may do a thing. Each is a setting; one too many raises 429."""

from collections.abc import Callable, Mapping

from flask import Response, current_app, g, request
from flask_limiter.util import get_remote_address
from flask_login import current_user

from app.extensions import limiter


def _setting(name: str) -> Callable[[], str]:
    return lambda: current_app.config[name]


def _person() -> str:
    return f"user {current_user.id}"


def _email() -> str:
    body = request.get_json(silent=True, force=True) if request.path.startswith("/api/") else request.form
    given = body.get("email", "") if isinstance(body, Mapping) else ""
    return str(given).strip().casefold()[:320]


def _was_accepted(response: Response) -> bool:
    """So few are allowed in an hour that one refused for a typing mistake must not count."""
    return response.status_code < 400


@limiter.shared_limit(_setting("LIMIT_WRITES"), scope="writes", key_func=_person)
def count_write() -> None: ...


@limiter.shared_limit(_setting("LIMIT_IMPORTS"), scope="imports", key_func=_person, deduct_when=_was_accepted)
def count_import() -> None: ...


@limiter.shared_limit(_setting("LIMIT_BULK"), scope="bulk", key_func=_person, deduct_when=_was_accepted)
def count_bulk() -> None: ...


@limiter.shared_limit(_setting("LIMIT_SIGN_IN"), scope="sign-in address", key_func=get_remote_address)
@limiter.shared_limit(_setting("LIMIT_SIGN_IN"), scope="sign-in e-mail", key_func=_email)
def count_sign_in() -> None: ...


@limiter.shared_limit(_setting("LIMIT_SIGN_IN"), scope="own password", key_func=_person)
def count_own_password() -> None:
    """Who has got hold of an open session must not find the password by trying."""


def count_code(user_id: int) -> None:
    """Who has got hold of a password must not find the six digits by trying, on the page or by the API."""
    g.whose_code = user_id
    _count_code()


@limiter.shared_limit(_setting("LIMIT_CODES"), scope="codes", key_func=lambda: f"user {g.whose_code}")
def _count_code() -> None: ...
