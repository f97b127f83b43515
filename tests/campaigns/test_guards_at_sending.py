"""What spares a fan between the launch and their turn, which may be days later."""

import io
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from app.accounts.models import Account
from app.conversations import sparing
from app.conversations.guards import Guards, quiet_until, without_quiet_hours
from app.database import db, utcnow, write
from app.fans.models import Fan
from tests.campaigns import files
from tests.campaigns.composer import change_thread, launch, ledger, make_due, press, send_all, shown
from tests.people import Person, add_fan
from tests.sending import drain
from tests.servers import Sandbox

NIGHT = Guards(quiet_from="22:00", quiet_to="08:00")


def two_fans(ada: Person) -> tuple[int, int]:
    fans = [add_fan(ada, number) for number in (1, 2)]
    return fans[0]["id"], fans[1]["id"]


def start_paused(browser: FlaskClient, ada: Person, **fields: str) -> int:
    """A pace's worth of time in between."""
    campaign = launch(browser, ada, audience="all", **fields)
    press(browser, campaign, "pause")
    return campaign


def go_on(browser: FlaskClient, ada: Person, campaign: int) -> dict:
    press(browser, campaign, "resume")
    send_all(ada)
    return ledger(ada, campaign)


def test_who_wrote_meanwhile_is_answered_first(browser: FlaskClient, ada: Person):
    writes, silent = two_fans(ada)
    campaign = start_paused(browser, ada, unanswered="y")
    change_thread(ada, writes, waiting_since=utcnow())
    assert go_on(browser, ada, campaign) == {writes: ("cancelled", "unanswered"), silent: ("sent", None)}
    metrics = shown(ada, campaign)["metrics"]
    assert (metrics["sent"], metrics["cancelled"], metrics["recipients"]) == (1, 1, 2)


def test_who_was_written_to_meanwhile_is_left_alone(browser: FlaskClient, ada: Person):
    written, other = two_fans(ada)
    campaign = start_paused(browser, ada, messaged_within_hours="6")
    ada.post("/api/onlyfans/messages/send", {"recipientId": written, "content": "Just you"}, 202)
    drain(ada.app)
    assert go_on(browser, ada, campaign) == {written: ("cancelled", "messaged_recently"), other: ("sent", None)}


def test_no_fan_gets_more_campaigns_in_a_week_than_was_set(browser: FlaskClient, ada: Person):
    fan, _ = two_fans(ada)
    first = launch(browser, ada, audience="all")
    send_all(ada)
    assert ledger(ada, first)[fan] == ("sent", None)
    second = start_paused(browser, ada, per_week="2")
    third = launch(browser, ada, audience="all")
    send_all(ada)
    assert ledger(ada, third)[fan] == ("sent", None)
    assert go_on(browser, ada, second)[fan] == ("cancelled", "enough_this_week")
    fourth = launch(browser, ada, audience="all", per_week="2")
    assert ledger(ada, fourth)[fan] == ("skipped", "enough_this_week")
    fifth = launch(browser, ada, audience="all", per_week="3")
    assert ledger(ada, fifth)[fan][0] == "queued"


def test_who_saw_or_bought_a_file_is_spared_it(browser: FlaskClient, ada: Person):
    saw, locked = two_fans(ada)
    file = upload(ada)
    for fan, price in ((saw, 0), (locked, 500)):
        body = {"recipientId": fan, "content": "See", "mediaUrls": [file], "priceCents": price}
        ada.post("/api/onlyfans/messages/send", body, 202)
    drain(ada.app)
    campaign = launch(browser, ada, audience="all", media=file, had_media="y")
    assert ledger(ada, campaign) == {saw: ("skipped", "had_media"), locked: ("queued", None)}


@pytest.fixture
def having(browser: FlaskClient, ada: Person) -> dict[str, int]:
    """Fans by what they have of a file by the time that a campaign is to bring it."""
    names = ("saw", "saw a preview", "bought", "has it locked", "failed", "has another")
    return {name: add_fan(ada, number)["id"] for number, name in enumerate(names, 1)}


