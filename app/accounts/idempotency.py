"""Which POSTs a person has sent under a key, and what each was answered."""

from datetime import timedelta

from sqlalchemy import delete, select, update

from app.accounts.models import IdempotencyKey
from app.database import db, execute, insert, utcnow, write

KEPT_FOR = timedelta(hours=48)


def take_key(account_id: int, user_id: int, method: str, path: str, key: str, fingerprint: str) -> int | None:
    """The row of a key that was free; None where somebody has taken it. Of two at once, one gets it."""
    with write() as session:
        _forget_old()
        row = insert(IdempotencyKey).values(
            account_id=account_id,
            user_id=user_id,
            method=method,
            path=path,
            key=key,
            fingerprint=fingerprint,
            created_at=utcnow(),
        )
        return session.scalar(row.on_conflict_do_nothing().returning(IdempotencyKey.id))


def _forget_old() -> None:
    execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < utcnow() - KEPT_FOR))


def note_key(account_id: int, user_id: int, method: str, path: str, key: str, body: str) -> None:
    """A key together with what was done under it, where the caller has seen to it that there is one at a time. Does not
    commit."""
    _forget_old()
    whose = {"account_id": account_id, "user_id": user_id, "method": method, "path": path, "key": key}
    said = {"fingerprint": "", "status": 200, "body": body, "created_at": utcnow()}
    execute(insert(IdempotencyKey).values(**whose, **said))


def find_key(user_id: int, method: str, path: str, key: str) -> IdempotencyKey | None:
    return db.session.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.user_id == user_id,
            IdempotencyKey.method == method,
            IdempotencyKey.path == path,
            IdempotencyKey.key == key,
        )
    )


def keep_answer(row_id: int, status: int, body: str, location: str | None) -> None:
    with write():
        answer = {"status": status, "body": body, "location": location}
        execute(update(IdempotencyKey).where(IdempotencyKey.id == row_id).values(**answer))


def free_key(row_id: int) -> None:
    with write():
        execute(delete(IdempotencyKey).where(IdempotencyKey.id == row_id))
