"""Who was erased: known again by a keyed hash of what named them, and by nothing else."""

import hmac

from flask import current_app
from sqlalchemy import select

from app.database import db, insert, utcnow
from app.fans.models import ErasedName, Fan


def remember_erased(fan: Fan) -> None:
    """Before the names go. Does not commit."""
    for digest in _digests(fan.account_id, fan.platform_fan_id, fan.handle_key, fan.email_key):
        row = {"account_id": fan.account_id, "digest": digest, "erased_at": utcnow()}
        db.session.execute(insert(ErasedName).values(row).on_conflict_do_nothing())


def erased_names(account_id: int) -> frozenset[str]:
    return frozenset(db.session.scalars(select(ErasedName.digest).where(ErasedName.account_id == account_id)))


def was_erased(
    account_id: int, erased: frozenset[str], platform_fan_id: str | None, handle_key: str | None, email_key: str | None
) -> bool:
    return bool(erased) and not erased.isdisjoint(_digests(account_id, platform_fan_id, handle_key, email_key))


def _digests(account_id: int, platform_fan_id: str | None, handle_key: str | None, email_key: str | None) -> set[str]:
    key = b"greenroom erased names\0" + current_app.config["SECRET_KEY"].encode()
    names = {"id": platform_fan_id, "handle": handle_key, "email": email_key}
    return {
        hmac.new(key, f"{account_id} {kind} {name}".encode(), "sha256").hexdigest()
        for kind, name in names.items()
        if name
    }
