"""What becomes of a row about a payment: each once, by its id. One that stands is never rewritten; what it lacks is filled in,
and the platform's own statement knows better than its event what remained after the platform's share.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app.bulk import is_any_of, many, reserve_ids
from app.database import run, table_of
from app.fans.keys import name_key
from app.fans.models import Fan
from app.imports.decisions import Decisions, text_of
from app.imports.fan_rows import NAMES, new_fan
from app.imports.matching import PLATFORM, Clash, Crowd, load_crowd
from app.imports.models import Outcome
from app.imports.options import Rules
from app.imports.plan import Plan
from app.imports.repeats import Repeats, names_of
from app.imports.row import Person, Problem, Reading, person_of, problem_at
from app.imports.zone_doubts import is_by_a_bare_clock
from app.money.models import Transaction
from app.money.twins import ToldByEvents

_STANDING = select(
    Transaction.platform_transaction_id, Transaction.statement_id, Transaction.gross_cents, Transaction.net_cents,
    Transaction.fee_cents, Transaction.tax_cents, Transaction.currency, Transaction.fan_id, Transaction.import_id,
)  # fmt: skip


FILLED_IN = ("fan_id", "net_cents", "fee_cents", "tax_cents", "statement_id")  # of a payment that stands


def content_key(reading: Reading) -> str:
    """The same payment in another export has the same key: drawn from what it means, not from how it is written."""
    given = reading.values
    person = person_of(given)
    parts = (
        given["at"].isoformat(),
        given["sort"],
        given["gross"],
        given["currency"],
        person.platform_id,
        person.handle,
    )
    return hashlib.sha256(repr((*parts, person.email, person.name)).encode()).hexdigest()[:32]


@dataclass
class PaymentRows:
    """Decides about sets of rows, the last of the file first."""

    account_id: int
    plan: Plan
    rules: Rules
    repeats: Repeats

    def __post_init__(self) -> None:
        self._told = ToldByEvents(self.account_id, PLATFORM)
        self.has_bare_clocks = False

    def names(self, reading: Reading) -> list[str]:
        """What the first pass notes of a row."""
        given = reading.values.get("transaction_id")
        own = f"t|{given}" if given else f"a|{content_key(reading)}"
        return [own, *names_of(person_of(reading.values))]

    def decide(self, readings: list[Reading], decisions: Decisions) -> None:
        """Reads the database, and reserves ids for payers not known yet: inside a unit of work. Does not commit."""
        self.has_bare_clocks |= any(is_by_a_bare_clock(each, self.plan) for each in readings)
        ids = {reading.row: self._transaction_id(reading) for reading in readings}
        known = self._known(set(ids.values()))
        strange = [each.values for each in readings if ids[each.row] not in known]
        times = [moment for each in strange for moment in (each["at"], each.get("day_ends_at")) if moment]
        self._told.load(times, [each["gross"] for each in strange])
        persons = [person_of(reading.values) for reading in readings]
        crowd = load_crowd(self.account_id, persons, self.repeats.has_handle)
        for reading, person in zip(readings, persons, strict=True):
            try:
                self._check_repeated(reading)
                stands = known.get(ids[reading.row]) or self._told_by_event(reading, person, crowd)
                fan_id, payer = self._payer(reading, person, crowd, is_wanted=_lacks_payer(reading, stands))
            except Clash as clash:
                column = self.plan.fields.get(clash.field)
                decisions.skip(reading, Outcome.CONFLICT, problem_at(column, reading, clash.detail))
                continue
            if stands:
                self._compare(reading, ids[reading.row], stands, fan_id, payer, decisions)
            else:
                row = _row(reading, ids[reading.row])
                decisions.take(reading, Outcome.NEW, fan_id, row | ({"payer": payer} if payer else {}))

    def _transaction_id(self, reading: Reading) -> str:
        """Payments without an id are told apart by their number among those that are alike."""
        if given := reading.values.get("transaction_id"):
            return given
        key = content_key(reading)
        return f"csv-{key}-{self.repeats.count(f'a|{key}')}"

    def _known(self, ids: set[str]) -> dict[str, Any]:
        """By the id that a statement gives, whatever an event called the payment."""
        of = (Transaction.account_id == self.account_id) & (Transaction.platform == PLATFORM)
        by_either = (
            _STANDING.where(of, is_any_of(column, "ids"))
            for column in (Transaction.platform_transaction_id, Transaction.statement_id)
        )
        found = [each for rows in by_either for each in run(rows, {"ids": many(ids)})]
        return {
            name: each for each in found for name in (each.platform_transaction_id, each.statement_id) if name in ids
        }

    def _told_by_event(self, reading: Reading, person: Person, crowd: Crowd) -> Any | None:
        """The same payment as an event told it, if one did. Raises Clash."""
        is_anybody = person.only_name and not person.name
        fan = None if is_anybody else crowd.find(person)
        if fan is None and not person.only_name:
            return None  # whoever an event named is known
        given, name = reading.values, name_key(person.name) if person.only_name else None
        fan_id = fan.id if fan else None
        when = (given["at"], given.get("day_ends_at"))
        return self._told.take(fan_id, name, given["kind"], given["gross"], given["currency"], *when)

    def _check_repeated(self, reading: Reading) -> None:
        given = reading.values.get("transaction_id")
        if not given or not self.repeats.may_repeat(key := f"t|{given}"):
            return
        if later := self.repeats.find([key]):
            raise Clash("transaction_id", f"Row {later} has the same transaction id, and the later row counts")
        self.repeats.keep([key], reading.row)

    def _payer(
        self, reading: Reading, person: Person, crowd: Crowd, *, is_wanted: bool
    ) -> tuple[int | None, dict[str, Any] | None]:
        """The fan's id, and the values of one who is to be made, where one is wanted. Raises Clash."""
        if person.only_name and not person.name:
            return None, None  # an export that does not say who paid
        if fan := crowd.find(person):
            return fan.id, None
        if not is_wanted:
            return None, None
        names = [f"new {name}" for name in names_of(person)]
        if known := self.repeats.find(names):
            return known, None
        (fan_id,) = reserve_ids(table_of(Fan), 1)
        if any(map(self.repeats.may_repeat, names_of(person))):
            self.repeats.keep(names, fan_id)
        names_given = {name: reading.values[name] for name in NAMES if reading.values.get(name)}
        return fan_id, new_fan(names_given) | {"id": fan_id}

    def _compare(
        self, reading: Reading, statement_id: str, stands: Any, fan_id: int | None, payer: dict[str, Any] | None,
        decisions: Decisions,
    ) -> None:  # fmt: skip
        given = reading.values
        if not _is_same_amount(reading, stands):
            column = self.plan.fields.get("transaction_id") or self.plan.fields.get("gross") or self.plan.fields["net"]
            detail = "This payment is recorded already, with another amount"
            decisions.skip(reading, Outcome.CONFLICT, Problem(column.header, stands.platform_transaction_id, detail))
            return None
        after: dict[str, Any] = {}
        if stands.fan_id is None and fan_id is not None:
            after["fan_id"] = fan_id
        if _knows_net_better(given["net"], stands):
            after["net_cents"] = given["net"]
        for name in ("fee_cents", "tax_cents"):
            if getattr(stands, name) is None and given[name] is not None:
                after[name] = given[name]
        if stands.statement_id is None and stands.import_id is None:  # so far only an event told of it
            after["statement_id"] = statement_id
        standing = {"transaction_id": stands.platform_transaction_id, "gross_cents": stands.gross_cents}
        standing["currency"] = stands.currency
        if not after:
            return decisions.take(reading, Outcome.UNCHANGED, stands.fan_id, standing)
        after |= standing
        if payer and "fan_id" in after:
            after["payer"] = payer
        before = dict.fromkeys(FILLED_IN) | {"net_cents": stands.net_cents, "currency": stands.currency}
        decisions.take(reading, Outcome.CHANGED, fan_id, after, before)


def _is_same_amount(reading: Reading, stands: Any) -> bool:
    return (stands.gross_cents, stands.currency) == (reading.values["gross"], reading.values["currency"])


def _knows_net_better(net: int | None, stands: Any) -> bool:
    """Than what is recorded, which an event told, or nobody. Of two statements the first counts."""
    if net is None or net == stands.net_cents:
        return False
    return stands.net_cents is None or stands.import_id is None


def _lacks_payer(reading: Reading, stands: Any | None) -> bool:
    """Only a row that will be written may bring a new payer: other rows of the file rely on it."""
    return stands is None or (stands.fan_id is None and _is_same_amount(reading, stands))


def _row(reading: Reading, transaction_id: str) -> dict[str, Any]:
    given = reading.values
    return {
        "transaction_id": transaction_id,
        "kind": given["kind"],
        "gross_cents": given["gross"],
        "net_cents": given["net"],
        "fee_cents": given["fee_cents"],
        "tax_cents": given["tax_cents"],
        "currency": given["currency"],
        "at": text_of(given["at"]),
        "day_ends_at": text_of(given.get("day_ends_at")),
    }
