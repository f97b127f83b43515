from flask import current_app
from sqlalchemy import Select, bindparam, select

from app.accounts.auditing import ACTS
from app.accounts.entry_models import SignIn
from app.accounts.models import Account, ApiToken, AuditEntry, Membership, User
from app.database import db
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
    rows = _present().join(Membership, Membership.user_id == User.id).where(Membership.account_id == account_id)
    if active_only:
        rows = rows.where(Membership.deactivated_at.is_(None))
    return list(db.session.scalars(rows.order_by(User.name, User.id)))


_BEARER = (
    select(ApiToken, User, Membership)
    .join(User, User.id == ApiToken.user_id)
    .join(Membership, (Membership.user_id == User.id) & (Membership.account_id == ApiToken.account_id))
    .where(ApiToken.id == bindparam("token_id"), Membership.deactivated_at.is_(None))
)
_SESSION = (
    select(User, SignIn)
    .join(SignIn, SignIn.user_id == User.id)
    .where(User.id == bindparam("user_id"), SignIn.id == bindparam("sign_in_id"), SignIn.ended_at.is_(None))
)


def find_bearer(token_id: str) -> tuple[ApiToken, User, Membership] | None:
    """A token, whose it is, and their place in its account."""
    found = db.session.execute(_BEARER, {"token_id": token_id}).one_or_none()
    return (found[0], found[1], found[2]) if found and _is_present(found[1]) else None


def find_session(user_id: int, sign_in_id: int) -> tuple[User, SignIn] | None:
    """A person and their browser's session, as long as it is open."""
    found = db.session.execute(_SESSION, {"user_id": user_id, "sign_in_id": sign_in_id}).one_or_none()
    return (found[0], found[1]) if found and _is_present(found[0]) else None


def audit_entries(account_id: int, *, user_id: int | None = None, kind: str = "") -> Select[AuditEntry]:
    """Of one person, and of one of auditing's KINDS, where these are given."""
    rows = select(AuditEntry).where(AuditEntry.account_id == account_id)
    if user_id is not None:
        rows = rows.where(AuditEntry.user_id == user_id)
    if kind:
        rows = rows.where(AuditEntry.act.in_([act for act, (of_kind, _) in ACTS.items() if of_kind == kind]))
    return rows
