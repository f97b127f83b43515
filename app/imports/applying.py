"""What the rehearsal said, done: set by set, in the database itself where nothing has to be looked at.

A fan that has changed meanwhile is left alone, and its row says so.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Text,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import aliased

from app.bulk import members_of
from app.database import UTCDateTime, db, execute, insert, on_postgresql, utcnow
from app.fans.models import Fan, FanTag
from app.imports import sets
from app.imports.changing import change_fans
from app.imports.headers import FAN_MOMENTS
from app.imports.matching import PLATFORM
from app.imports.models import ImportKind, ImportRow, Outcome
from app.imports.options import Options
from app.imports.sets import RowSet
from app.money.actions import refresh_spends
from app.money.models import Transaction
from app.money.twins import is_near

TAKEN = "A fan with this username, platform id or e-mail came in after the rehearsal"
RECORDED = "This payment, or its payer, was recorded after the rehearsal"

_TEXTS = (
    "name", "handle", "email", "phone", "avatar_url", "platform_fan_id", "subscription_status", "timezone", "name_key",
    "handle_key", "email_key", "search_text",
)  # fmt: skip
_FAN: dict[str, Any] = dict.fromkeys((*_TEXTS, "notes", *FAN_MOMENTS), Text) | {
    "id": BigInteger, "value_cents": BigInteger, "do_not_message": Boolean, "custom": JSON,
}  # fmt: skip
_PAYMENT: dict[str, Any] = dict.fromkeys(("transaction_id", "kind", "currency", "at", "day_ends_at"), Text) | {
    "gross_cents": BigInteger, "net_cents": BigInteger, "fee_cents": BigInteger, "tax_cents": BigInteger,
}  # fmt: skip

_TAKEN_AWAY = (Transaction.fee_cents, Transaction.tax_cents)


def apply_set(done: RowSet, options: Options, uploaded_at: datetime, began_at: datetime) -> None:
    """began_at: the very moment that this import's fans get as their first. Does not commit."""
    if options.plan.kind == ImportKind.TRANSACTIONS:
        if done.outcome == Outcome.NEW:
            _add_payments(done, uploaded_at, began_at)
        else:
            _fill_payments(done, began_at)
    elif done.outcome == Outcome.CHANGED:
        _change_fans(done)
    else:
        checked = "email" in options.rules.match and _others_came(done, uploaded_at, began_at)
        _add_fans(done, began_at, ~_is_taken(done) if checked else true())


def _others_came(done: RowSet, uploaded_at: datetime, began_at: datetime) -> bool:
    """Whether the account got fans from elsewhere since the upload. Does not look at those of this import."""
    at = Fan.created_at
    ranges = ((at > uploaded_at) & (at < began_at), at > began_at)
    came = (exists().where(Fan.account_id == done.account_id, within) for within in ranges)
    return any(db.session.execute(select(*came)).one())


def _add_fans(done: RowSet, began_at: datetime, free: Any) -> None:
    missed = done.count - _insert_fans(done, began_at, (), free)
    tags = _tags(done, _fan_exists(done) if missed else true())
    execute(insert(FanTag).from_select(["fan_id", "tag_key", "tag", "account_id"], tags))
    if missed:
        sets.say(ImportRow.not_applied, TAKEN, done.holds() & ~_fan_exists(done))
    sets.count(done.import_id, inserted=done.count - missed, not_applied=missed, processed_rows=done.count)


