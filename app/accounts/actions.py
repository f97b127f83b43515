from typing import Any

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import delete

from app.accounts import auditing, queries, sessions
from app.accounts.auditing import Act
from app.accounts.models import Account, ApiToken, Membership, User
from app.accounts.passwords import hash_password, password_matches
from app.accounts.roles import Role
from app.accounts.tokens import read_token, sign_token
from app.database import utcnow, write
from app.errors import DomainError, Invalid

SHORTEST_PASSWORD = 10


class WrongSignIn(DomainError):
    def __init__(self) -> None:
        super().__init__("E-mail, password or account is wrong.", 401, {"WWW-Authenticate": "Bearer"})


def add_user(
    *, email: str, password: str, account_name: str, role: str = Role.OWNER, name: str = "", demo: bool = False
) -> User:
    """A person with a place in the account of that name, which is made if there is none. Raises Invalid."""
    check_password(password)
    check_email(email)
    if role not in list(Role):
        raise Invalid(("role", f"A role is one of {', '.join(Role)}."))
    with write() as session:
        if queries.find_user_by_email(email):
            raise Invalid(("email", "A person with this e-mail address is here already."))
        account = queries.find_account_by_name(account_name) or Account(name=account_name)
        user = User(
            email=email.strip().casefold(),
            name=name or email.partition("@")[0].replace(".", " ").title(),
            password_hash=hash_password(password),
            demo=demo,
        )
        session.add_all([account, user])
        session.flush()
        session.add(Membership(account_id=account.id, user_id=user.id, role=role))
        auditing.record(account.id, Act.PERSON_ADDED, "person", user.id, f"{user.email} as {role}")
    return user


def check_email(email: str) -> None:
    try:
        validate_email(email.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise Invalid(("email", "This is not an e-mail address.")) from error


def check_password(password: str) -> None:
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid(("password", f"A password has at least {SHORTEST_PASSWORD} characters."))


def check_sign_in(email: str, password: str) -> User:
    """Raises WrongSignIn, after the same time and in the same words whatever was wrong."""
    user = queries.find_user_by_email(email)
    if not password_matches(user.password_hash if user else None, password) or user is None:
        raise WrongSignIn
    return user


def note_failed_sign_in(email: str) -> None:
    """Where the e-mail is somebody's, in the accounts of that person. Done once the answer has left: it must take as long for
    a name that nobody has."""
    user = queries.find_user_by_email(email)
    if user is not None:
        with write():
            sessions.record_everywhere(user, Act.SIGN_IN_FAILED)


def change_password(user: User, password: str) -> None:
    """Ends every session and token that the person has."""
    check_password(password)
    password_hash = hash_password(password)
    with write():
        set_password(user, password_hash)


def set_password(user: User, password_hash: str) -> None:
    """Does not commit."""
    user.password_hash = password_hash
    user.sign_in_epoch += 1
    sessions.end_all(user.id)
    sessions.record_everywhere(user, Act.PASSWORD_CHANGED)


def change_own_password(user: User, old: str, new: str) -> None:
    """As change_password, for who knows the old one. Raises Invalid."""
    check_own_password(user, old, "old")
    change_password(user, new)


def check_own_password(user: User, password: str, field: str) -> None:
    """Raises Invalid."""
    if not password_matches(user.password_hash, password):
        raise Invalid((field, "This is not your password."))


def change_name(user: User, name: str) -> None:
    """Raises Invalid."""
    if not name.strip():
        raise Invalid(("name", "Enter your name."))
    with write():
        user.name = name.strip()[:200]


def issue_token(user: User, account_id: int | None = None) -> str:
    """A bearer token for one account of the person's, who has shown who they are. Raises WrongSignIn."""
    membership = queries.find_membership(user, account_id)
    if membership is None:
        raise WrongSignIn
    token, row = sign_token(user, membership.account_id)
    auditing.act_as_user(user)
    with write() as session:
        session.execute(delete(ApiToken).where(ApiToken.expires_at < utcnow()))
        session.add(row)
        auditing.record(row.account_id, Act.TOKEN_MADE, "person", user.id, user.email)
    return token


def open_token(token: str) -> tuple[User, Membership, ApiToken] | None:
    """Whose token this is, or None: wrong, expired, revoked, older than the password, or the person has left."""
    claims: dict[str, Any] | None = read_token(token)
    found = queries.find_bearer(claims["jti"]) if claims else None
    if found is None:
        return None
    row, user, membership = found
    is_good = row.sign_in_epoch == user.sign_in_epoch and row.expires_at > utcnow()
    return (user, membership, row) if is_good else None


def revoke_token(token_id: str) -> None:
    """One that is gone already stays so."""
    with write() as session:
        row = session.get(ApiToken, token_id)
        if row is not None:
            session.delete(row)
            auditing.record(row.account_id, Act.TOKEN_REVOKED, "person", row.user_id)
