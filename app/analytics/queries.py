"""All that a page or a program sees of a period."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, true
from sqlalchemy.orm import lazyload, load_only

from app.accounts.models import Membership, User
from app.analytics import counted, remembered, words
from app.analytics.figures import Figures, count_figures
from app.analytics.kpis import Kpis
from app.analytics.periods import DAY, Period
from app.analytics.reports import Asked, Part
from app.analytics.selling import RULES, UNATTRIBUTED
from app.analytics.tables import Work
from app.campaigns.models import Campaign
from app.database import db
from app.fans.models import Fan
from app.imports.models import Import
from app.imports.queries import is_payment_of
from app.money import twins
from app.money.models import Transaction
from app.money.queries import KINDS


@dataclass(frozen=True)
class Step:
    period: Period
    by_kind: dict[str, int]  # cents

    @property
    def revenue_cents(self) -> int:
        return sum(self.by_kind.values())


@dataclass(frozen=True)
class Payer:
    fan: Fan
    revenue_cents: int


@dataclass(frozen=True)
class Overview:
    period: Period
    figures: Figures
    trend: list[Step]
    top_fans: list[Payer]
    campaigns: list[tuple[Campaign, Work]]
    staff: list[tuple[User | None, Work]]  # without a person: written on the platform itself

    @property
    def as_of(self) -> datetime:
        return self.figures.as_of

    @property
    def kpis(self) -> Kpis:
        return self.figures.kpis

    @property
    def previous(self) -> Kpis:
        return self.figures.previous

    @property
    def has_data(self) -> bool:
        sums = (vars(kpis).values() for kpis in (self.kpis, self.previous))
        return bool(self.figures.other_currencies) or any(value for values in sums for value in values)


def overview(account_id: int, period: Period) -> Overview:
    """At most a minute old; of a business of usual size, counted now."""
    figures = remembered.recall(account_id, period)
    if figures is None:
        figures = count_figures(account_id, period)
        remembered.remember(account_id, period, figures)
    fans = _by_id(Fan, [fan_id for fan_id, _ in figures.top_fans], lazyload(Fan.tag_rows))
    campaigns = _by_id(Campaign, [each for each, _ in figures.campaigns], load_only(Campaign.id, Campaign.name))
    people = _by_id(User, [author_id for author_id, _ in figures.staff], load_only(User.id, User.name))
    return Overview(
        period=period,
        figures=figures,
        trend=[Step(step, by_kind) for step, by_kind in zip(period.steps(), figures.trend, strict=True)],
        top_fans=[Payer(fans[fan_id], cents) for fan_id, cents in figures.top_fans if fan_id in fans],
        campaigns=[(campaigns[each], work) for each, work in figures.campaigns if each in campaigns],
        staff=[(people.get(each), work) for each, work in figures.staff],
    )


def _by_id(model: Any, ids: list[int | None], *options: Any) -> dict[Any, Any]:
    wanted = [each for each in ids if each is not None]
    return {each.id: each for each in db.session.scalars(select(model).where(model.id.in_(wanted)).options(*options))}


def sums_of(asked: Asked, part: Part) -> list[int]:
    """Of payments: their gross and net in cents. Of other rows nothing is summed."""
    if part.model is not Transaction:
        return []
    each = asked.rows(part).subquery()
    found = db.session.execute(select(func.sum(each.c.gross_cents), func.sum(each.c.net_cents))).one()
    return [int(cents or 0) for cents in found]


@dataclass(frozen=True)
class Told:
    """Payments by who told of them. Cents; net where it is known."""

    which: str  # of the report of transactions
    count: int
    gross_cents: int
    net_cents: int


def statement_against_events(account_id: int, period: Period, of_import: Import | None = None) -> list[Told]:
    """of_import: what statements have is of this file alone."""
    of_file = is_payment_of(of_import.id) if of_import else true()
    parts = {
        "in-both": twins.IN_BOTH & of_file, "events-alone": twins.IN_EVENTS_ALONE,
        "statements-alone": twins.IN_STATEMENTS_ALONE & of_file,
    }  # fmt: skip
    sums = (func.count(), func.sum(Transaction.gross_cents), func.sum(Transaction.net_cents))
    every = [each.filter(part).label(f"{which} {n}") for which, part in parts.items() for n, each in enumerate(sums)]
    found = db.session.execute(select(*every).where(counted.moved(account_id, period))).one()
    numbers = [int(each or 0) for each in found]
    return [Told(which, *numbers[3 * n : 3 * n + 3]) for n, which in enumerate(parts)]


def days_of(found: Import, zone: ZoneInfo) -> Period | None:
    """From its first payment to its last."""
    mine = select(func.min(Transaction.at), func.max(Transaction.at)).where(
        Transaction.account_id == found.account_id, is_payment_of(found.id)
    )
    first, last = db.session.execute(mine).one()
    if first is None:
        return None
    return Period(first.astimezone(zone).date(), last.astimezone(zone).date() + DAY, zone)


def narrowed_in_words(asked: Asked) -> list[tuple[str, str]]:
    """What the rows are narrowed to, by name where there is one."""
    titles = {rule.name: rule.title for rule in RULES}
    return [
        (titles.get(name, name.capitalize()), _name_of(asked.account_id, name, value)) for name, value in asked.narrowed
    ]


def _name_of(account_id: int, name: str, value: Any) -> str:
    if name == "kind":
        return KINDS.get(value) or str(value)
    if name == "hour":
        return words.hour_of_week(*value)
    if value == 0:
        return "nobody here" if name == "author" else UNATTRIBUTED
    member = select(User.name).join(Membership).where(Membership.account_id == account_id, User.id == value)
    named = {
        "author": member,
        **{rule.name: member for rule in RULES},
        "campaign": select(Campaign.name).where(Campaign.account_id == account_id, Campaign.id == value),
        "import": select(Import.file_name).where(Import.account_id == account_id, Import.id == value),
        "fan": select(func.coalesce(Fan.name, Fan.handle)).where(Fan.account_id == account_id, Fan.id == value),
    }
    return db.session.scalar(named[name]) or f"number {value}"
