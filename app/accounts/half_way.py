"""Between the password and the code: nobody is signed in, but this browser may say the code, for a while."""

import time

from flask import session

from app.accounts import queries, two_step
from app.accounts.models import User

LASTS_SECONDS = 10 * 60


def begin(user: User, target: str) -> None:
    session.clear()
    session["half_way"] = {"user": user.get_id(), "since": int(time.time()), "target": target}


def find() -> tuple[User, str] | None:
    """Who has said the password in this browser, lately, and where they were going."""
    kept = session.get("half_way")
    if kept is None or time.time() - kept["since"] > LASTS_SECONDS:
        return None
    user = queries.find_user(int(kept["user"].partition(".")[0]))
    return (user, kept["target"]) if user and user.get_id() == kept["user"] and two_step.is_on(user) else None
