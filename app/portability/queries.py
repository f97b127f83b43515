from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select

from app.accounts.models import Account, User
from app.database import db, utcnow
from app.errors import NotFound
from app.portability.models import AT_WORK, WITH_FILE, AccountExport, ExportState

KEPT = timedelta(days=7)
MOST_SHOWN = 50
WAKE_UP_GRACE = timedelta(seconds=10)  # younger ones have their own wake-up under way


def find_export(account_id: int, export_id: int) -> AccountExport:
    """Raises NotFound."""
    own = (AccountExport.account_id == account_id) & (AccountExport.id == export_id)
    found = db.session.scalar(select(AccountExport).where(own))
    if found is None:
        raise NotFound
    return found


def account_of(export_id: int) -> int | None:
    return db.session.scalar(select(AccountExport.account_id).where(AccountExport.id == export_id))


def export_at_work(account_id: int) -> AccountExport | None:
    own = (AccountExport.account_id == account_id) & AccountExport.state.in_(AT_WORK)
    return db.session.scalar(select(AccountExport).where(own))


def recent_exports(account_id: int) -> list[Any]:
    """Those of the last days with the name of who asked, the newest first."""
    recent = (AccountExport.created_at > utcnow() - KEPT) | (AccountExport.state == ExportState.DONE)
    rows = (
        select(AccountExport, User.name)
        .outerjoin(User, User.id == AccountExport.user_id)
        .where(AccountExport.account_id == account_id, recent)
        .order_by(AccountExport.id.desc())
    )
    return list(db.session.execute(rows.limit(MOST_SHOWN)))


def unfinished() -> list[int]:
    """Exports whose wake-up was lost or whose worker died: for the sweep, which rings again."""
    now = utcnow()
    rows = select(AccountExport.id).where(
        AccountExport.state.in_(AT_WORK),
        AccountExport.created_at < now - WAKE_UP_GRACE,
        or_(AccountExport.lease_until.is_(None), AccountExport.lease_until < now),
    )
    return list(db.session.scalars(rows.order_by(AccountExport.id).limit(100)))


def expired_exports(before: datetime) -> list[tuple[int, int]]:
    """Account and id of files that have been kept since then."""
    old = (AccountExport.state == ExportState.DONE) & (AccountExport.finished_at < before)
    rows = select(AccountExport.account_id, AccountExport.id).where(old).order_by(AccountExport.id).limit(100)
    return [(account_id, export_id) for account_id, export_id in db.session.execute(rows)]


def stored_files(which: Any = None) -> set[str]:
    """Of all accounts, or of some rows: what some row speaks for."""
    rows = select(AccountExport.stored_file).where(AccountExport.state.in_(WITH_FILE))
    return set(db.session.scalars(rows.where(which) if which is not None else rows))


def lock_account(account_id: int) -> None:
    """Until the commit: an export begins before a fan is erased and is told, or after and does not have them."""
    db.session.execute(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))
