from functools import cache
from typing import NamedTuple

from flask import current_app
from sqlalchemy import Select, and_, bindparam, case, func, select

from app.accounts.auditing import ACTS
from app.accounts.entry_models import SignIn
from app.accounts.models import Account, ApiToken, AuditEntry, Membership, User
from app.database import BigId, db
from app.paging import Order

NEWEST_ENTRIES_FIRST = Order("audit", AuditEntry.at, AuditEntry.id, descending=True)


def find_user(user_id: int) -> User | None:
    return db.session.scalar(_present().where(User.id == user_id))


def find_user_by_email(email: str) -> User | None:
    return db.session.scalar(_present().where(User.email == email.strip().casefold()))


def _present() -> Select[User]:
    """The demo's people are not there in production, whatever the database holds."""
    return select(User).where(User.demo.is_(False)) if current_app.config["PRODUCTION"] else select(User)


def _is_present(user: User) -> bool:
    return not (user.demo and current_app.config["PRODUCTION"])


def find_account_by_name(name: str) -> Account | None:
    return db.session.scalar(select(Account).where(Account.name == name))


# Asked for each page: made once.
_MAY_COME_IN = Membership.user_id == bindparam("user_id"), Membership.deactivated_at.is_(None)
_FIRST_MEMBERSHIP = select(Membership).where(*_MAY_COME_IN).order_by(Membership.account_id).limit(1)
_MEMBERSHIP = select(Membership).where(*_MAY_COME_IN, Membership.account_id == bindparam("account_id"))
_ACCOUNTS_OF = select(Account).join(Membership).where(*_MAY_COME_IN).order_by(Account.name)


def find_membership(user: User, account_id: int | None) -> Membership | None:
    """The person's place in that account; without an account, in their first one. None where they may not come in."""
    if account_id is None:
        return db.session.scalar(_FIRST_MEMBERSHIP, {"user_id": user.id})
    return db.session.scalar(_MEMBERSHIP, {"user_id": user.id, "account_id": account_id})


def accounts_of(user: User) -> list[Account]:
    """Those that the person may come into."""
    return list(db.session.scalars(_ACCOUNTS_OF, {"user_id": user.id}))


def people_of(account_id: int, *, active_only: bool = False) -> list[User]:
    """Who works in it, or did, by name."""
    rows = _people(active_only=active_only, demo_too=not current_app.config["PRODUCTION"])
    return list(db.session.scalars(rows, {"account_id": account_id}))


@cache
def _people(*, active_only: bool, demo_too: bool) -> Select[User]:
    rows = select(User).join(Membership, Membership.user_id == User.id)
    rows = rows.where(Membership.account_id == bindparam("account_id"))
    rows = rows if demo_too else rows.where(User.demo.is_(False))
    rows = rows.where(Membership.deactivated_at.is_(None)) if active_only else rows
    return rows.order_by(User.name, User.id)


_BEARER = (
    select(ApiToken, User, Membership)
    .join(User, User.id == ApiToken.user_id)
    .join(Membership, (Membership.user_id == User.id) & (Membership.account_id == ApiToken.account_id))
    .where(ApiToken.id == bindparam("token_id"), Membership.deactivated_at.is_(None))
)
_ALL_OF_THEIRS = select(func.count()).select_from(Membership).where(*_MAY_COME_IN).scalar_subquery()
_SESSION = (
    select(User, SignIn, Membership, (_ALL_OF_THEIRS > 1).label("has_several"))
    .join(SignIn, SignIn.user_id == User.id)
    .outerjoin(Membership, and_(*_MAY_COME_IN))
    .where(User.id == bindparam("user_id"), SignIn.id == bindparam("sign_in_id"), SignIn.ended_at.is_(None))
    .order_by(case((Membership.account_id == bindparam("account_id", type_=BigId), 0), else_=1), Membership.account_id)
    .limit(1)
)


class OpenSession(NamedTuple):
    """A browser's, with the person's place in the account that it is about, or else in their first one."""

    user: User
    sign_in: SignIn
    membership: Membership | None
    has_several: bool  # accounts that they may come into


def find_bearer(token_id: str) -> tuple[ApiToken, User, Membership] | None:
    """A token, whose it is, and their place in its account."""
    found = db.session.execute(_BEARER, {"token_id": token_id}).one_or_none()
    return (found[0], found[1], found[2]) if found and _is_present(found[1]) else None


def find_session(user_id: int, sign_in_id: int, account_id: int | None) -> OpenSession | None:
    """As long as it is open. All in one statement: it is asked for with each page."""
    whose = {"user_id": user_id, "sign_in_id": sign_in_id, "account_id": account_id}
    found = db.session.execute(_SESSION, whose).one_or_none()
    return OpenSession._make(found) if found and _is_present(found[0]) else None


def audit_entries(account_id: int, *, user_id: int | None = None, kind: str = "") -> Select[AuditEntry]:
    """Of one person, and of one of auditing's KINDS, where these are given."""
    rows = select(AuditEntry).where(AuditEntry.account_id == account_id)
    if user_id is not None:
        rows = rows.where(AuditEntry.user_id == user_id)
    if kind:
        rows = rows.where(AuditEntry.act.in_([act for act, (of_kind, _) in ACTS.items() if of_kind == kind]))
    return rows
