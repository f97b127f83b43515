"""All figures of a period, counted: numbers and ids, which can be kept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, current_app

from app.analytics import tables
from app.analytics.kpis import Kpis, kpis_of
from app.analytics.periods import Period
from app.analytics.tables import Work
from app.database import db, utcnow

AT_ONCE = 4  # requests of a process for which a second connection counts

_beside = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="figures")


@dataclass(frozen=True)
class Figures:
    as_of: datetime
    kpis: Kpis
    previous: Kpis
    trend: list[dict[str, int]]  # cents by kind, for each step of the period
    campaigns: list[tuple[int, Work]]  # those that sent or brought something, the best first
    staff: list[tuple[int | None, Work]]  # who wrote what went out, campaigns left out
    week: list[list[int]]
    other_currencies: dict[str, int]  # transactions that are left out

    @property
    def rows(self) -> int:
        """How many were counted, about."""
        each = (self.kpis, self.previous)
        return sum(kpis.transactions + kpis.messages_in + kpis.messages_out for kpis in each)


def count_figures(account_id: int, period: Period) -> Figures:
    """By two connections: a statement keeps one core of the database busy, and there are others."""
    as_of = utcnow()
    others = _beside.submit(_count_beside, current_app._get_current_object(), account_id, period)  # type: ignore[attr-defined]
    kpis = kpis_of(account_id, period)
    campaigns, authors = tables.work_of(account_id, period)
    week = tables.hours_of_the_week(account_id, period)
    db.session.commit()  # who waits for another's connection holds none
    previous, (steps, other_currencies) = others.result()
    return Figures(
        as_of=as_of,
        kpis=kpis,
        previous=previous,
        trend=steps,
        campaigns=tables.best(campaigns)[: tables.CAMPAIGNS_SHOWN],
        staff=tables.best(authors),
        week=week,
        other_currencies=other_currencies,
    )


def _count_beside(app: Flask, account_id: int, period: Period) -> tuple[Kpis, Any]:
    with app.app_context():
        return kpis_of(account_id, period.previous), tables.trend(account_id, period)
