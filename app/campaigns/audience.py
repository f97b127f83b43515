"""Whom a campaign is for, and why each fan of them gets it or not: one set, decided once, in the database."""

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, select

from app.campaigns.draws import HELD_BACK, lot
from app.conversations.guards import Guards, reasons_at_launch
from app.database import db, planned_anew
from app.fans.models import Fan
from app.platforms.models import Connection
from app.segments.conditions import matching
from app.segments.rules import Group

LOTS_IN_A_PERCENT = 100
HELD_OUT, BEYOND_LIMIT = "held_out", "beyond_limit"


@dataclass(frozen=True)
class Audience:
    """A rule, or fans named one by one, in their order."""

    rule: Group | None = None
    fan_ids: tuple[int, ...] = ()
    also: tuple[ColumnElement[bool], ...] = field(default=(), compare=False)  # conditions beside the rule

    def holds(self, account_id: int) -> ColumnElement[bool]:
        if self.rule is not None:
            return and_(matching(account_id, self.rule), *self.also)
        return (Fan.account_id == account_id) & Fan.id.in_(self.fan_ids)

    def order(self) -> tuple[Any, ...]:
        """Of a rule the most valuable fans first."""
        if self.rule is not None:
            return Fan.value_cents.desc(), Fan.id
        return (case({fan_id: place for place, fan_id in enumerate(self.fan_ids)}, value=Fan.id),)


@dataclass(frozen=True)
class Selection:
    """Who of an audience gets it."""

    account_id: int
    audience: Audience
    connection: Connection | None
    guards: Guards = field(default_factory=Guards)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    campaign_id: int = 0  # for the lots; 0 before there is one
    holdout_percent: int = 0
    at_most: int | None = None


def decided(of: Selection) -> Select[Any, Any]:
    """Each fan of the audience in its order, with the first reason why they do not get it: `fan_id`, `reason`."""
    reason, order = reason_against(of), of.audience.order()
    rows = select(Fan.id.label("fan_id"), reason.label("reason")).where(of.audience.holds(of.account_id))
    if of.at_most is None:
        return rows.order_by(*order)
    place = func.row_number().over(order_by=order)
    rows = rows.add_columns(place.label("place")).subquery()
    gets_it = select(rows.c.fan_id, rows.c.place).where(rows.c.reason.is_(None)).order_by(rows.c.place)
    last = gets_it.limit(1).offset(of.at_most - 1).with_only_columns(rows.c.place).scalar_subquery()
    is_beyond = rows.c.reason.is_(None) & (rows.c.place > last)
    cut = case((is_beyond, literal(BEYOND_LIMIT)), else_=rows.c.reason)
    return select(rows.c.fan_id, cut.label("reason")).order_by(rows.c.place)


def reason_against(of: Selection) -> Any:
    """Null where there is none."""
    reasons: list[tuple[Any, Any]] = [
        (Fan.do_not_message, literal("do_not_message")),
        (Fan.platform_fan_id.is_(None) if of.connection else literal(True), literal("not_linked")),
        *reasons_at_launch(of.guards, of.attachments),
    ]
    if of.holdout_percent:
        held_back = lot(of.campaign_id, Fan.id, HELD_BACK) < of.holdout_percent * LOTS_IN_A_PERCENT
        reasons.append((held_back, literal(HELD_OUT)))
    return case(*reasons, else_=None)


@dataclass(frozen=True)
class Outlook:
    """How many would get it, and how many would not, by the reason."""

    included: int
    left_out: dict[str, int]

    @property
    def considered(self) -> int:
        return self.included + sum(self.left_out.values())


def outlook(of: Selection) -> Outlook:
    rows = decided(of).subquery()
    found = db.session.execute(planned_anew(select(rows.c.reason, func.count()).group_by(rows.c.reason))).all()
    counts: dict[str | None, int] = dict(found)  # type: ignore[arg-type]
    included = counts.pop(None, 0)
    return Outlook(included, {str(reason): counts[reason] for reason in sorted(counts, key=lambda each: -counts[each])})


def fans_of(of: Selection, reason: str = "") -> Select[Any]:
    """Those who would get it; or those who would not, for that reason."""
    rows = decided(of).order_by(None).subquery()
    wanted = rows.c.reason == reason if reason else rows.c.reason.is_(None)
    return select(Fan).join(rows, Fan.id == rows.c.fan_id).where(wanted)


def first_of(of: Selection, limit: int) -> Select[Any]:
    """The first fans who would get it."""
    gets_it = reason_against(of).is_(None)
    rows = select(Fan).where(of.audience.holds(of.account_id), gets_it).order_by(*of.audience.order())
    return planned_anew(rows.limit(limit))
