"""Put off until a time of one's own: by the account's clock, refused beside its field."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.accounts.models import Account
from app.conversations import queries
from app.database import utcnow, write
from tests.events import Platform, said
from tests.people import Person, csrf_of, submit

ZONE = "Europe/Berlin"


@pytest.fixture
def thread(app, ada: Person, platform: Platform) -> int:
    platform.tell("messages.received", said())
    with app.app_context(), write() as session:
        session.get_one(Account, ada.account_id).timezone = ZONE
    return ada.get("/api/crm/conversations")["conversations"][0]["id"]


def snoozed_until(person: Person, thread: int) -> datetime | None:
    with person.app.app_context():
        return queries.find_conversation(person.account_id, thread).snoozed_until


def at(moment: datetime) -> str:
    """As a form's field has it, by the account's clock."""
    return moment.astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%dT%H:%M")


def test_until_a_time_of_ones_own_by_the_accounts_clock(ada: Person, thread: int):
    address, browser = f"/messages/onlyfans/{thread}", ada.browser()
    page = browser.get(address).text
    assert f"Until, by {ZONE}" in page
    until = (utcnow() + timedelta(days=3)).replace(hour=11, minute=20, second=0, microsecond=0)
    answer = submit(browser, f"{address}/snooze?view=unread", address, until=at(until))
    assert answer.headers["Location"] == f"{address}?view=unread"
    assert snoozed_until(ada, thread) == until


def next_gap() -> str:
    """In the night when clocks go forward next: on the last Sunday of March."""
    now = utcnow()
    years = (now.year, now.year + 1)
    last = (datetime(year, 3, 31, tzinfo=UTC) for year in years)
    sundays = [day - timedelta(days=(day.weekday() + 1) % 7) for day in last]
    return f"{next(day for day in sundays if day > now):%Y-%m-%d}T02:30"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("2020-01-01T09:00", "Choose a time to come, within a year."),
        ("2999-01-01T09:00", "Choose a time to come, within a year."),
        ("9999-12-31T23:59", "Choose a time to come, within a year."),
        ("0001-01-01T00:00", "Choose a day and a time."),
        ("soonish", "Choose a day and a time."),
        ("", "Choose a day and a time."),
        (next_gap(), "this time does not exist"),
    ],
)
def test_what_is_no_time_to_come_is_refused_beside_its_field(ada: Person, thread: int, wrong: str, words: str):
    address, browser = f"/messages/onlyfans/{thread}", ada.browser()
    answer = submit(browser, f"{address}/snooze", address, until=wrong)
    assert answer.status_code == 400
    fault = re.search(r'aria-describedby="until-error" autofocus>\s*<div [^>]*id="until-error".*', answer.text)
    assert fault is not None
    assert words in fault[0]
    assert f'name="until" value="{wrong}"' in answer.text
    assert snoozed_until(ada, thread) is None
    assert browser.get(f"{address}/snooze").headers["Location"] == address  # who comes back to its address


def test_nobody_puts_off_a_strangers(ada: Person, eve: Person, thread: int):
    form = {"csrf_token": csrf_of(eve_browser := eve.browser(), "/fans/new"), "until": at(utcnow() + timedelta(days=1))}
    assert eve_browser.post(f"/messages/onlyfans/{thread}/snooze", data=form).status_code == 404
    assert snoozed_until(ada, thread) is None
