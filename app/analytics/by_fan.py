"""What each fan brought, and whether they paid or wrote: summed up by counting, as sorting takes many times as long."""

from dataclasses import dataclass

import numpy as np

from app.analytics.columns import Column, Columns, Ids, where


@dataclass(frozen=True)
class ByFan:
    """By the places of `ids`. cents: sums of what they brought, whole numbers."""

    ids: Ids
    cents: Column
    has_paid: Column
    is_active: Column  # paid or wrote


def by_fan(payments: Columns, came_in: Columns) -> ByFan:
    """Rows without a fan left out."""
    payments, came_in = (where(each, each["fan"] > 0) for each in (payments, came_in))
    ids = Ids(payments["fan"], came_in["fan"])
    payer, writer = ids.places(payments["fan"]), ids.places(came_in["fan"])
    has_paid = np.zeros(ids.size, dtype=bool)
    has_paid[payer[payments["gross"] > 0]] = True
    is_active = has_paid.copy()
    is_active[writer] = True
    return ByFan(ids, np.bincount(payer, payments["gross"], ids.size), has_paid, is_active)  # exact to 2^53
