"""What stands beneath the figures: over time, by campaign, by person, by hour of the week. Ids and numbers only."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from app.analytics.columns import Column, Columns, Ids, where
from app.analytics.periods import Period
from app.analytics.tally import Tally
from app.money.queries import CURRENCY

CAMPAIGNS_SHOWN = 50


@dataclass
class Work:
    """What went out in the period, and what it brought in the period: also what was sent before it."""

    sent: int = 0
    offered: int = 0
    purchased: int = 0  # of what went out in the period
    revenue_cents: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.sent + other.sent, self.offered + other.offered, self.purchased + other.purchased,
            self.revenue_cents + other.revenue_cents,
        )  # fmt: skip


def trend(tally: Tally, period: Period) -> list[dict[str, int]]:
    """Cents by kind for each step of the period, also where nothing moved."""
    moved, kinds = tally.moved, len(tally.words)
    firsts = [tally.slot_at(step.start) for step in period.steps()]
    step_of_slot = np.searchsorted(firsts, tally.slots, side="right") - 1
    place = step_of_slot[moved["slot"] - tally.slots.start] * kinds + moved["kind"]
    size = len(firsts) * kinds
    counts, cents = np.bincount(place, minlength=size), np.bincount(place, moved["gross"], size)  # exact to 2^53
    return [
        {kind: int(cents[at]) for at, kind in enumerate(tally.words, step * kinds) if counts[at]}
        for step in range(len(firsts))
    ]


def other_currencies(tally: Tally) -> dict[str, int]:
    """How many payments are left out, by their currencies."""
    counts = np.bincount(tally.payments["currency"], minlength=len(tally.words)).tolist()
    found = zip(tally.words, counts, strict=True)
    return {currency: count for currency, count in found if count and currency != CURRENCY}


def hours_of_the_week(tally: Tally, period: Period) -> list[list[int]]:
    """Messages of fans by weekday (from Monday) and hour of the zone's clock."""
    week = [[0] * 24 for _ in range(7)]
    first = tally.slot_at(period.start)
    counts = np.bincount(tally.came_in["slot"] - first)
    for slot in np.flatnonzero(counts).tolist():
        local = datetime.fromtimestamp((first + slot) * tally.slot_seconds, period.zone)
        week[local.weekday()][local.hour] += int(counts[slot])
    return week


def work_of(tally: Tally) -> tuple[dict[int, Work], dict[int | None, Work]]:
    """By campaign; and by author, of what was written by hand: what a campaign sent is the campaign's, whoever launched it."""
    found: dict[tuple[int | None, int | None], Work] = defaultdict(Work)
    moved = tally.moved
    earned = where(moved, moved["is_of_message"] > 0)
    for campaign, author, cents in _by_sender(earned, earned["gross"]):
        found[campaign, author].revenue_cents = cents
    out = tally.went_out
    for campaign, author, *counts in _by_sender(out, np.ones_like(out["slot"]), out["is_offered"], out["is_sold"]):
        found[campaign, author] += Work(*counts)
    return _by_campaign_and_author(found)


def _by_sender(columns: Columns, *summed: Column) -> Iterator[tuple[Any, ...]]:
    """Campaign and author, each perhaps None, with the sums of what is theirs."""
    most = int(columns["author"].max(initial=0)) + 1
    senders = columns["campaign"].astype(np.int64) * most + columns["author"]
    ids = Ids(senders)
    place_of_each = ids.places(senders)
    sums = [np.bincount(place_of_each, each, ids.size) for each in summed]
    places = np.flatnonzero(np.bincount(place_of_each, minlength=ids.size))
    for place, sender in zip(places.tolist(), ids.at(places).tolist(), strict=True):
        campaign, author = divmod(sender, most)
        yield campaign or None, author or None, *(int(each[place]) for each in sums)


def _by_campaign_and_author(
    found: dict[tuple[int | None, int | None], Work],
) -> tuple[dict[int, Work], dict[int | None, Work]]:
    campaigns: dict[int, Work] = defaultdict(Work)
    authors: dict[int | None, Work] = {}
    for (campaign, author), work in found.items():
        if campaign is None:
            authors[author] = work
        else:
            campaigns[campaign] += work
    return dict(campaigns), authors


def best(found: dict) -> list[tuple]:
    """Those that brought the most first, then those that sent the most."""
    return sorted(found.items(), key=lambda each: (-each[1].revenue_cents, -each[1].sent, each[0] or 0))
