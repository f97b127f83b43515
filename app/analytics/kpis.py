"""The figures of a period. Sums, shares, means and medians of nothing are None; what is counted is 0."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from sqlalchemy import func, select

from app.analytics import counted
from app.analytics.columns import Column
from app.analytics.periods import Period
from app.analytics.tally import Tally
from app.database import db
from app.fans.models import Fan

FANS_SHOWN = 10
MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Kpis:
    revenue_cents: int | None  # gross, refunds and chargebacks taken off
    net_cents: int | None  # of the transactions whose net amount is known
    new_fans: int
    active_fans: int  # who wrote or paid
    messages_in: int
    messages_out: int  # what went out
    answer_rate: float | None  # of the times that a fan began to wait: how many were answered, 0 to 1
    median_answer_seconds: int | None
    paid_messages_sold: int  # of the paid messages that went out in the period: how many are bought
    unlock_rate: float | None  # the same as a share, 0 to 1
    average_per_paying_fan_cents: (
        int | None
    )  # what fans who paid something brought, refunds taken off, for each of them
    # What these stand on:
    without_net_cents: int  # gross of the transactions whose net amount is not known
    transactions: int
    payers: int
    offered: int
    waits: int
    answered: int


def kpis_of(account_id: int, period: Period, tally: Tally) -> Kpis:
    moved, out, waits = tally.moved, tally.went_out, tally.waits
    has_net, gross = moved["has_net"] > 0, moved["gross"]
    fans = tally.fans
    payers = int(np.count_nonzero(fans.has_paid))
    answered, offered, sold = (int(each.sum()) for each in (waits["is_answered"], out["is_offered"], out["is_sold"]))
    return Kpis(
        revenue_cents=_sum(gross) if len(gross) else None,
        net_cents=_sum(moved["net"]) if has_net.any() else None,
        without_net_cents=_sum(gross[~has_net]),
        transactions=len(gross),
        payers=payers,
        average_per_paying_fan_cents=_average(int(fans.cents[np.flatnonzero(fans.has_paid)].sum()), payers),
        new_fans=_new_fans(account_id, period),
        active_fans=int(np.count_nonzero(fans.is_active)),
        messages_in=len(tally.came_in["slot"]),
        messages_out=len(out["slot"]),
        offered=offered,
        paid_messages_sold=sold,
        unlock_rate=_share(sold, offered),
        waits=len(waits["slot"]),
        answered=answered,
        answer_rate=_share(answered, len(waits["slot"])),
        median_answer_seconds=_median_seconds(waits["lasted"][waits["is_answered"] > 0]),
    )


def best_fans(tally: Tally) -> list[tuple[int, int]]:
    """Ids of the fans who brought the most, with their cents."""
    places = np.flatnonzero(tally.fans.cents > 0)
    cents = tally.fans.cents[places]
    if len(cents) > FANS_SHOWN:
        is_best = cents >= np.partition(cents, -FANS_SHOWN)[-FANS_SHOWN]
        places, cents = places[is_best], cents[is_best]
    ids = tally.fans.ids.at(places)
    return [(int(ids[place]), int(cents[place])) for place in np.lexsort((ids, -cents))[:FANS_SHOWN]]


def _median_seconds(lasted: Column) -> int | None:
    """Of the two in the middle where there is none. None are negative: clocks of a platform and of ours differ."""
    if not len(lasted):
        return None
    middle = sorted({(len(lasted) - 1) // 2, len(lasted) // 2})
    ordered = np.partition(np.maximum(lasted, 0), middle)
    return round(sum(int(ordered[place]) for place in middle) / len(middle) / MICROSECONDS)


def _new_fans(account_id: int, period: Period) -> int:
    rows = select(func.count()).select_from(Fan).where(counted.joined(account_id, period))
    return db.session.scalar(rows) or 0


def _average(cents: int, fans: int) -> int | None:
    return round(Fraction(cents, fans)) if fans else None


def _sum(cents: Column) -> int:
    return int(cents.sum(dtype=np.int64))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
