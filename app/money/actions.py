from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, cast, func, select, update

from app.accounts import auditing
from app.accounts import queries as accounts
from app.accounts.auditing import Act
from app.database import db, execute, insert, utcnow, write
from app.errors import Invalid
from app.fans.models import Fan
from app.formats import amount
from app.money.models import Attribution, Transaction
from app.money.queries import BOUGHT, COUNTED, CURRENCY, LATELY, WITHIN, find_transaction
from app.money.twins import find_in_statements


def record_transaction(
    fan: Fan,
    *,
    transaction_id: str,
    kind: str,
    gross_cents: int,
    net_cents: int | None,
    at: datetime,
    message_id: int | None = None,
    platform_message_id: str | None = None,
) -> bool:
    """Writes what an event told, unless it stands already, and brings the fan's spend up to date. Does not commit.

    platform_message_id: of the message that was paid for; it may come in later.
    Returns whether the event was new; a statement may have told of the payment before.
    """
    of_message = {"message_id": message_id, "platform_message_id": platform_message_id}
    values: dict[str, Any] = {"transaction_id": transaction_id, "net_cents": net_cents, **of_message}
    if not _is_known(fan, transaction_id) and (told := find_in_statements(fan, kind, gross_cents, at)):
        payer = told.fan_id
        _take_over(told, fan, at=at, **values)
        if payer not in (None, fan.id):
            refresh_spends(fan.account_id, [payer])
    elif not _insert(fan, kind=kind, gross_cents=gross_cents, at=at, **values):
        return False
    refresh_spend(fan)
    return True


def _is_known(fan: Fan, transaction_id: str) -> bool:
    return (
        db.session.scalar(
            select(Transaction.id).where(
                Transaction.account_id == fan.account_id,
                Transaction.platform == fan.platform,
                Transaction.platform_transaction_id == transaction_id,
            )
        )
        is not None
    )


def _take_over(
    told: Transaction, fan: Fan, *, transaction_id: str, at: datetime, net_cents: int | None, message_id: int | None,
    platform_message_id: str | None,
) -> None:  # fmt: skip
    """From now on it is the event's: undoing the statement's import leaves it."""
    if told.day_ends_at is not None:
        told.at, told.day_ends_at = at, None
    told.statement_id, told.platform_transaction_id = told.platform_transaction_id, transaction_id
    told.import_id, told.fan_id = None, fan.id
    told.message_id, told.platform_message_id = message_id, platform_message_id
    if told.net_cents is None:
        told.net_cents = net_cents
    db.session.flush()


def _insert(
    fan: Fan,
    *,
    transaction_id: str,
    kind: str,
    gross_cents: int,
    net_cents: int | None,
    at: datetime,
    message_id: int | None,
    platform_message_id: str | None,
) -> bool:
    row = insert(Transaction).values(
        account_id=fan.account_id,
        platform=fan.platform,
        platform_transaction_id=transaction_id,
        fan_id=fan.id,
        message_id=message_id,
        platform_message_id=platform_message_id,
        kind=kind,
        gross_cents=gross_cents,
        net_cents=net_cents,
        currency=CURRENCY,
        at=at,
        created_at=utcnow(),
    )
    return execute(row.on_conflict_do_nothing()) == 1


def refresh_spend(fan: Fan) -> None:
    """The fan's spend is the sum of their transactions that are counted, if there are any. Does not commit."""
    db.session.flush()
    refresh_spends(fan.account_id, [fan.id])
    db.session.refresh(fan)


def refresh_spends(account_id: int, fan_ids: Any) -> None:
    """As refresh_spend, for all fans that a SELECT or a list of ids gives. Does not commit."""
    theirs = (Transaction.account_id == account_id) & (Transaction.fan_id == Fan.id)
    sums = _sums()
    of_each = select(Fan.id, *(each.label(name) for name, each in sums.items())).outerjoin(Transaction, theirs)
    found = of_each.where(Fan.account_id == account_id, Fan.id.in_(fan_ids)).group_by(Fan.id).subquery()
    values: dict[str, Any] = {name: found.c[name] for name in sums}
    values["value_cents"] = func.coalesce(found.c.earned_cents, Fan.stated_value_cents)
    execute(update(Fan).where(Fan.id == found.c.id).values(**values))


def _sums() -> dict[str, Any]:
    """Of a fan's transactions, by the fan's columns; null where there are none."""
    paid = Transaction.gross_cents > 0
    return {
        "earned_cents": _cents(),
        "messages_cents": _cents(_is("message")),
        "tips_cents": _cents(_is("tip")),
        "subscriptions_cents": _cents(_is(*WITHIN["subscription"])),
        "lately_cents": _cents(paid, Transaction.at >= utcnow() - LATELY),
        "last_purchase_at": func.max(Transaction.at).filter(BOUGHT),
        "last_paid_at": func.max(Transaction.at).filter(COUNTED, paid),
    }


def _cents(*which: Any) -> Any:
    return cast(func.sum(Transaction.gross_cents).filter(COUNTED, *which), BigInteger)


def _is(*kinds: str) -> Any:
    return Transaction.kind.in_(kinds)


def attribute(
    account_id: int, transaction_id: int, seller_id: int | None, *, by_id: int, is_by_hand: bool = True
) -> None:
    """Says who sold it, whatever the rules say, or leaves it to them again. None: nobody. Raises NotFound, Invalid."""
    people = {person.id: person.name for person in accounts.people_of(account_id)}
    if seller_id is not None and seller_id not in people:
        raise Invalid(("seller", "Choose somebody of this account."))
    with write() as session:
        paid = find_transaction(account_id, transaction_id)
        seller = people[seller_id] if seller_id is not None else "nobody"
        words = f"{amount(paid.gross_cents, paid.currency)}: {seller if is_by_hand else 'as the rules say'}"
        auditing.record(account_id, Act.PAYMENT_ATTRIBUTED, "payment", transaction_id, words)
        session.add(
            Attribution(
                account_id=account_id,
                transaction_id=transaction_id,
                by_id=by_id,
                is_by_hand=is_by_hand,
                seller_id=seller_id if is_by_hand else None,
            )
        )
