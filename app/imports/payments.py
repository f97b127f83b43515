"""A set of payments into the database, in the caller's unit of work: each once, by its id."""

import hashlib
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import lazyload

from app.database import db, utcnow
from app.fans.models import Fan
from app.imports.applying import NAMES, Newcomers, Tally, admitted, clash_problem, named_in_file
from app.imports.mapping import Plan
from app.imports.matching import PLATFORM, Clash, Crowd, load_crowd
from app.imports.reading import Person, Problem, Reading, person_of
from app.imports.repeats import RowKeys
from app.money.models import Transaction


def content_key(reading: Reading) -> str:
    """The same payment in another export has the same key: drawn from what it means, not from how it is written."""
    given = reading.values
    person = person_of(given)
    parts = (
        given["at"].isoformat(),
        given["kind"],
        given["gross"],
        given["currency"],
        person.platform_id,
        person.handle,
    )
    return hashlib.sha256(repr((*parts, person.email, person.name)).encode()).hexdigest()[:32]


def apply_payments(account_id: int, readings: list[Reading], plan: Plan, policy: str, keys: RowKeys) -> Tally:
    tally = Tally()
    good = [reading for reading in admitted(readings, policy, tally) if not _is_repeated(reading, plan, keys, tally)]
    ids = {id(reading): _transaction_id(reading, keys) for reading in good}
    known = _known(account_id, set(ids.values()))
    persons = [person_of(reading.values) for reading in good]
    rows = select(Fan).options(lazyload(Fan.tag_rows))
    crowd = load_crowd(account_id, persons, rows, named_in_file(account_id, persons, keys))
    new: list[tuple[dict[str, Any], Fan | None]] = []
    touched: list[Fan] = []
    newcomers = Newcomers(account_id)
    for reading, person in zip(good, persons, strict=True):
        try:
            fan = _payer(newcomers, reading, person, crowd)
        except Clash as clash:
            tally.skip(reading, clash_problem(reading, plan, clash))
            continue
        if stands := known.get(ids[id(reading)]):
            _compare(reading, plan, stands, fan, tally, touched)
        else:
            tally.warn(reading)
            tally.inserted += 1
            new.append((_row(account_id, reading, ids[id(reading)]), fan))
    _insert(new)
    _refresh_spend(account_id, [*touched, *(fan for _, fan in new if fan)])
    return tally


def _is_repeated(reading: Reading, plan: Plan, keys: RowKeys, tally: Tally) -> bool:
    given = reading.values.get("transaction_id")
    if not given:
        return False
    later = keys.last_rows([f"t|{given}"]).get(f"t|{given}", 0)
    if later > reading.row:
        detail = f"Row {later} has the same transaction id, and the later row counts"
        tally.skip(reading, Problem(plan.fields["transaction_id"].header, given, detail))
    return later > reading.row


def _transaction_id(reading: Reading, keys: RowKeys) -> str:
    return reading.values.get("transaction_id") or f"csv-{content_key(reading)}-{keys.place_of(reading.row)}"


def _known(account_id: int, ids: set[str]) -> dict[str, Transaction]:
    rows = select(Transaction).where(
        Transaction.account_id == account_id,
        Transaction.platform == PLATFORM,
        Transaction.platform_transaction_id.in_(ids),
    )
    return {each.platform_transaction_id: each for each in db.session.scalars(rows)}


def _payer(newcomers: Newcomers, reading: Reading, person: Person, crowd: Crowd) -> Fan | None:
    if person.only_name and not person.name:
        return None  # an export that does not say who paid
    fan = crowd.find(person)
    if fan is None:
        fan = newcomers.add({name: reading.values[name] for name in NAMES if reading.values.get(name)})
        crowd.add(fan)
    return fan


def _compare(
    reading: Reading, plan: Plan, stands: Transaction, fan: Fan | None, tally: Tally, touched: list[Fan]
) -> None:
    """A payment that stands is never rewritten; what it lacks is filled in."""
    given = reading.values
    if stands.gross_cents != given["gross"] or stands.currency != given["currency"]:
        column = plan.fields.get("transaction_id") or plan.fields.get("gross") or plan.fields["net"]
        detail = "This payment is recorded already, with another amount"
        tally.skip(reading, Problem(column.header, stands.platform_transaction_id, detail))
        return
    tally.warn(reading)
    lacks_payer = stands.fan_id is None and fan is not None
    lacks_net = stands.net_cents is None and given["net"] is not None
    if lacks_payer and fan:
        db.session.flush()
        stands.fan_id = fan.id
        touched.append(fan)
    if lacks_net:
        stands.net_cents = given["net"]
    if lacks_payer or lacks_net:
        tally.updated += 1
    else:
        tally.unchanged += 1


def _row(account_id: int, reading: Reading, transaction_id: str) -> dict[str, Any]:
    given = reading.values
    return {
        "account_id": account_id,
        "platform": PLATFORM,
        "platform_transaction_id": transaction_id,
        "kind": given["kind"],
        "gross_cents": given["gross"],
        "net_cents": given["net"],
        "currency": given["currency"],
        "at": given["at"],
        "created_at": utcnow(),
    }


def _insert(new: list[tuple[dict[str, Any], Fan | None]]) -> None:
    db.session.flush()  # so that new payers have their ids
    if new:
        db.session.execute(insert(Transaction), [row | {"fan_id": fan.id if fan else None} for row, fan in new])


def _refresh_spend(account_id: int, fans: list[Fan]) -> None:
    """As money.actions.refresh_spend, for many at once."""
    ids = {fan.id for fan in fans}
    if not ids:
        return
    db.session.flush()
    sums = (
        select(Transaction.fan_id, func.sum(Transaction.gross_cents))
        .where(Transaction.account_id == account_id, Transaction.fan_id.in_(ids))
        .group_by(Transaction.fan_id)
    )
    changes = [
        {"id": fan_id, "earned_cents": int(total), "value_cents": int(total)}
        for fan_id, total in db.session.execute(sums)
    ]
    db.session.execute(update(Fan), changes)
