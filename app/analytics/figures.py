"""All figures of a period, counted: numbers and ids, which can be kept."""

from dataclasses import dataclass
from datetime import datetime

from app.analytics import stretches, tables
from app.analytics.kpis import Kpis, best_fans, kpis_of
from app.analytics.periods import Period
from app.analytics.tables import Work
from app.analytics.tally import joined
from app.database import utcnow


@dataclass(frozen=True)
class Figures:
    as_of: datetime
    kpis: Kpis
    previous: Kpis
    trend: list[dict[str, int]]  # cents by kind, for each step of the period
    top_fans: list[tuple[int, int]]  # ids of the fans who brought the most, with their cents
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
    as_of = utcnow()
    before = period.previous
    tallies = stretches.tallies_over(account_id, Period(before.first, period.after, period.zone))
    tally = joined(tallies, period)
    campaigns, authors = tables.work_of(tally)
    return Figures(
        as_of=as_of,
        kpis=kpis_of(account_id, period, tally),
        previous=kpis_of(account_id, before, joined(tallies, before)),
        trend=tables.trend(tally, period),
        top_fans=best_fans(tally),
        campaigns=tables.best(campaigns)[: tables.CAMPAIGNS_SHOWN],
        staff=tables.best(authors),
        week=tables.hours_of_the_week(tally, period),
        other_currencies=tables.other_currencies(tally),
    )
