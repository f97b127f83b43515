"""Who works in an account: inviting, joining, roles, deactivation, and a new password by an owner's link."""

from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from app.accounts import actions, auditing, queries, sessions, two_step
from app.accounts.auditing import Act
from app.accounts.entry_models import Invitation, PasswordReset, SignIn
from app.accounts.links import digest_of, make_link
from app.accounts.models import Account, ApiToken, Membership, User
from app.accounts.passwords import hash_password
from app.accounts.roles import Role
from app.database import db, execute, utcnow, write
from app.errors import Conflict, Forbidden, Invalid, NotFound

INVITATION_LASTS = timedelta(days=7)
RESET_LASTS = timedelta(hours=1)
NO_LONGER_GOOD = "This link is no longer good: it was used, taken back, or is too old. Ask for a new one."


def invite(account_id: int, maker_id: int, *, email: str, role: str) -> str:
    """The word of the link, to be shown once. An earlier one for the same e-mail is taken back. Raises Invalid."""
    email = email.strip().casefold()
    actions.check_email(email)
    _check_role(role)
    word, digest = make_link("invitation")
    with write() as session:
        user = queries.find_user_by_email(email)
        if user and queries.find_membership(user, account_id):
            raise Invalid(("email", "This person is here already."))
        _take_back(Invitation.account_id == account_id, Invitation.email == email)
        until = utcnow() + INVITATION_LASTS
        session.add(
            Invitation(account_id=account_id, email=email, role=role, digest=digest, made_by=maker_id, expires_at=until)
        )
        auditing.record(account_id, Act.INVITED, "person", None, f"{email} as {role}")
    return word


def _check_role(role: str) -> None:
    if role not in list(Role):
        raise Invalid(("role", f"A role is one of {', '.join(Role)}."))


def _take_back(*which: object) -> int:
    still_open = update(Invitation).where(*which, Invitation.used_at.is_(None))  # type: ignore[arg-type]
    return execute(still_open.values(used_at=utcnow()))


def open_invitations(account_id: int) -> list[Invitation]:
    rows = select(Invitation).where(Invitation.account_id == account_id, Invitation.used_at.is_(None))
    return list(db.session.scalars(rows.where(Invitation.expires_at > utcnow()).order_by(Invitation.id.desc())))


def revoke_invitation(account_id: int, invitation_id: int) -> None:
    """Raises NotFound."""
    with write() as session:
        found = session.get(Invitation, invitation_id)
        if found is None or found.account_id != account_id or not _take_back(Invitation.id == found.id):
            raise NotFound
        auditing.record(account_id, Act.INVITATION_REVOKED, "person", None, found.email)


def find_invitation(word: str) -> tuple[Invitation, Account, User | None]:
    """With whom it is for, where they are known already. Raises NotFound."""
    rows = select(Invitation, Account).join(Account, Account.id == Invitation.account_id)
    good = (Invitation.digest == digest_of("invitation", word), Invitation.used_at.is_(None))
    found = db.session.execute(rows.where(*good, Invitation.expires_at > utcnow())).one_or_none()
    if found is None:
        raise NotFound(NO_LONGER_GOOD)
    return found[0], found[1], queries.find_user_by_email(found[0].email)


def join_as_new(word: str, *, name: str, password: str) -> User:
    """Makes the person. Raises Invalid, NotFound."""
    actions.check_password(password)
    if not name.strip():
        raise Invalid(("name", "Enter your name."))
    password_hash = hash_password(password)
    try:
        with write() as session:
            invitation, _, known = find_invitation(word)
            if known:
                raise Conflict("Somebody has this e-mail address already: sign in first, then open the link again.")
            user = User(email=invitation.email, name=name.strip()[:200], password_hash=password_hash)
            session.add(user)
            session.flush()
            _join(invitation, user)
    except IntegrityError as error:  # by another account's link in this moment
        raise Conflict("Somebody has this e-mail address already: sign in first, then open the link again.") from error
    return user


def join(word: str, user: User) -> int:
    """Somebody who is known and signed in. Returns the account's id. Raises NotFound, Forbidden."""
    with write():
        invitation, _, _ = find_invitation(word)
        if invitation.email != user.email:
            raise Forbidden(f"This invitation is for {invitation.email}, and you are signed in as {user.email}.")
        _join(invitation, user)
        return invitation.account_id


def _join(invitation: Invitation, user: User) -> None:
    """Of two who open it at once, one gets in. Does not commit."""
    if not _take_back(Invitation.id == invitation.id):
        raise NotFound(NO_LONGER_GOOD)
    auditing.act_as_user(user)
    membership = db.session.get(Membership, (invitation.account_id, user.id))
    if membership is None:
        db.session.add(Membership(account_id=invitation.account_id, user_id=user.id, role=invitation.role))
    else:
        membership.role, membership.deactivated_at = invitation.role, None
    auditing.record(invitation.account_id, Act.JOINED, "person", user.id, f"{user.email} as {invitation.role}")


def change_role(account_id: int, user_id: int, role: str) -> None:
    """Raises NotFound, Invalid; and Conflict where no owner would be left."""
    with write():
        membership, user = _locked(account_id, user_id)
        _check_role(role)
        if membership.role == role:
            return
        membership.role = role
        _require_an_owner(account_id)
        auditing.record(account_id, Act.ROLE_CHANGED, "person", user_id, f"{user.email} to {role}")


