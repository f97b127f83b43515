from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from app.database import db, execute, insert, utcnow
from app.fans.models import Fan
from app.money.models import Transaction


def record_transaction(
    fan: Fan,
    *,
    transaction_id: str,
    kind: str,
    gross_cents: int,
    net_cents: int | None,
    at: datetime,
    message_id: int | None = None,
) -> bool:
    """Writes the transaction unless it stands already, and brings the fan's spend up to date. Does not commit.

    Returns whether it was new.
    """
    row = insert(Transaction).values(
        account_id=fan.account_id,
        platform=fan.platform,
        platform_transaction_id=transaction_id,
        fan_id=fan.id,
        message_id=message_id,
        kind=kind,
        gross_cents=gross_cents,
        net_cents=net_cents,
        currency="USD",
        at=at,
        created_at=utcnow(),
    )
    if not execute(row.on_conflict_do_nothing()):
        return False
    refresh_spend(fan)
    return True


def refresh_spend(fan: Fan) -> None:
    """The fan's spend is the sum of their transactions, where there are any. Does not commit."""
    rows = select(func.sum(Transaction.gross_cents), func.max(Transaction.at)).where(
        Transaction.account_id == fan.account_id, Transaction.fan_id == fan.id
    )
    earned, fan.last_purchase_at = db.session.execute(rows).one()
    fan.earned_cents = None if earned is None else int(earned)
    fan.value_cents = fan.stated_value_cents if earned is None else int(earned)


def refresh_spends(account_id: int, fan_ids: Any) -> None:
    """As refresh_spend, for all fans that a SELECT of ids gives. Does not commit."""
    theirs = (Transaction.account_id == account_id) & (Transaction.fan_id == Fan.id)
    earned = select(func.sum(Transaction.gross_cents)).where(theirs).correlate(Fan).scalar_subquery()
    values = {
        "earned_cents": earned,
        "value_cents": func.coalesce(earned, Fan.stated_value_cents),
        "last_purchase_at": select(func.max(Transaction.at)).where(theirs).correlate(Fan).scalar_subquery(),
    }
    execute(update(Fan).where(Fan.account_id == account_id, Fan.id.in_(fan_ids)).values(**values))