def hand_out(ada: Person, sandbox: Sandbox, having: dict[str, int], file: str) -> None:
    files.send(ada, having["saw"], file)
    files.send(ada, having["saw a preview"], file, files.upload(ada, "more"), price_cents=500, preview=file)
    files.buy(ada, files.send(ada, having["bought"], file, price_cents=500))
    files.send(ada, having["has it locked"], file, price_cents=500)
    files.buy(ada, files.send(ada, having["has another"], files.upload(ada, "another"), price_cents=500))
    sandbox.faults(refuse=1)
    files.send(ada, having["failed"], file, becomes="failed")
    sandbox.faults()


def test_at_launch_who_saw_or_bought_the_file_is_left_out(browser, ada: Person, connected: Sandbox, having):
    file = files.upload(ada, "one")
    hand_out(ada, connected, having, file)
    campaign = launch(browser, ada, audience="all", media=file, had_media="y")
    spared = ("skipped", "had_media")
    assert by_name(ledger(ada, campaign), having) == {
        "saw": spared, "saw a preview": spared, "bought": spared,
        "has it locked": ("queued", None), "failed": ("queued", None), "has another": ("queued", None),
    }  # fmt: skip
    without = launch(browser, ada, audience="all", media=file)
    assert set(ledger(ada, without).values()) == {("queued", None)}


def test_who_saw_or_bought_the_file_meanwhile_is_spared_it(browser, ada: Person, connected: Sandbox, having):
    file = files.upload(ada, "one")
    campaign = start_paused(browser, ada, media=file, had_media="y")
    assert set(ledger(ada, campaign).values()) == {("queued", None)}
    hand_out(ada, connected, having, file)
    spared = ("cancelled", "had_media")
    assert by_name(go_on(browser, ada, campaign), having) == {
        "saw": spared, "saw a preview": spared, "bought": spared,
        "has it locked": ("sent", None), "failed": ("sent", None), "has another": ("sent", None),
    }  # fmt: skip


def by_name(found: dict[int, tuple[str, str | None]], fans: dict[str, int]) -> dict[str, tuple[str, str | None]]:
    return {name: found[fan] for name, fan in fans.items()}


def test_quiet_hours_let_one_zone_sleep_while_another_is_awake(browser: FlaskClient, ada: Person):
    zones = ("Pacific/Auckland", "America/Los_Angeles")  # 19 to 21 hours apart: never both in these six
    at = utcnow().astimezone(ZoneInfo(zones[0]))
    asleep, awake = add_fan(ada, 1), add_fan(ada, 2)
    set_zone(ada, asleep["id"], zones[0])
    set_zone(ada, awake["id"], zones[1])
    begins, ends = at - timedelta(hours=1), at + timedelta(hours=1)
    fields = {"quiet_from": f"{begins:%H:%M}", "quiet_to": f"{ends:%H:%M}"}
    campaign = launch(browser, ada, audience="all", **fields)
    send_all(ada)
    assert ledger(ada, campaign) == {asleep["id"]: ("queued", "quiet_hours"), awake["id"]: ("sent", None)}
    assert shown(ada, campaign)["status"] == "active"
    set_zone(ada, asleep["id"], zones[1])
    make_due(ada)
    send_all(ada)
    assert ledger(ada, campaign)[asleep["id"]] == ("sent", None)


def test_by_ones_own_clock_nobody_is_written_to(browser: FlaskClient, ada: Person):
    fan = add_fan(ada, 1)
    set_zone(ada, fan["id"], "Pacific/Auckland")
    at = utcnow()  # the account's zone is UTC
    fields = {"quiet_from": f"{at - timedelta(hours=1):%H:%M}", "quiet_to": f"{at + timedelta(hours=1):%H:%M}"}
    campaign = launch(browser, ada, audience="all", quiet_zone="account", **fields)
    send_all(ada)
    assert ledger(ada, campaign)[fan["id"]] == ("queued", "quiet_hours")


