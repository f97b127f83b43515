from datetime import datetime

from sqlalchemy import func, select

from app.database import db
from app.money.models import Transaction


def spent_since(account_id: int, fan_id: int, after: datetime) -> int:
    """Cents, gross."""
    rows = select(func.coalesce(func.sum(Transaction.gross_cents), 0)).where(
        Transaction.account_id == account_id, Transaction.fan_id == fan_id, Transaction.at > after
    )
    return int(db.session.scalar(rows) or 0)
