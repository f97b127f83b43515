"""Every figure against plain sums over the same rows: of random businesses, in three zones, across changes of the clocks."""

import csv
import io
from dataclasses import asdict
from datetime import datetime
from statistics import median
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings

from app.analytics import queries
from app.analytics.periods import Period
from tests.analytics.books import Books, business, write_books
from tests.people import Person

# Unshrunk: each try writes a business anew.
SOME = {"deadline": None, "phases": [Phase.generate], "suppress_health_check": [HealthCheck.function_scoped_fixture]}
ANALYTICS = "/api/analytics/onlyfans"


def rows_of(person: Person, books: Books, report: str, **said: Any) -> list[dict[str, str]]:
    """As CSV."""
    more = "".join(f"&{name}={value}" for name, value in said.items())
    answer = person.call("GET", f"{ANALYTICS}/export.csv?report={report}&{books.address}{more}")
    assert (answer.status_code, answer.mimetype) == (200, "text/csv"), answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def cents(rows: list[dict[str, str]], column: str = "Amount") -> int:
    """Each whole: no float is added up."""
    return sum(int(row[column].replace(".", "")) for row in rows if row[column])


@settings(max_examples=25, **SOME)
@given(drawn=business, others=business)
def test_each_figure_is_the_plain_sum_over_the_rows(ada: Person, eve: Person, drawn, others):
    """Eve has rows of the same days: none of them counts."""
    books = write_books(ada, drawn)
    write_books(eve, others)
    found = ada.get(f"{ANALYTICS}?{books.address}")
    assert found["kpis"] == books.kpis()
    assert found["previous"] == books.previous().kpis()
    assert {each["start"]: each["byKind"] for each in found["trend"]} == books.by_day()
    assert all(each["revenueCents"] == sum(each["byKind"].values()) for each in found["trend"])
    paid = {fan: sum_ for fan, sum_ in books.by_fan().items() if sum_ > 0}
    assert {each["fanId"]: each["revenueCents"] for each in found["topFans"]} == paid
    check_campaigns(books, found["campaigns"])
    with ada.app.app_context():
        overview = queries.overview(ada.account_id, Period(books.first, books.after, books.zone))
    assert overview.figures.week == books.week()
    assert {person and person.id: asdict(work) for person, work in overview.staff} == books.staff()


def check_campaigns(books: Books, found: list[dict[str, Any]]) -> None:
    of_it = {each.id for each in books.messages if each.campaign_id}
    sent = [each for each in books.went_out() if each.campaign_id]
    earned = [each.gross_cents for each in books.moved() if each.message_id in of_it]
    wanted = {"sent": len(sent), "purchased": sum(each.purchased and each.price_cents > 0 for each in sent)}
    wanted |= {"campaignId": books.campaign_id, "name": "All", "revenueCents": sum(earned)}
    assert found == ([wanted] if sent or earned else [])


@settings(max_examples=12, **SOME)
@given(drawn=business, others=business)
def test_the_rows_of_each_figure_add_up_to_it(ada: Person, eve: Person, drawn, others):
    books = write_books(ada, drawn)
    write_books(eve, others)
    found = ada.get(f"{ANALYTICS}?{books.address}")
    check_rows(ada, books, found["kpis"])
    check_rows(ada, books.previous(), found["previous"])


def check_rows(ada: Person, books: Books, kpis: dict[str, Any]) -> None:
    payments = rows_of(ada, books, "transactions")
    assert len(payments) == len(books.moved())
    assert cents(payments) == (kpis["revenueCents"] or 0)
    with_net = rows_of(ada, books, "transactions", which="net-known")
    assert cents(with_net, "Net") == (kpis["netCents"] or 0)
    assert len(with_net) + len(rows_of(ada, books, "transactions", which="net-unknown")) == len(payments)

    for which, wanted in (("new", "newFans"), ("active", "activeFans")):
        assert len(rows_of(ada, books, "fans", which=which)) == kpis[wanted]
    everyone = rows_of(ada, books, "fans")
    assert sum(row["New"] == "yes" for row in everyone) == kpis["newFans"]
    assert sum(row["Active"] == "yes" for row in everyone) == kpis["activeFans"]
    paying = rows_of(ada, books, "fans", which="paying")
    average = round(cents(paying) / len(paying)) if paying else None
    assert average == kpis["averagePerPayingFanCents"]

    check_messages(ada, books, kpis)


@settings(max_examples=8, **SOME)
@given(drawn=business)
def test_the_messages_of_each_hour_of_the_week_are_its_rows(ada: Person, drawn):
    books = write_books(ada, drawn)
    for weekday, hours in enumerate(books.week(), 1):
        for hour, number in enumerate(hours):
            if number or hour in (1, 2, 3):  # where the clocks change
                found = rows_of(ada, books, "messages", which="in", hour=f"{weekday}-{hour:02}")
                assert len(found) == number, (weekday, hour)


def check_messages(ada: Person, books: Books, kpis: dict[str, Any]) -> None:
    whole = rows_of(ada, books, "messages")
    assert sum(row["Direction"] == "in" for row in whole) == kpis["messagesIn"]
    assert sum(row["Direction"] == "out" for row in whole) == kpis["messagesOut"]
    assert sum(row["Began To Wait"] == "yes" for row in whole) == len(books.waits())
    assert len(rows_of(ada, books, "messages", which="sold")) == kpis["paidMessagesSold"]
    offered = rows_of(ada, books, "messages", which="offered")
    assert [row["Bought"] for row in offered].count("yes") == kpis["paidMessagesSold"]
    waits = {int(row["Message ID"]): bool(row["Answered"]) for row in rows_of(ada, books, "messages", which="waits")}
    assert waits == {message.id: answered is not None for message, answered in books.waits()}
    answered = rows_of(ada, books, "messages", which="answered")
    assert len(answered) == sum(waits.values())
    assert kpis["answerRate"] == (len(answered) / len(waits) if waits else None)
    lasted = [datetime.fromisoformat(row["Answered"]) - datetime.fromisoformat(row["Date"]) for row in answered]
    seconds = [max(0.0, each.total_seconds()) for each in lasted]
    assert kpis["medianAnswerSeconds"] == (round(median(seconds)) if seconds else None)