@pytest.mark.parametrize(
    ("ours", "theirs", "quiet_zone", "becomes"),
    [
        ("America/Los_Angeles", "Pacific/Auckland", "account", ("sent", None)),
        ("Pacific/Auckland", "America/Los_Angeles", "account", ("queued", "quiet_hours")),
        ("America/Los_Angeles", "Pacific/Auckland", "fan", ("queued", "quiet_hours")),
        ("Pacific/Auckland", "America/Los_Angeles", "fan", ("sent", None)),
        ("America/Los_Angeles", None, "fan", ("sent", None)),
        ("Pacific/Auckland", None, "fan", ("queued", "quiet_hours")),
    ],
)
def test_whose_clock_decides(
    browser: FlaskClient, ada: Person, ours: str, theirs: str | None, quiet_zone: str, becomes: tuple
):
    """It is night in Auckland; Los Angeles is awake."""
    fan = add_fan(ada, 1)["id"]
    set_zone(ada, fan, theirs)
    with ada.app.app_context(), write():
        db.session.get_one(Account, ada.account_id).timezone = ours
    at = utcnow().astimezone(ZoneInfo("Pacific/Auckland"))
    fields = {"quiet_from": f"{at - timedelta(hours=1):%H:%M}", "quiet_to": f"{at + timedelta(hours=1):%H:%M}"}
    campaign = launch(browser, ada, audience="all", quiet_zone=quiet_zone, **fields)
    send_all(ada)
    assert ledger(ada, campaign)[fan] == becomes


def test_more_are_spared_than_one_claim_looks_at(browser: FlaskClient, ada: Person, monkeypatch):
    monkeypatch.setattr(sparing, "MOST_LOOKED_AT", 2)
    fans = [add_fan(ada, number)["id"] for number in range(1, 8)]
    campaign = start_paused(browser, ada, unanswered="y")
    for fan in fans[:-1]:
        change_thread(ada, fan, waiting_since=utcnow())
    found = go_on(browser, ada, campaign)
    assert found.pop(fans[-1]) == ("sent", None)
    assert set(found.values()) == {("cancelled", "unanswered")}


def upload(ada: Person) -> str:
    picture = io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(64))
    answer = ada.call("POST", "/api/media", data={"file": (picture, "a.png")})
    assert answer.status_code == 201
    return answer.get_json()["url"]


def set_zone(ada: Person, fan_id: int, zone: str | None) -> None:
    with ada.app.app_context(), write():
        db.session.get_one(Fan, fan_id).timezone = zone


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-06-10T21:59", None),
        ("2026-06-10T22:00", "2026-06-11T08:00"),
        ("2026-06-11T07:59", "2026-06-11T08:00"),
        ("2026-06-11T08:00", None),
        ("2026-03-28T23:00", "2026-03-29T08:00"),  # clocks go forward in between: nine hours
        ("2026-10-24T23:00", "2026-10-25T08:00"),  # and back: eleven
    ],
)
def test_the_night_ends_by_the_clock_of_the_place(now: str, until: str | None):
    zone = ZoneInfo("Europe/Paris")
    found = quiet_until(NIGHT, "Europe/Paris", datetime.fromisoformat(now).replace(tzinfo=zone).astimezone(UTC))
    assert (found and f"{found.astimezone(zone):%Y-%m-%dT%H:%M}") == until


def test_quiet_hours_within_a_day():
    siesta = Guards(quiet_from="13:00", quiet_to="15:00")
    at = datetime(2026, 6, 10, 13, 30, tzinfo=UTC)
    assert quiet_until(siesta, "UTC", at) == datetime(2026, 6, 10, 15, tzinfo=UTC)
    assert quiet_until(siesta, "UTC", at.replace(hour=15)) is None


def test_the_forecast_rests_at_night():
    evening = datetime(2026, 6, 10, 21, tzinfo=UTC)
    assert without_quiet_hours(NIGHT, "UTC", evening, timedelta(minutes=59)) == evening + timedelta(minutes=59)
    assert without_quiet_hours(NIGHT, "UTC", evening, timedelta(hours=3)) == datetime(2026, 6, 11, 10, tzinfo=UTC)
    days = without_quiet_hours(NIGHT, "UTC", evening, timedelta(hours=1 + 14 + 2))
    assert days == datetime(2026, 6, 12, 10, tzinfo=UTC)
