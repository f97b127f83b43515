"""An import taken back: what it made goes, what it changed gets its former value; what people did since stays, and is listed."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import and_, cast, delete, exists, or_, select, update

from app.conversations.models import Conversation, Message
from app.database import db, execute
from app.fans.models import Fan
from app.imports import sets
from app.imports.changing import restore_fans
from app.imports.matching import PLATFORM
from app.imports.models import ImportKind, ImportRow, Outcome
from app.imports.options import Options
from app.imports.payment_rows import FILLED_IN
from app.imports.sets import RowSet
from app.money.actions import refresh_spends
from app.money.models import Transaction

IN_USE = "Has messages or payments since the import, and was kept"


def undo_set(done: RowSet, options: Options) -> list[int]:
    """Returns the ids of the threads that go with their fans. Does not commit."""
    return _WRITERS[options.plan.kind == ImportKind.TRANSACTIONS, done.outcome](done)


def _remove_fans(done: RowSet) -> list[int]:
    in_use = exists().where(Fan.id == ImportRow.fan_id, _made_by(done), _is_in_use())
    kept = sets.say(ImportRow.not_undone, IN_USE, done.holds() & in_use)
    undone, gone = _remove_those_of(done)
    sets.count(done.import_id, undone=undone, not_undone=kept, processed_rows=done.count)
    return gone


def _remove_those_of(done: RowSet) -> tuple[int, list[int]]:
    """The fans that the import made, unless they are in use. Returns how many, and the ids of their threads."""
    mine = Fan.id.in_(select(ImportRow.fan_id).where(done.holds())) & _made_by(done) & ~_is_in_use()
    theirs = Conversation.fan_id.in_(select(Fan.id).where(mine))
    rows = select(Conversation.id).where(Conversation.account_id == done.account_id, theirs)
    gone = list(db.session.scalars(rows.order_by(Conversation.id)))
    return execute(delete(Fan).where(mine)), gone


def _made_by(done: RowSet) -> Any:
    return and_(Fan.account_id == done.account_id, Fan.import_id == done.import_id)


def _is_in_use() -> Any:
    return or_(
        exists().where(Message.fan_id == Fan.id),
        exists().where(Transaction.account_id == Fan.account_id, Transaction.fan_id == Fan.id),
    )


def _restore_fans(done: RowSet) -> list[int]:
    restored = restore_fans(done)
    sets.count(
        done.import_id, undone=restored, not_undone=sets.left_in(done, ImportRow.not_undone), processed_rows=done.count
    )
    return []


def _remove_payments(done: RowSet) -> list[int]:
    ids = select(ImportRow.after["transaction_id"].as_string()).where(done.holds())
    removed = execute(
        delete(Transaction).where(
            Transaction.account_id == done.account_id,
            Transaction.platform == PLATFORM,
            Transaction.platform_transaction_id.in_(ids),
            Transaction.import_id == done.import_id,
        )
    )
    gone = _settle_payers(done)
    sets.count(done.import_id, undone=removed, processed_rows=done.count)
    return gone


def _settle_payers(done: RowSet) -> list[int]:
    """Their spend without these payments; who was made for them and is nothing more goes."""
    refresh_spends(done.account_id, select(ImportRow.fan_id).where(done.holds()))
    _, gone = _remove_those_of(done)
    return gone


def _restore_payments(done: RowSet) -> list[int]:
    """What was filled in is taken out again, and the net of an event comes back, where it still stands so."""
    rows = {row.after["transaction_id"]: row for row in done.rows()}
    for name in FILLED_IN:
        for transaction_id, row in rows.items():
            if name in row.after:
                _put_back(done, transaction_id, name, row.after[name], row.before[name])
    gone = _settle_payers(done)
    sets.count(done.import_id, undone=done.count, processed_rows=done.count)
    return gone


def _put_back(done: RowSet, transaction_id: str, name: str, value: int | str, former: int | None) -> None:
    column = Transaction.__table__.c[name]
    execute(
        update(Transaction)
        .where(
            Transaction.account_id == done.account_id,
            Transaction.platform == PLATFORM,
            Transaction.platform_transaction_id == transaction_id,
            column == cast(value, column.type),
        )
        .values({name: former})
    )


_WRITERS: dict[tuple[bool, Outcome], Callable[[RowSet], list[int]]] = {
    (False, Outcome.NEW): _remove_fans,
    (False, Outcome.CHANGED): _restore_fans,
    (True, Outcome.NEW): _remove_payments,
    (True, Outcome.CHANGED): _restore_payments,
}
