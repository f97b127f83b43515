"""What each condition of a rule asks of the database. Each is true or false for every fan, never unknown, so that `none`
of them means what it says."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Float, and_, case, cast, column, exists, false, func, or_, select, table, true

from app.accounts.models import Account
from app.conversations.models import WENT_OUT, Conversation, Message
from app.database import contains, db, fold, plain, utcnow
from app.fans.keys import handle_key
from app.fans.models import Fan, FanTag
from app.money.models import Transaction
from app.money.queries import COUNTED, WITHIN
from app.segments.rules import AS_NUMBER, FIELDS, ON_A_DAY, Condition, Group
from app.zones import find_zone

Clause = ColumnElement[bool]
# Campaigns stand above segments: all that is asked here is whose one is. By that its messages are found in the index alone.
_campaigns = table("campaigns", column("id"), column("account_id"))
SMALLEST_CENTS = 1
NUMBER = r"^\s*-?[0-9]+(?:\.[0-9]+)?\s*$"


@dataclass(frozen=True)
class Asker:
    """Whose fans are asked for, and the moment that "in the last 7 days" counts from."""

    account_id: int
    now: datetime

    def beginning_of(self, day: str) -> datetime:
        """By the account's clock."""
        zone = db.session.scalar(select(Account.timezone).where(Account.id == self.account_id)) or "UTC"
        return datetime.combine(date.fromisoformat(day), time.min, find_zone(zone) or UTC)


def matching(account_id: int, rule: Group) -> Clause:
    """Of the account's fans, those that the rule matches."""
    return and_(Fan.account_id == account_id, _clause(Asker(account_id, utcnow()), rule))


def _clause(asker: Asker, rule: Condition | Group) -> Clause:
    if isinstance(rule, Condition):
        return _BY_FIELD.get(rule.field, _BY_SORT[FIELDS[rule.field].sort])(asker, rule)
    parts = [_clause(asker, each) for each in rule.rules]
    if rule.match == "all":
        return and_(true(), *parts)
    return or_(false(), *parts) if rule.match == "any" and parts else ~or_(false(), *parts)


# --- Columns of the fan itself ---

_TEXTS: dict[str, tuple[Any, Callable[[str], str]]] = {
    "name": (Fan.name_key, fold),
    "handle": (Fan.handle_key, lambda text: handle_key(text) or ""),
    "email": (Fan.email_key, str.casefold),
    "notes": (func.lower(Fan.notes), str.lower),
    "subscriptionStatus": (func.lower(Fan.subscription_status), str.lower),
    "timezone": (func.lower(Fan.timezone), str.lower),
    "phone": (func.lower(Fan.phone), str.lower),
    "platform": (func.lower(Fan.platform), str.lower),
    "platformFanId": (Fan.platform_fan_id, str),
}


def _text(_: Asker, asked: Condition) -> Clause:
    column, key = _TEXTS[asked.field]
    return _compare_text(column, asked.op, key((asked.value or "").strip()))


def _custom(_: Asker, asked: Condition) -> Clause:
    column = Fan.custom[asked.name.strip()].as_string()
    if asked.op not in AS_NUMBER:
        return _compare_text(func.lower(column), asked.op, (asked.value or "").strip().lower())
    number = cast(column, Float)
    return case(
        (column.regexp_match(NUMBER), number >= asked.value if asked.op == "atLeast" else number <= asked.value),
        else_=false(),
    )


def _compare_text(column: Any, op: str, value: str) -> Clause:
    known = func.coalesce(column, "") != ""
    match op:
        case "isSet":
            return known
        case "isNotSet":
            return ~known
        case "contains":
            return and_(column.is_not(None), contains(column, value))
    same = and_(column.is_not(None), column == value)
    return same if op == "is" else ~same


_MOMENTS: dict[str, Any] = {
    "lastPurchase": Fan.last_purchase_at,
    "lastSeen": Fan.last_seen_at,
    "subscribedAt": Fan.subscribed_at,
    "subscriptionEnds": Fan.subscription_ends_at,
    "added": Fan.created_at,
    "changed": Fan.updated_at,
}


def _moment(asker: Asker, asked: Condition) -> Clause:
    return _compare_moment(asker, _MOMENTS[asked.field], asked)


def _compare_moment(asker: Asker, column: Any, asked: Condition) -> Clause:
    if asked.op == "isNotSet":
        return column.is_(None)
    known = column.is_not(None)
    if asked.op == "isSet":
        return known
    if asked.op in ON_A_DAY:
        begins = asker.beginning_of(asked.value)
        return and_(known, column >= begins if asked.op == "since" else column < begins)
    span = timedelta(hours=asked.value) if asked.unit == "hours" else timedelta(days=asked.value)
    match asked.op:
        case "inLast":
            return and_(known, column >= asker.now - span, column <= asker.now)
        case "inNext":
            return and_(known, column > asker.now, column <= asker.now + span)
    return and_(known, column < asker.now - span)


