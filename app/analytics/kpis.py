"""The figures of a period. Sums, shares, means and medians of nothing are None; what is counted is 0."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from sqlalchemy import func, select

from app.analytics import counted
from app.analytics.periods import Period
from app.analytics.tally import Column, Columns, Tally
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
    payers = _payers(moved)
    answered, offered, sold = (int(each.sum()) for each in (waits["is_answered"], out["is_offered"], out["is_sold"]))
    return Kpis(
        revenue_cents=_sum(gross) if len(gross) else None,
        net_cents=_sum(moved["net"]) if has_net.any() else None,
        without_net_cents=_sum(gross[~has_net]),
        transactions=len(gross),
        payers=len(payers),
        average_per_paying_fan_cents=_average(_sum(gross[np.isin(moved["fan"], payers)]), len(payers)),
        new_fans=_new_fans(account_id, period),
        active_fans=len(_distinct(np.concatenate([payers, tally.came_in["fan"]]))),
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


def _payers(moved: Columns) -> Column:
    return _distinct(moved["fan"][moved["gross"] > 0])


def _distinct(ids: Column) -> Column:
    """In order, and without 0, which is nobody."""
    ids = np.sort(ids)
    return ids[_is_first(ids) & (ids > 0)]


def _is_first(ordered: Column) -> Column:
    """Where a number stands for the first time."""
    return np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)]


def best_fans(tally: Tally) -> list[tuple[int, int]]:
    """Ids of the fans who brought the most, with their cents."""
    moved = tally.moved
    order = np.argsort(moved["fan"])
    fans, firsts = moved["fan"][order], np.flatnonzero(_is_first(moved["fan"][order]))
    sums = np.add.reduceat(moved["gross"][order], firsts, dtype=np.int64) if len(firsts) else firsts
    fans = fans[firsts]
    is_best = (fans > 0) & (sums > 0)
    if is_best.sum() > FANS_SHOWN:
        is_best &= sums >= np.partition(sums[is_best], -FANS_SHOWN)[-FANS_SHOWN]
    fans, sums = fans[is_best], sums[is_best]
    return [(int(fans[place]), int(sums[place])) for place in np.lexsort((fans, -sums))[:FANS_SHOWN]]


def _median_seconds(lasted: Column) -> int | None:
    """Of the two in the middle where there is none. None are negative: clocks of a platform and of ours differ."""
    if not len(lasted):
        return None
    ordered = np.sort(np.maximum(lasted, 0))
    middle = [int(ordered[place]) / MICROSECONDS for place in ((len(ordered) - 1) // 2, len(ordered) // 2)]
    return round(sum(middle) / 2)


def _new_fans(account_id: int, period: Period) -> int:
    rows = select(func.count()).select_from(Fan).where(counted.joined(account_id, period))
    return db.session.scalar(rows) or 0


def _average(cents: int, fans: int) -> int | None:
    return round(Fraction(cents, fans)) if fans else None


def _sum(cents: Column) -> int:
    return int(cents.sum(dtype=np.int64))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
