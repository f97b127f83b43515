"""Who is in: sessions of browsers, and tokens of programs; beginning and ending them."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select, update

from app.accounts import auditing
from app.accounts.auditing import Act
from app.accounts.entry_models import SignIn
from app.accounts.models import ApiToken, Membership, User
from app.accounts.queries import accounts_of
from app.accounts.roles import Right, has
from app.database import db, execute, utcnow, write
from app.errors import NotFound

LASTS = timedelta(days=14)  # without being used: as long as the cookie
KEPT_FOR = timedelta(days=365)  # then the row goes
SEEN_EVERY = timedelta(minutes=1)


def begin(user: User, address: str, browser: str) -> SignIn:
    """After a sign-in by the form."""
    auditing.act_as_user(user)
    sign_in = SignIn(user_id=user.id, address=address, browser=browser[:300])
    with write() as session:
        execute(delete(SignIn).where(SignIn.user_id == user.id, SignIn.seen_at < utcnow() - KEPT_FOR))
        session.add(sign_in)
        record_everywhere(user, Act.SIGNED_IN)
    return sign_in


def note_seen(sign_in: SignIn, address: str) -> None:
    """At most once a minute: each request would be a write."""
    if utcnow() - sign_in.seen_at > SEEN_EVERY:
        with write():
            execute(update(SignIn).where(SignIn.id == sign_in.id).values(seen_at=utcnow(), address=address))


def open_sessions(user_id: int) -> list[SignIn]:
    """The last seen first."""
    rows = select(SignIn).where(SignIn.user_id == user_id, SignIn.ended_at.is_(None))
    return list(db.session.scalars(rows.where(SignIn.seen_at > utcnow() - LASTS).order_by(SignIn.seen_at.desc())))


def open_tokens(user: User) -> list[ApiToken]:
    """The newest first."""
    rows = select(ApiToken).where(ApiToken.user_id == user.id, ApiToken.sign_in_epoch == user.sign_in_epoch)
    return list(db.session.scalars(rows.where(ApiToken.expires_at > utcnow()).order_by(ApiToken.created_at.desc())))


def sign_out(user: User, sign_in_id: int) -> None:
    with write():
        _end(SignIn.user_id == user.id, SignIn.id == sign_in_id)
        record_everywhere(user, Act.SIGNED_OUT)


def end(user: User, sign_in_id: int) -> None:
    """Another browser of the person's. Raises NotFound."""
    with write():
        if not _end(SignIn.user_id == user.id, SignIn.id == sign_in_id):
            raise NotFound
        record_everywhere(user, Act.SESSION_ENDED)


def end_others(user: User, sign_in_id: int) -> None:
    """All browsers but this one, and all programs."""
    with write():
        _end(SignIn.user_id == user.id, SignIn.id != sign_in_id)
        execute(delete(ApiToken).where(ApiToken.user_id == user.id))
        record_everywhere(user, Act.SESSION_ENDED, "all others, and all API tokens")


def end_all(user_id: int) -> None:
    """Does not commit. Tokens die with the person's sign-in epoch."""
    _end(SignIn.user_id == user_id)


def _end(*which: Any) -> int:
    return execute(update(SignIn).where(*which, SignIn.ended_at.is_(None)).values(ended_at=utcnow()))


def revoke_token(user: User, token_id: str) -> None:
    """One of the person's own. Raises NotFound."""
    with write() as session:
        row = session.get(ApiToken, token_id)
        if row is None or row.user_id != user.id:
            raise NotFound
        session.delete(row)
        auditing.record(row.account_id, Act.TOKEN_REVOKED, "person", user.id, user.email)


def record_everywhere(user: User, act: Act, words: str = "") -> None:
    """In each account that the person is in. Does not commit."""
    for account in accounts_of(user):
        auditing.record(account.id, act, "person", user.id, words or user.email)


def may_still(right: Right, sign_ins: Collection[int]) -> set[tuple[int, int]]:
    """Which (session, account) are still open to that right; for what was let in and then stays."""
    rows = (
        select(SignIn.id, Membership.account_id, Membership.role)
        .join(Membership, Membership.user_id == SignIn.user_id)
        .where(SignIn.id.in_(sign_ins), SignIn.ended_at.is_(None), Membership.deactivated_at.is_(None))
    )
    found = db.session.execute(rows).all()
    db.session.rollback()
    return {(row.id, row.account_id) for row in found if has(row.role, right)}
