"""The second step of signing in: six digits that an app on the person's phone makes from a secret (TOTP, RFC 6238), or one
of the recovery codes they were given for the day that the phone is gone. Each is good once."""

import hashlib
import hmac
import secrets

from flask import current_app
from pyotp import random_base32
from pyotp.hotp import HOTP
from pyotp.totp import TOTP
from sqlalchemy import delete, func, or_, select, update

from app.accounts import sessions
from app.accounts.auditing import Act
from app.accounts.entry_models import RecoveryCode
from app.accounts.models import User
from app.database import db, execute, utcnow, write
from app.errors import Conflict, DomainError, Invalid

STEP_SECONDS = 30
DRIFT_STEPS = 1  # by which a phone's clock may be wrong, either way
DIGITS = 6
RECOVERY_CODES = 10
RECOVERY_DIGITS = 10
FEW_CODES = 3  # so few left are told


class WrongCode(DomainError):
    def __init__(self, detail: str) -> None:
        super().__init__(detail, 401, {"WWW-Authenticate": "Bearer"})


def is_on(user: User) -> bool:
    return user.totp_step is not None


def new_secret() -> str:
    return random_base32()


def address(user: User, secret: str) -> str:
    """What the QR code says to the app (otpauth://)."""
    return TOTP(secret).provisioning_uri(name=user.email, issuer_name="Greenroom")


def turn_on(user: User, secret: str, code: str) -> list[str]:
    """The recovery codes, to be shown once. Raises Invalid, Conflict."""
    step = _step_of(secret, _digits(code))
    if step is None:
        raise Invalid(("code", "This is not the code that the app shows now. Is the phone's clock right?"))
    with write():
        if is_on(user):
            raise Conflict("Two-step sign-in is on already.")
        user.totp_secret, user.totp_step = secret, step
        sessions.record_everywhere(user, Act.TWO_STEP_ON)
        return _renew_codes(user)


def turn_off(user: User) -> None:
    with write():
        forget(user)


def forget(user: User) -> None:
    """Does not commit."""
    user.totp_secret = user.totp_step = None
    execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    sessions.record_everywhere(user, Act.TWO_STEP_OFF)


def renew_codes(user: User) -> list[str]:
    """To be shown once; the older ones are good no longer. Raises Conflict."""
    with write():
        if not is_on(user):
            raise Conflict("Two-step sign-in is off.")
        sessions.record_everywhere(user, Act.RECOVERY_CODES_MADE)
        return _renew_codes(user)


def _renew_codes(user: User) -> list[str]:
    codes = [f"{secrets.randbelow(10**RECOVERY_DIGITS):0{RECOVERY_DIGITS}}" for _ in range(RECOVERY_CODES)]
    execute(delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    db.session.add_all([RecoveryCode(user_id=user.id, digest=_digest(each)) for each in codes])
    return [f"{each[:5]} {each[5:]}" for each in codes]


def codes_left(user: User) -> int:
    return db.session.scalar(select(func.count()).where(RecoveryCode.user_id == user.id)) or 0


def check(user: User, code: str) -> None:
    """Uses the code up. Raises WrongCode."""
    digits = _digits(code)
    with write():
        is_good = _use_recovery_code(user, digits) if len(digits) == RECOVERY_DIGITS else _use_step(user, digits)
    if not is_good:
        raise WrongCode("This code is wrong, or was used before.")


def _use_step(user: User, digits: str) -> bool:
    """Only forwards: who has read a code over the person's shoulder comes too late."""
    step = _step_of(user.totp_secret or "", digits)
    if step is None:
        return False
    newer = or_(User.totp_step.is_(None), User.totp_step < step)
    return execute(update(User).where(User.id == user.id, newer).values(totp_step=step)) == 1


def _use_recovery_code(user: User, digits: str) -> bool:
    theirs = delete(RecoveryCode).where(RecoveryCode.user_id == user.id, RecoveryCode.digest == _digest(digits))
    if execute(theirs) == 0:
        return False
    sessions.record_everywhere(user, Act.RECOVERY_CODE_USED, f"{codes_left(user)} left")
    return True


def _step_of(secret: str, digits: str) -> int | None:
    """The step that the code belongs to, of those around now."""
    now = int(utcnow().timestamp()) // STEP_SECONDS
    made_by = HOTP(secret, digits=DIGITS)
    steps = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    return next((step for step in steps if hmac.compare_digest(made_by.at(step), digits)), None) if secret else None


def _digits(code: str) -> str:
    return "".join(filter(str.isdecimal, code)) if code.isascii() else ""


def _digest(code: str) -> str:
    """Under a key: ten digits are found quickly by whoever has the bare hash."""
    key = f"recovery codes {current_app.config['SECRET_KEY']}".encode()
    return hmac.new(key, code.encode(), hashlib.sha256).hexdigest()


def note_wrong_code(user_id: int) -> None:
    user = db.session.get(User, user_id)
    if user is not None:
        with write():
            sessions.record_everywhere(user, Act.CODE_FAILED)
