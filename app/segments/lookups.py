"""Conditions on what stands elsewhere than in a fan's own row: ids of fans, from the account on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, column, exists, false, func, or_, select, table, true

from app.conversations.models import WENT_OUT, Conversation, Message
from app.database import contains, plain
from app.fans import own_fields
from app.fans.models import Fan, FanTag
from app.money.models import Transaction
from app.money.queries import COUNTED, LATELY, WITHIN
from app.segments.comparing import Asker, Clause, compare_moment
from app.segments.rules import Condition

# Campaigns stand above segments: all that is asked here is whose one is. By that its messages are found in the index alone.
_campaigns = table("campaigns", column("id"), column("account_id"))
SMALLEST_CENTS = 1


@dataclass(frozen=True)
class Members:
    """Those of the account's fans whose ids are listed; or all others."""

    ids: Select[Any]
    others: bool = False
    each_once: bool = True  # no id is listed twice

    @property
    def clause(self) -> Clause:
        return Fan.id.not_in(self.ids) if self.others else Fan.id.in_(self.ids)

    def number(self, account_id: int) -> ColumnElement[int]:
        """Counted without a look at the fans, of whom there may be a million."""
        listed = self.ids if self.each_once else self.ids.distinct()
        number = select(func.count()).select_from(listed.subquery()).scalar_subquery()
        if not self.others:
            return number
        return select(func.count()).select_from(Fan).where(Fan.account_id == account_id).scalar_subquery() - number


def tag(asker: Asker, asked: Condition) -> Members:
    tagged = select(FanTag.fan_id).where(
        FanTag.account_id == asker.account_id,
        FanTag.tag_key == asked.value.strip().casefold(),
        asker.may_be(FanTag.fan_id),
    )
    return Members(tagged, others=asked.op == "isNot")


def own_field(asker: Asker, asked: Condition) -> Members:
    fans = own_fields.with_field(asker.account_id, asked.name.strip())
    fans = fans.where(asker.may_be(fans.selected_columns[0]))
    match asked.op:
        case "atLeast":
            return Members(fans.where(asked.value <= own_fields.NUMBER))
        case "atMost":
            return Members(fans.where(asked.value >= own_fields.NUMBER))
        case "isSet" | "isNotSet":
            return Members(fans, others=asked.op == "isNotSet")
    value = asked.value.strip().lower()
    holds = contains(own_fields.VALUE, value) if asked.op == "contains" else value == own_fields.VALUE
    return Members(fans.where(holds), others=asked.op == "isNot")


_SPENT_ON = {"message": Fan.messages_cents, "tip": Fan.tips_cents, "subscription": Fan.subscriptions_cents}


def spend(asker: Asker, asked: Condition) -> Members | Clause:
    if asked.days is None:
        spent = Fan.value_cents if asked.kind is None else func.coalesce(_SPENT_ON[asked.kind], 0)
        return spent >= asked.value if asked.op == "atLeast" else spent <= asked.value
    # Who has paid nothing has no row to be found by: those are what is left over.
    least = asked.value if asked.op == "atLeast" else asked.value + 1
    if least <= 0:
        return true() if asked.op == "atLeast" else false()
    if least > SMALLEST_CENTS or asked.kind is not None:
        return Members(_paid_at_least(least, asker, asked), others=asked.op == "atMost")
    return _paid_anything(asker, asked) if asked.op == "atLeast" else ~_paid_anything(asker, asked)


def _paid_at_least(least: int, asker: Asker, asked: Condition) -> Select[Any]:
    """Within so many days. least: cents, more than 0."""
    moved = _moved(asker, asked)
    if _start(asker, asked) >= asker.now - LATELY:
        moved = moved.where(Transaction.fan_id.in_(_may_have_paid(least, asker, asked)))
    sums = moved.group_by(Transaction.fan_id).having(func.sum(Transaction.gross_cents) >= least)
    return select(sums.cte().c.fan_id)  # summed once, wherever it is asked


def _may_have_paid(least: int, asker: Asker, asked: Condition) -> Select[Any]:
    """Nobody else has paid so much: mostly these are few of all who paid something."""
    lately = select(Fan.id).where(Fan.account_id == asker.account_id, Fan.lately_cents >= least)
    return lately.where(Fan.last_paid_at >= _start(asker, asked))


def _paid_anything(asker: Asker, asked: Condition) -> Clause:
    """Whoever has paid has paid something, unless it was taken back: only then there is something to sum up."""
    moved = _moved(asker, asked)
    taken_back = moved.where(Transaction.gross_cents < plain(0))
    left = moved.where(Transaction.fan_id.in_(taken_back)).group_by(Transaction.fan_id)
    left = left.having(func.sum(Transaction.gross_cents) >= SMALLEST_CENTS)
    paid = and_(Fan.last_paid_at.is_not(None), Fan.last_paid_at >= _start(asker, asked))
    return and_(paid, or_(Fan.id.not_in(taken_back), Fan.id.in_(left)))


def _moved(asker: Asker, asked: Condition) -> Select[Any]:
    """Whose the payments and refunds of these days are."""
    since = Transaction.at >= _start(asker, asked)
    moved = select(Transaction.fan_id).where(Transaction.account_id == asker.account_id, since)
    moved = moved.where(asker.may_be(Transaction.fan_id))
    if asked.kind is not None:
        moved = moved.where(Transaction.kind.in_(WITHIN.get(asked.kind, (asked.kind,))))
    return moved.where(Transaction.fan_id.is_not(None), COUNTED)


def _start(asker: Asker, asked: Condition) -> datetime:
    return asker.now - timedelta(days=asked.days or 0)


def campaign(asker: Asker, asked: Condition) -> Members:
    is_theirs = exists().where(_campaigns.c.id == asked.value, _campaigns.c.account_id == asker.account_id)
    theirs = select(Message.fan_id).where(Message.campaign_id == asked.value, Message.fan_id.is_not(None), is_theirs)
    theirs = theirs.where(asker.may_be(Message.fan_id))
    bought = asked.op in ("bought", "notBought")
    theirs = theirs.where(Message.purchased if bought else Message.status.in_(WENT_OUT))
    return Members(theirs, others=asked.op.startswith("not"), each_once=False)


def waiting(asker: Asker, asked: Condition) -> Members:
    return Members(_threads(asker).where(Conversation.waiting_since.is_not(None)), others=not asked.value)


def wrote(moment: Any) -> Callable[[Asker, Condition], Members]:
    def members(asker: Asker, asked: Condition) -> Members:
        if asked.op == "isNotSet":
            return Members(_threads(asker).where(moment.is_not(None)), others=True)
        return Members(_threads(asker).where(compare_moment(asker, moment, asked)))

    return members


def _threads(asker: Asker) -> Select[Any]:
    threads = select(Conversation.fan_id).where(Conversation.account_id == asker.account_id)
    return threads.where(asker.may_be(Conversation.fan_id))
