"""What a rule asks of the database. Each condition is true or false for every fan, never unknown, so that `none` of them
means what it says."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select, true

from app.bulk import looked_up
from app.conversations.models import Conversation
from app.database import fold, utcnow
from app.fans.keys import handle_key
from app.fans.models import Fan
from app.segments import lookups
from app.segments.comparing import Asker, Clause, compare_moment, compare_text
from app.segments.lookups import Members
from app.segments.rules import FIELDS, Condition, Group


def matching(account_id: int, rule: Group, among: Sequence[int] | None = None) -> Clause:
    """Of the account's fans, those that the rule matches; of these ids alone, if they are given, and looked up for
    them alone."""
    asker = Asker(account_id, utcnow(), among)
    asked_for = true() if among is None else looked_up(Fan.id, among)
    return and_(Fan.account_id == account_id, asked_for, _clause(asker, rule))


def matching_and_number(account_id: int, rule: Group) -> tuple[Clause, ColumnElement[int]]:
    """And how many they are. What is looked up elsewhere is counted there, where the rule says nothing else; a statement
    that has both looks it up once."""
    asker, only = Asker(account_id, utcnow()), _only_condition(rule)
    asked = _asked(asker, only) if only else _clause(asker, rule)
    if isinstance(asked, Members):
        return and_(Fan.account_id == account_id, asked.clause), asked.number(account_id)
    holds = and_(Fan.account_id == account_id, asked)
    return holds, select(func.count()).select_from(Fan).where(holds).correlate(None).scalar_subquery()


def _only_condition(rule: Condition | Group) -> Condition | None:
    if isinstance(rule, Condition):
        return rule
    return _only_condition(rule.rules[0]) if len(rule.rules) == 1 and rule.match != "none" else None


def _clause(asker: Asker, rule: Condition | Group) -> Clause:
    if isinstance(rule, Condition):
        asked = _asked(asker, rule)
        return asked.clause if isinstance(asked, Members) else asked
    parts = [_clause(asker, each) for each in rule.rules]
    if rule.match == "all":
        return and_(true(), *parts)
    return or_(false(), *parts) if rule.match == "any" and parts else ~or_(false(), *parts)


def _asked(asker: Asker, condition: Condition) -> Members | Clause:
    return _BY_FIELD.get(condition.field, _BY_SORT[FIELDS[condition.field].sort])(asker, condition)


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
    return compare_text(column, asked.op, key((asked.value or "").strip()))


_MOMENTS: dict[str, Any] = {
    "lastPurchase": Fan.last_purchase_at,
    "lastSeen": Fan.last_seen_at,
    "subscribedAt": Fan.subscribed_at,
    "subscriptionEnds": Fan.subscription_ends_at,
    "added": Fan.created_at,
    "changed": Fan.updated_at,
}


def _moment(asker: Asker, asked: Condition) -> Clause:
    return compare_moment(asker, _MOMENTS[asked.field], asked)


def _best(asker: Asker, asked: Condition) -> Clause:
    best = select(Fan.id).where(Fan.account_id == asker.account_id)
    return Fan.id.in_(best.order_by(Fan.value_cents.desc(), Fan.id.desc()).limit(asked.value).correlate(None))


def _file(_: Asker, asked: Condition) -> Clause:
    came_with = and_(Fan.import_id.is_not(None), Fan.import_id == asked.value)
    return came_with if asked.op == "is" else ~came_with


def _linked(_: Asker, asked: Condition) -> Clause:
    return Fan.platform_fan_id.is_not(None) if asked.value else Fan.platform_fan_id.is_(None)


def _do_not_message(_: Asker, asked: Condition) -> Clause:
    return Fan.do_not_message.is_(asked.value)


_Ask = Callable[[Asker, Condition], Members | Clause]
_BY_SORT: dict[str, _Ask] = {
    "text": _text, "own": lookups.own_field, "file": _file, "moment": _moment,
    "tag": lookups.tag, "money": lookups.spend, "campaign": lookups.campaign, "number": _best,
    "flag": _do_not_message,
}  # fmt: skip
_BY_FIELD: dict[str, _Ask] = {
    "waiting": lookups.waiting,
    "weWrote": lookups.wrote(Conversation.we_wrote_at),
    "fanWrote": lookups.wrote(Conversation.fan_wrote_at),
    "linked": _linked,
}
