"""The door: nothing is answered before it is known who asks and for which account.

Every address needs sign-in unless its view says otherwise with `open_to_all`.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask_login import current_user, login_user
from flask_wtf.csrf import CSRFError
from werkzeug.local import LocalProxy

from app.accounts import actions, auditing, queries, roles, sessions
from app.accounts.auditing import Actor
from app.accounts.models import Account, Membership, User
from app.accounts.queries import OpenSession
from app.accounts.roles import Right
from app.errors import Forbidden, path_of, problem, speaks_json
from app.extensions import csrf, login_manager

View = TypeVar("View", bound=Callable[..., Any])
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PLACES = (
    "conversations.index", "fans.index", "imports.index", "campaigns.index", "analytics.index", "accounts.me",
)  # fmt: skip

person = cast("User", current_user)
account: Account = LocalProxy(lambda: g.membership.account)  # type: ignore[assignment]


def open_to_all(view: View) -> View:
    view.open_to_all = True  # type: ignore[attr-defined]
    return view


def init_app(app: Flask) -> None:
    login_manager.login_view = "accounts.sign_in"  # type: ignore[assignment]
    app.before_request(_require_sign_in)
    app.teardown_request(lambda _error: auditing.act_as(Actor()))
    app.context_processor(_page_values)


@login_manager.user_loader
def load_user(session_id: str) -> User | None:
    user_id, _, epoch = session_id.partition(".")
    if not user_id.isdecimal():
        return None
    found = queries.find_session(int(user_id), session.get("sign_in", 0), session.get("account_id"))
    if found is None or str(found.user.sign_in_epoch) != epoch:
        return None
    g.open_session = found
    return found.user


def let_in(user: User) -> None:
    """Begins a session in this browser. One that somebody planted before must not survive it."""
    session.clear()
    session.permanent = True
    session["sign_in"] = sessions.begin(user, request.remote_addr or "", request.user_agent.string).id
    login_user(user)


def _require_sign_in() -> Response | None:
    g.membership = None
    auditing.act_as(Actor(name="Somebody", address=request.remote_addr or ""))
    if _is_open():
        return None
    if request.headers.get("Authorization") and _takes_tokens():
        return _enter_by_token()
    if not current_user.is_authenticated:
        return _turn_away()
    sessions.note_seen(g.open_session.sign_in, request.remote_addr or "")
    if not enter():
        return _turn_away()
    auditing.act_as_user(person)
    return _check_token() or _check_right()


def _check_token() -> Response | None:
    """A page from before its reader signed in anew is loaded again, as after a sign-in: its scripts keep what was typed,
    and a page of errors would be put in its place. Raises CSRFError."""
    try:
        csrf.protect()
    except CSRFError:
        if speaks_json() or not request.headers.get("HX-Request"):
            raise
        return _turn_away()
    return None


def _is_open() -> bool:
    if request.endpoint is None or request.endpoint == "static":
        return not f"{request.path}/".startswith("/api/")  # the API asks for a token before it says what is not there
    view = current_app.view_functions[request.endpoint]
    return getattr(view, "open_to_all", False) or request.endpoint.startswith("openapi.")


def _takes_tokens() -> bool:
    """Programs' addresses; and media, whose addresses programs are given."""
    return speaks_json() or request.path.startswith("/media/")


def _enter_by_token() -> Response | None:
    scheme, _, token = request.headers["Authorization"].partition(" ")
    opened = actions.open_token(token.strip()) if scheme.lower() == "bearer" else None
    if opened is None:
        return _turn_away()
    g._login_user, g.membership, g.token = opened
    auditing.act_as_user(opened[0])
    return _check_right()


def enter() -> Membership | None:
    """Chooses the account this request is about: the one that the session names, else the person's first."""
    g.membership = g.open_session.membership
    return g.membership


def enter_first(user: User) -> Membership | None:
    """After a sign-in."""
    g.membership = queries.find_membership(user, None)
    return g.membership


def _turn_away() -> Response:
    if speaks_json():
        response = problem(401, "Sign in first: send a valid bearer token.")
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    if request.headers.get("HX-Request"):
        here = path_of(request.headers.get("HX-Current-URL"))
        return Response(status=401, headers={"HX-Redirect": url_for("accounts.sign_in", next=here or None)})
    here = request.full_path.rstrip("?") if request.method in SAFE else path_of(request.referrer)
    return redirect(url_for("accounts.sign_in", next=here or None))  # type: ignore[return-value]


def _check_right() -> None:
    if request.endpoint is None:
        return  # there is nothing at this address, for nobody
    right = roles.needed(request.endpoint, changes=request.method not in SAFE)
    if not may_do(right):
        raise Forbidden(f"You are {roles.with_article(g.membership.role)} here, and may not {right}. Ask an owner.")


def may_do(right: Right) -> bool:
    return roles.has(g.membership.role, right)


def may(endpoint: str) -> bool:
    """Whether who asks may go there, or press that: pages offer nothing else."""
    rule = next(current_app.url_map.iter_rules(endpoint))
    return may_do(roles.needed(endpoint, changes=not SAFE & (rule.methods or set()) - {"OPTIONS"}))


def first_place() -> str:
    """Where a person lands: the first place that their role shows them."""
    return url_for(next((place for place in PLACES if may(place)), "accounts.home"))


def _page_values() -> dict[str, Any]:
    membership: Membership | None = g.get("membership")
    if membership is None:
        return {}
    return {"account": membership.account, "other_accounts": _other_accounts, "may": may}


def _other_accounts() -> list[Account]:
    """All that the person may come into, this one too; nothing where it is the only one."""
    open_session: OpenSession | None = g.get("open_session")
    return queries.accounts_of(person) if open_session and open_session.has_several else []