def _insert_fans(done: RowSet, began_at: datetime, path: tuple[str, ...], which: Any) -> int:
    """path: where in the row's values the fan's stand. Returns how many fans there are more."""
    said = members_of(ImportRow.after, *path, **_FAN)
    cents = func.coalesce(said["value_cents"], 0)
    values = {name: said[name] for name in _TEXTS} | {
        "id": said["id"] if path else ImportRow.fan_id,
        "account_id": literal(done.account_id),
        "platform": literal(PLATFORM),
        "notes": func.coalesce(said["notes"], ""),
        "stated_value_cents": cents,
        "value_cents": cents,
        **{name: _moment(said[name]) for name in FAN_MOMENTS},
        "do_not_message": func.coalesce(said["do_not_message"], false()),
        "custom": said["custom"],
        "import_id": literal(done.import_id),
        "created_at": literal(began_at, UTCDateTime),
        "updated_at": literal(began_at, UTCDateTime),
    }
    source = select(*values.values()).select_from(ImportRow).where(done.holds(), which).order_by(ImportRow.row.desc())
    return execute(insert(Fan).from_select(list(values), source, include_defaults=False).on_conflict_do_nothing())


def _moment(text: Any) -> Any:
    """SQLite keeps a moment just as it stands in the values; PostgreSQL is told its zone."""
    return cast(text + "+00", UTCDateTime) if on_postgresql() else text


def _tags(done: RowSet, which: Any) -> Any:
    if on_postgresql():
        pairs = func.json_each_text(ImportRow.after["tags"]).table_valued("key", "value", joins_implicitly=True)
    else:
        pairs = func.json_each(ImportRow.after, "$.tags").table_valued("key", "value", joins_implicitly=True)
    return select(ImportRow.fan_id, pairs.c.key, pairs.c.value, ImportRow.account_id).where(done.holds(), which)


def _fan_exists(done: RowSet) -> Any:
    return exists().where(Fan.id == ImportRow.fan_id, Fan.import_id == done.import_id)


def _is_taken(done: RowSet) -> Any:
    """Somebody else brought a fan meanwhile whom this row would have found by e-mail, or by a name that is all there is.

    Handles and platform ids the database itself keeps unique.
    """
    other = aliased(Fan)
    email, handle, platform_id, name_key = (
        ImportRow.after[name].as_string() for name in ("email_key", "handle_key", "platform_fan_id", "name_key")
    )
    by_email = and_(
        other.email_key == email,
        or_(other.handle_key.is_(None), handle.is_(None)),
        or_(other.platform_fan_id.is_(None), platform_id.is_(None)),
    )
    by_name = and_(
        other.name_key == name_key,
        other.name == ImportRow.after["name"].as_string(),
        *(each.is_(None) for each in (email, handle, platform_id)),
        *(each.is_(None) for each in (other.email_key, other.handle_key, other.platform_fan_id)),
    )
    theirs = (other.account_id == done.account_id) & other.import_id.is_distinct_from(done.import_id)
    return or_(exists().where(theirs, by_email), exists().where(theirs, by_name))


def _change_fans(done: RowSet) -> None:
    changed = change_fans(done)
    sets.count(
        done.import_id, updated=changed, not_applied=done.count - changed, processed_rows=done.count
    )  # fmt: skip


def _add_payments(done: RowSet, uploaded_at: datetime, began_at: datetime) -> None:
    _insert_payers(done, began_at)
    said = members_of(ImportRow.after, **_PAYMENT)
    values = {
        "account_id": literal(done.account_id),
        "platform": literal(PLATFORM),
        "platform_transaction_id": said["transaction_id"],
        "fan_id": ImportRow.fan_id,
        "kind": said["kind"],
        "gross_cents": said["gross_cents"],
        **{name: said[name] for name in ("net_cents", "fee_cents", "tax_cents")},
        "currency": said["currency"],
        "at": _moment(said["at"]),
        "day_ends_at": _moment(said["day_ends_at"]),
        "import_id": literal(done.import_id),
        "created_at": literal(utcnow(), UTCDateTime),
    }
    payer_stands = or_(ImportRow.fan_id.is_(None), exists().where(Fan.id == ImportRow.fan_id))
    which = (done.holds(), payer_stands, ~_told_meanwhile(done, uploaded_at, said))
    source = select(*values.values()).select_from(ImportRow).where(*which).order_by(ImportRow.row.desc())
    execute(insert(Transaction).from_select(list(values), source, include_defaults=False).on_conflict_do_nothing())
    stands = exists().where(
        Transaction.account_id == done.account_id,
        Transaction.platform == PLATFORM,
        Transaction.platform_transaction_id == ImportRow.after["transaction_id"].as_string(),
        Transaction.import_id == done.import_id,
    )
    missed = sets.say(ImportRow.not_applied, RECORDED, done.holds() & ~stands)
    refresh_spends(done.account_id, select(ImportRow.fan_id).where(done.holds()))
    sets.count(done.import_id, inserted=done.count - missed, not_applied=missed, processed_rows=done.count)


