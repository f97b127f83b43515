"""Whom a campaign is for, and why each fan of them gets it or not: one set, decided once, in the database."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Self

from sqlalchemy import ColumnElement, case, func, literal, select

from app.conversations.models import Conversation
from app.database import db, utcnow
from app.fans.models import Fan
from app.platforms.models import Connection
from app.segments.conditions import matching
from app.segments.rules import Group

LONGEST_PAUSE_HOURS = 24 * 90


@dataclass(frozen=True)
class Guards:
    """Who is spared, each a switch."""

    unanswered: bool = False  # whose own message still waits for an answer
    messaged_within_hours: int | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        return cls(**stored)


@dataclass(frozen=True)
class Audience:
    """A rule, or fans named one by one, in their order."""

    rule: Group | None = None
    fan_ids: tuple[int, ...] = ()

    def holds(self, account_id: int) -> ColumnElement[bool]:
        if self.rule is not None:
            return matching(account_id, self.rule)
        return (Fan.account_id == account_id) & Fan.id.in_(self.fan_ids)

    def order(self) -> tuple[Any, ...]:
        """Of a rule the most valuable fans first."""
        if self.rule is not None:
            return Fan.value_cents.desc(), Fan.id
        return (case({fan_id: place for place, fan_id in enumerate(self.fan_ids)}, value=Fan.id),)


def reason_against(connection: Connection | None, guards: Guards) -> Any:
    """The first reason why a fan does not get it; null where there is none."""
    theirs = select(Conversation.id).where(Conversation.fan_id == Fan.id, Conversation.account_id == Fan.account_id)
    reasons: list[tuple[Any, Any]] = [
        (Fan.do_not_message, literal("do_not_message")),
        (Fan.platform_fan_id.is_(None) if connection else literal(True), literal("not_linked")),
    ]
    if guards.unanswered:
        reasons.append((theirs.where(Conversation.waiting_since.is_not(None)).exists(), literal("unanswered")))
    if guards.messaged_within_hours:
        lately = utcnow() - timedelta(hours=guards.messaged_within_hours)
        reasons.append((theirs.where(Conversation.we_wrote_at >= lately).exists(), literal("messaged_recently")))
    return case(*reasons, else_=None)


@dataclass(frozen=True)
class Outlook:
    """How many would get it, and how many would not, by the reason."""

    included: int
    left_out: dict[str, int]

    @property
    def considered(self) -> int:
        return self.included + sum(self.left_out.values())


def outlook(account_id: int, audience: Audience, connection: Connection | None, guards: Guards) -> Outlook:
    reason = reason_against(connection, guards).label("reason")
    decided = select(reason).where(audience.holds(account_id)).subquery()
    rows = db.session.execute(select(decided.c.reason, func.count()).group_by(decided.c.reason)).all()
    counts: dict[str | None, int] = dict(rows)  # type: ignore[arg-type]
    included = counts.pop(None, 0)
    return Outlook(included, {str(reason): counts[reason] for reason in sorted(counts, key=lambda each: -counts[each])})


def examples(
    account_id: int, audience: Audience, connection: Connection | None, guards: Guards, limit: int
) -> list[Fan]:
    """Some who would get it, the first ones."""
    gets_it = reason_against(connection, guards).is_(None)
    rows = select(Fan).where(audience.holds(account_id), gets_it).order_by(*audience.order()).limit(limit)
    return list(db.session.scalars(rows))
