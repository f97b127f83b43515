"""The figures as a page says them: each with its change, with what it means, and with the address of its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.analytics.kpis import Kpis
from app.analytics.words import in_percent, in_points, in_time, lasting, percent
from app.formats import NOTHING, money, number

Say = Callable[[Any], str]


@dataclass(frozen=True)
class Figure:
    name: str  # of Kpis
    label: str
    meaning: str
    report: str
    which: str
    say: Say
    change: Callable[[Any, Any], str]
    note: Callable[[Kpis], str] = lambda _: ""
    note_which: str = ""  # the rows of what the note tells


@dataclass(frozen=True)
class Card:
    figure: Figure
    value: str
    before: str  # the value of the period before
    change: str  # in words with a sign; nothing where there is nothing to compare
    note: str

    @property
    def had_any(self) -> bool:
        return self.before != NOTHING


def cards(now: Kpis, previous: Kpis) -> list[Card]:
    return [_card(figure, now, previous) for figure in FIGURES]


def _card(figure: Figure, now: Kpis, previous: Kpis) -> Card:
    value, before = getattr(now, figure.name), getattr(previous, figure.name)
    change = figure.change(value, before) if value is not None and before is not None else ""
    return Card(figure, figure.say(value), figure.say(before), change, figure.note(now))


def _of_net(kpis: Kpis) -> str:
    return f"{money(kpis.without_net_cents)} gross has no net amount and is left out" if kpis.without_net_cents else ""


FIGURES = (
    Figure(
        "revenue_cents", "Revenue", "What fans paid, refunds and chargebacks taken off",
        "transactions", "", money, in_percent,
    ),
    Figure(
        "net_cents", "Net", "What remains after the platform's share",
        "transactions", "net-known", money, in_percent, _of_net, "net-unknown",
    ),
    Figure(
        "average_per_paying_fan_cents", "Per paying fan", "Revenue from fans who paid, for each of them",
        "fans", "paying", money, in_percent,
    ),
    Figure("payers", "Paying fans", "Who paid something", "fans", "paying", number, in_percent),
    Figure(
        "paid_messages_sold", "Paid messages sold", "Sent in the period, and bought since",
        "messages", "sold", number, in_percent,
    ),
    Figure(
        "unlock_rate", "Unlock rate", "Of the paid messages sent in the period",
        "messages", "offered", percent, in_points,
        lambda kpis: f"{number(kpis.paid_messages_sold)} of {number(kpis.offered)} bought" if kpis.offered else "",
    ),
    Figure("new_fans", "New fans", "Here since the period", "fans", "new", number, in_percent),
    Figure("active_fans", "Active fans", "Who wrote or paid", "fans", "active", number, in_percent),
    Figure("messages_in", "Messages from fans", "What fans wrote", "messages", "in", number, in_percent),
    Figure("messages_out", "Messages to fans", "What went out, campaigns too", "messages", "out", number, in_percent),
    Figure(
        "answer_rate", "Answered", "Of the times that a fan began to wait",
        "messages", "waits", percent, in_points,
        lambda kpis: f"{number(kpis.answered)} of {number(kpis.waits)} times" if kpis.waits else "",
    ),
    Figure(
        "median_answer_seconds", "Time to answer", "Half of the answers were quicker",
        "messages", "answered", lasting, in_time,
    ),
)  # fmt: skip