def _told_meanwhile(done: RowSet, uploaded_at: datetime, said: dict[str, Any]) -> Any:
    """An event told of a payment like this one since the file came: imported once more, the row is taken for it."""
    return exists().where(
        Transaction.account_id == done.account_id,
        Transaction.import_id.is_(None),
        Transaction.statement_id.is_(None),
        Transaction.gross_cents == said["gross_cents"],
        Transaction.currency == said["currency"],
        Transaction.created_at > uploaded_at,
        Transaction.fan_id == func.coalesce(ImportRow.fan_id, Transaction.fan_id),
        or_(
            said["day_ends_at"].is_(None) & is_near(_moment(said["at"])),
            (Transaction.at >= _moment(said["at"])) & (Transaction.at < _moment(said["day_ends_at"])),
        ),
    )


def _insert_payers(done: RowSet, began_at: datetime) -> None:
    _insert_fans(done, began_at, ("payer",), ImportRow.after[("payer", "id")].as_string().is_not(None))


def _fill_payments(done: RowSet, began_at: datetime) -> None:
    """A payer, a better net amount, fee, tax or the statement's own id; one that somebody filled in meanwhile stays."""
    _insert_payers(done, began_at)
    values = {
        Transaction.fan_id: func.coalesce(Transaction.fan_id, _of_row(done, "fan_id", _existing_fan)),
        Transaction.net_cents: _better_net(done),
        **{column: func.coalesce(column, _of_row(done, column.key, lambda each: each)) for column in _TAKEN_AWAY},
        Transaction.statement_id: func.coalesce(Transaction.statement_id, _said_by_row(done, "statement_id")),
    }
    ids = select(ImportRow.after["transaction_id"].as_string()).where(done.holds())
    execute(
        update(Transaction)
        .where(
            Transaction.account_id == done.account_id,
            Transaction.platform == PLATFORM,
            Transaction.platform_transaction_id.in_(ids),
        )
        .values({column.key: value for column, value in values.items()})
    )
    refresh_spends(done.account_id, select(ImportRow.fan_id).where(done.holds()))
    sets.count(done.import_id, updated=done.count, processed_rows=done.count)


def _better_net(done: RowSet) -> Any:
    """The statement's, in place of the one that stood there at the rehearsal."""
    after, before = (
        _of_row(done, "net_cents", lambda each: each, said) for said in (ImportRow.after, ImportRow.before)
    )
    is_as_it_was = Transaction.net_cents.is_not_distinct_from(before)
    return case((and_(after.is_not(None), is_as_it_was), after), else_=Transaction.net_cents)


def _of_row(done: RowSet, name: str, checked: Callable[[Any], Any], said: Any = ImportRow.after) -> Any:
    """A number of the row about this transaction."""
    return _said_by_row(done, name, lambda text: checked(cast(text, BigInteger)), said)


def _said_by_row(
    done: RowSet, name: str, read: Callable[[Any], Any] = lambda text: text, said: Any = ImportRow.after
) -> Any:
    mine = ImportRow.after["transaction_id"].as_string() == Transaction.platform_transaction_id
    value = read(said[name].as_string())
    return select(value).where(done.holds(), mine).limit(1).correlate(Transaction).scalar_subquery()


def _existing_fan(fan_id: Any) -> Any:
    return case((exists().where(Fan.id == fan_id), fan_id), else_=null())