def deactivate(account_id: int, user_id: int) -> None:
    """Their sessions and tokens of this account are dead with it. Raises NotFound, Conflict where no owner would be left."""
    with write():
        membership, user = _locked(account_id, user_id)
        membership.deactivated_at = membership.deactivated_at or utcnow()
        _require_an_owner(account_id)
        execute(delete(ApiToken).where(ApiToken.user_id == user_id, ApiToken.account_id == account_id))
        if queries.find_membership(user, None) is None:  # one who is elsewhere too keeps the session for there
            sessions.end_all(user_id)
        auditing.record(account_id, Act.DEACTIVATED, "person", user_id, user.email)


def reactivate(account_id: int, user_id: int) -> None:
    """Raises NotFound."""
    with write():
        membership, user = _locked(account_id, user_id)
        membership.deactivated_at = None
        auditing.record(account_id, Act.REACTIVATED, "person", user_id, user.email)


def _locked(account_id: int, user_id: int) -> tuple[Membership, User]:
    """Two owners who change people at once wait for each other: the account's row is the lock. Raises NotFound."""
    db.session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
    membership = db.session.get(Membership, (account_id, user_id), populate_existing=True)
    user = db.session.get(User, user_id)
    if membership is None or user is None:
        raise NotFound
    return membership, user


def _require_an_owner(account_id: int) -> None:
    db.session.flush()
    owners = (Membership.role == Role.OWNER, Membership.deactivated_at.is_(None))
    rows = select(func.count()).where(Membership.account_id == account_id, *owners)
    if not db.session.scalar(rows):
        raise Conflict("An account needs an owner: make somebody else one first.")


def members_of(account_id: int) -> list[tuple[User, Membership]]:
    """By name; those who are out at the end."""
    rows = select(User, Membership).join(Membership, Membership.user_id == User.id)
    rows = rows.where(Membership.account_id == account_id)
    ordered = rows.order_by(Membership.deactivated_at.is_not(None), User.name, User.id)
    return [(row[0], row[1]) for row in db.session.execute(ordered)]


def last_seen(account_id: int) -> dict[int, object]:
    """By user id, where a browser of theirs was seen at all."""
    rows = select(SignIn.user_id, func.max(SignIn.seen_at)).join(Membership, Membership.user_id == SignIn.user_id)
    found = db.session.execute(rows.where(Membership.account_id == account_id).group_by(SignIn.user_id))
    return {row[0]: row[1] for row in found}


def make_reset_link(account_id: int, maker_id: int, user_id: int) -> str:
    """The word of a link that sets a new password, to be shown once. Raises NotFound, Forbidden."""
    word, digest = make_link("password")
    with write() as session:
        _, user = _locked(account_id, user_id)
        _require_only_ours(maker_id, user_id)
        execute(update(PasswordReset).where(PasswordReset.user_id == user_id).values(used_at=utcnow()))
        until = utcnow() + RESET_LASTS
        session.add(PasswordReset(user_id=user_id, made_by=maker_id, digest=digest, expires_at=until))
        auditing.record(account_id, Act.RESET_LINK_MADE, "person", user_id, user.email)
    return word


def turn_two_step_off(account_id: int, owner_id: int, user_id: int) -> None:
    """For who has lost phone and recovery codes. Raises NotFound, Forbidden."""
    with write():
        _, user = _locked(account_id, user_id)
        _require_only_ours(owner_id, user_id)
        if user_id == owner_id:
            raise Forbidden("On your own page, with your password and a code.")
        two_step.forget(user)


def _require_only_ours(maker_id: int, user_id: int) -> None:
    """Who signs in, signs in to every account of theirs: an owner of one must not come into another by it."""
    owned = select(Membership.account_id).where(
        Membership.user_id == maker_id, Membership.role == Role.OWNER, Membership.deactivated_at.is_(None)
    )
    elsewhere = (Membership.user_id == user_id, Membership.account_id.not_in(owned))
    if db.session.scalar(select(func.count()).where(*elsewhere)):
        raise Forbidden(
            "This person belongs to an account that is not yours too, and signs in to that one in the same way. "
            "They can change it themselves, or whoever runs this machine can."
        )


def find_reset(word: str) -> tuple[PasswordReset, User]:
    """Raises NotFound."""
    rows = select(PasswordReset, User).join(User, User.id == PasswordReset.user_id)
    good = (PasswordReset.digest == digest_of("password", word), PasswordReset.used_at.is_(None))
    found = db.session.execute(rows.where(*good, PasswordReset.expires_at > utcnow())).one_or_none()
    if found is None:
        raise NotFound(NO_LONGER_GOOD)
    return found[0], found[1]


def reset_password(word: str, password: str) -> None:
    """Ends every session and token that the person has. Raises NotFound, Invalid, Forbidden."""
    actions.check_password(password)
    password_hash = hash_password(password)
    with write():
        reset, user = find_reset(word)
        _require_only_ours(reset.made_by, user.id)  # they may have joined another account since
        this = update(PasswordReset).where(PasswordReset.id == reset.id, PasswordReset.used_at.is_(None))
        if not execute(this.values(used_at=utcnow())):
            raise NotFound(NO_LONGER_GOOD)
        auditing.act_as_user(user)
        actions.set_password(user, password_hash)
