"""What a campaign earned: each number against one reckoned by hand."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.campaigns import queries, results
from app.campaigns.draws import HELD_BACK, OF, WORDING, lot
from app.campaigns.models import Campaign
from app.conversations.models import Message
from app.database import db, utcnow, write
from app.fans.models import Fan
from app.money.actions import record_transaction
from app.money.models import Transaction
from tests.campaigns.composer import key_of, launch, ledger, post, press, send_all
from tests.people import Person, add_fan


def add_fans(ada: Person, count: int) -> list[int]:
    with ada.app.app_context(), write() as session:
        fans = [
            Fan(account_id=ada.account_id, name=f"F{n}", platform_fan_id=str(100_000_001 + n), value_cents=n)
            for n in range(count)
        ]
        session.add_all(fans)
        session.flush()
        return [fan.id for fan in fans]


def pay(ada: Person, fan_id: int, cents: int, *, message_id: int | None = None, days: float = 0) -> None:
    with ada.app.app_context(), write():
        fan, at = db.session.get_one(Fan, fan_id), utcnow() + timedelta(days=days)
        name = f"t{fan_id}-{cents}-{days}"
        record_transaction(
            fan, transaction_id=name, kind="tip", gross_cents=cents, net_cents=None, at=at, message_id=message_id
        )


def compare(ada: Person, campaign_id: int) -> results.Comparison:
    with ada.app.app_context():
        campaign = db.session.get_one(Campaign, campaign_id)
        found = results.comparison_of(campaign, queries.metrics_of([campaign])[campaign_id].last_outcome_at)
        assert found
        return found


def lots(ada: Person, campaign_id: int, what: int) -> dict[int, int]:
    with ada.app.app_context():
        return dict(db.session.execute(select(Fan.id, lot(campaign_id, Fan.id, what))).all())


def test_lots_are_even_stable_and_tell_nothing_of_each_other(ada: Person):
    add_fans(ada, 3_000)
    first, second, other = lots(ada, 1, HELD_BACK), lots(ada, 2, HELD_BACK), lots(ada, 1, WORDING)
    assert first == lots(ada, 1, HELD_BACK)
    assert all(0 <= each < OF for each in first.values())
    share = OF // 5
    for drawn in (first, second, other):
        assert 500 < sum(each < share for each in drawn.values()) < 700, "a fifth of 3,000, within 5 standard errors"
    for drawn in (second, other):
        both = sum(first[fan] < share and drawn[fan] < share for fan in first)
        assert 65 < both < 175, "a fifth of a fifth"


def test_a_share_is_held_back_of_those_who_would_get_it(browser: FlaskClient, ada: Person):
    fans = add_fans(ada, 200)
    ada.put(f"/api/crm/fans/{fans[0]}", {"doNotMessage": True})
    campaign = launch(browser, ada, audience="all", holdout_percent="20")
    found = ledger(ada, campaign)
    assert found[fans[0]] == ("skipped", "do_not_message")
    held_back = [fan for fan, line in found.items() if line == ("skipped", "held_out")]
    assert 15 < len(held_back) < 70
    assert {found[fan] for fan in fans[1:] if fan not in held_back} == {("queued", None)}


def test_where_the_lots_held_nobody_back_it_is_said_before_and_nothing_is_compared(browser: FlaskClient, ada: Person):
    add_fans(ada, 1)
    words = "1 % of 1 fan may be nobody: then there is nothing to compare."
    assert words not in browser.get("/campaigns/new").text
    kept = "Left out"
    while "Left out" in kept:  # until the lot, which is one in a hundred, does not fall on the fan
        key = key_of(browser.get("/campaigns/new").text)
        kept = post(browser, "/campaigns/outlook", key=key, audience="all", holdout_percent="1").text
    assert words in kept
    campaign = launch(browser, ada, key=key, audience="all", holdout_percent="1")
    send_all(ada)
    page = browser.get(f"/campaigns/{campaign}").text
    assert "; 0 fans were held back, by lots of 1 %" in page
    assert "Against the fans held back" not in page


def test_the_comparison_is_the_sums_of_both_groups(browser: FlaskClient, ada: Person):
    add_fans(ada, 60)
    campaign = launch(browser, ada, audience="all", holdout_percent="50")
    send_all(ada)
    found = ledger(ada, campaign)
    messaged = [fan for fan, line in found.items() if line[0] == "sent"]
    held_back = [fan for fan, line in found.items() if line[1] == "held_out"]
    pay(ada, messaged[0], 1000)
    pay(ada, messaged[0], 500)
    pay(ada, messaged[1], 300)
    pay(ada, held_back[0], 200)
    pay(ada, messaged[2], 9_999, days=-1)  # before it began
    pay(ada, messaged[2], 9_998, days=8)  # long after it
    comparison = compare(ada, campaign)
    last = max(rank for rank, fan in enumerate(found) if fan in messaged)
    among = [fan for rank, fan in enumerate(found) if rank <= last]
    assert comparison.messaged == results.Group(len(messaged), 2, 1800.0, 1500.0**2 + 300.0**2)
    assert comparison.held_back.fans == sum(fan in held_back for fan in among)
    assert comparison.held_back.total == (200.0 if held_back[0] in among else 0.0)
    assert not comparison.is_ready
    assert "Too early to say" in browser.get(f"/campaigns/{campaign}").text


def test_of_a_campaign_that_was_stopped_those_count_who_had_had_their_turn(browser: FlaskClient, ada: Person):
    """The most valuable fans come first: those held back after the stop would be others than those messaged."""
    add_fans(ada, 60)
    campaign = launch(browser, ada, audience="all", holdout_percent="50")
    press(browser, campaign, "pause")
    with ada.app.app_context(), write() as session:
        first = session.scalars(select(Message).order_by(Message.id).limit(3)).all()
        for message in first:
            message.status = "sent"
        last = first[-1].fan_id
    press(browser, campaign, "cancel")
    order = list(ledger(ada, campaign))
    before = order[: order.index(last) + 1]
    comparison = compare(ada, campaign)
    assert comparison.messaged.fans == 3
    assert comparison.held_back.fans == len(before) - 3


@pytest.mark.parametrize("paying", [1, 4])
def test_wordings_are_compared_by_what_a_recipient_brought(browser: FlaskClient, ada: Person, paying: int):
    add_fans(ada, 20)
    campaign = launch(browser, ada, audience="all", text="One", **{"wordings-0": "Two"})
    send_all(ada)
    with ada.app.app_context():
        rows = db.session.execute(select(Message.id, Message.fan_id).where(Message.text == "Two")).all()
    for message_id, fan_id in rows[:paying]:
        pay(ada, fan_id, 500, message_id=message_id)
    with ada.app.app_context():
        one, two = results.wordings_of(db.session.get_one(Campaign, campaign))
    assert (one.sent + two.sent, two.sent) == (20, len(rows))
    assert (one.revenue_cents, two.revenue_cents) == (0, 500 * min(paying, len(rows)))
    assert revenue(ada, campaign) == 500 * min(paying, len(rows))
    assert two.cents_per_recipient == pytest.approx(500 * min(paying, len(rows)) / len(rows))


def revenue(ada: Person, campaign_id: int) -> int:
    with ada.app.app_context():
        campaign = db.session.get_one(Campaign, campaign_id)
        return queries.metrics_of([campaign])[campaign_id].revenue_cents


def test_what_was_paid_in_other_currencies_earned_nothing(browser: FlaskClient, ada: Person):
    add_fans(ada, 20)
    campaign = launch(browser, ada, audience="all", text="One", **{"wordings-0": "Two", "holdout_percent": "50"})
    send_all(ada)
    with ada.app.app_context():
        message_id, fan_id = db.session.execute(select(Message.id, Message.fan_id).limit(1)).one()
    pay(ada, fan_id, 500, message_id=message_id)
    pay(ada, fan_id, 700, message_id=message_id)
    with ada.app.app_context(), write() as session:
        session.execute(update(Transaction).where(Transaction.gross_cents == 700).values(currency="EUR"))
    assert revenue(ada, campaign) == 500
    assert compare(ada, campaign).messaged.total == 500.0
    with ada.app.app_context():
        wordings = results.wordings_of(db.session.get_one(Campaign, campaign))
    assert sum(each.revenue_cents for each in wordings) == 500


def test_without_other_wordings_or_a_share_held_back_nothing_is_compared(browser: FlaskClient, ada: Person):
    add_fan(ada, 1)
    campaign = launch(browser, ada, audience="all")
    page = browser.get(f"/campaigns/{campaign}").text
    assert "Wordings" not in page
    assert "held back" not in page