# --- What is looked up elsewhere: ids of fans, from the account on ---


def _tag(asker: Asker, asked: Condition) -> Clause:
    tagged = select(FanTag.fan_id).where(
        FanTag.account_id == asker.account_id, FanTag.tag_key == asked.value.strip().casefold()
    )
    return _in(tagged, unless=asked.op == "isNot")


_SPENT_ON = {"message": Fan.messages_cents, "tip": Fan.tips_cents, "subscription": Fan.subscriptions_cents}


def _spend(asker: Asker, asked: Condition) -> Clause:
    if asked.days is None:
        spent = Fan.value_cents if asked.kind is None else func.coalesce(_SPENT_ON[asked.kind], 0)
        return spent >= asked.value if asked.op == "atLeast" else spent <= asked.value
    # Who has paid nothing has no row to be found by: those are what is left over.
    least = asked.value if asked.op == "atLeast" else asked.value + 1
    if least <= 0:
        return true() if asked.op == "atLeast" else false()
    paid = _paid_at_least(least, asker, asked)
    return paid if asked.op == "atLeast" else ~paid


def _paid_at_least(least: int, asker: Asker, asked: Condition) -> Clause:
    """Within so many days. least: cents, more than 0."""
    start = asker.now - timedelta(days=asked.days or 0)
    moved = select(Transaction.fan_id).where(Transaction.account_id == asker.account_id, Transaction.at >= start)
    moved = moved.where(Transaction.fan_id.is_not(None))
    if asked.kind is not None:
        moved = moved.where(Transaction.kind.in_(WITHIN.get(asked.kind, (asked.kind,))))
    sums = moved.where(COUNTED).group_by(Transaction.fan_id).having(func.sum(Transaction.gross_cents) >= least)
    if least > SMALLEST_CENTS or asked.kind is not None:
        return _in(select(sums.cte().c.fan_id))  # summed once, wherever it is asked
    # Whoever paid anything has paid that much, unless it was taken back: only then there is something to sum up.
    taken_back = moved.where(Transaction.gross_cents < plain(0))
    left = sums.where(Transaction.fan_id.in_(taken_back))
    return and_(Fan.last_paid_at.is_not(None), Fan.last_paid_at >= start, or_(Fan.id.not_in(taken_back), _in(left)))


def _best(asker: Asker, asked: Condition) -> Clause:
    best = select(Fan.id).where(Fan.account_id == asker.account_id)
    return Fan.id.in_(best.order_by(Fan.value_cents.desc(), Fan.id.desc()).limit(asked.value).correlate(None))


def _campaign(asker: Asker, asked: Condition) -> Clause:
    is_theirs = exists().where(_campaigns.c.id == asked.value, _campaigns.c.account_id == asker.account_id)
    theirs = select(Message.fan_id).where(Message.campaign_id == asked.value, Message.fan_id.is_not(None), is_theirs)
    bought = asked.op in ("bought", "notBought")
    theirs = theirs.where(Message.purchased if bought else Message.status.in_(WENT_OUT))
    return _in(theirs, unless=asked.op.startswith("not"))


def _waiting(asker: Asker, asked: Condition) -> Clause:
    return _in(_threads(asker).where(Conversation.waiting_since.is_not(None)), unless=not asked.value)


def _wrote(column: Any) -> Callable[[Asker, Condition], Clause]:
    def clause(asker: Asker, asked: Condition) -> Clause:
        if asked.op == "isNotSet":
            return _in(_threads(asker).where(column.is_not(None)), unless=True)
        return _in(_threads(asker).where(_compare_moment(asker, column, asked)))

    return clause


def _threads(asker: Asker) -> Any:
    return select(Conversation.fan_id).where(Conversation.account_id == asker.account_id)


def _in(ids: Any, *, unless: bool = False) -> Clause:
    return Fan.id.not_in(ids) if unless else Fan.id.in_(ids)


def _file(_: Asker, asked: Condition) -> Clause:
    came_with = and_(Fan.import_id.is_not(None), Fan.import_id == asked.value)
    return came_with if asked.op == "is" else ~came_with


def _linked(_: Asker, asked: Condition) -> Clause:
    return Fan.platform_fan_id.is_not(None) if asked.value else Fan.platform_fan_id.is_(None)


def _do_not_message(_: Asker, asked: Condition) -> Clause:
    return Fan.do_not_message.is_(asked.value)


_BY_SORT: dict[str, Callable[[Asker, Condition], Clause]] = {
    "text": _text, "own": _custom, "file": _file, "moment": _moment,
    "tag": _tag, "money": _spend, "campaign": _campaign, "number": _best,
    "flag": _do_not_message,
}  # fmt: skip
_BY_FIELD: dict[str, Callable[[Asker, Condition], Clause]] = {
    "waiting": _waiting,
    "weWrote": _wrote(Conversation.we_wrote_at),
    "fanWrote": _wrote(Conversation.fan_wrote_at),
    "linked": _linked,
}
