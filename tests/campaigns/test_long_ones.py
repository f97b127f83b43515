"""Steering a campaign of many messages: set by set, the books right in between, and whoever dies is followed by another."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app import sweep
from app.background import queue_lengths
from app.campaigns import actions, cancelling, preparing
from app.conversations.models import Message
from app.database import db, write
from app.errors import Conflict
from tests.campaigns.composer import counts, launch, press, shown, sweep_once
from tests.people import Person, add_fan
from tests.sending import drain
from tests.servers import Sandbox

FANS = 8


@pytest.fixture
def campaign(browser: FlaskClient, ada: Person, monkeypatch: pytest.MonkeyPatch) -> int:
    """To eight fans; messages are changed three at a time."""
    for number in range(1, FANS + 1):
        add_fan(ada, number)
    campaign = launch(browser, ada, audience="all")
    for module in (actions, cancelling, preparing):
        monkeypatch.setattr(module, "AT_ONCE", 3)
    return campaign


def become(ada: Person, status: str) -> None:
    with ada.app.app_context(), write() as session:
        session.execute(update(Message).values(status=status))


def dies_after_a_set(ada: Person, monkeypatch: pytest.MonkeyPatch, verb: str, campaign: int) -> None:
    def die(_seconds: float) -> None:
        raise KeyboardInterrupt

    with ada.app.app_context(), monkeypatch.context() as patch:
        patch.setattr("time.sleep", die)
        with pytest.raises(KeyboardInterrupt):
            actions.retry_failed(ada.account_id, campaign) if verb == "retry" else cancelling.cancel_waiting(campaign)


def test_a_cancelled_one_sends_nothing_more_and_is_worked_off_set_by_set(browser, ada: Person, campaign: int):
    press(browser, campaign, "cancel")
    assert shown(ada, campaign)["status"] == "cancelled"
    assert counts(ada, campaign) == {"cancelled": 3, "queued": 5}
    drain(ada.app)
    assert counts(ada, campaign) == {"cancelled": 3, "queued": 5}
    with ada.app.app_context():
        cancelling.cancel_waiting(campaign)
        assert cancelling.unfinished() == []
    assert counts(ada, campaign) == {"cancelled": FANS}


def test_who_dies_in_it_is_followed_by_another(browser, ada: Person, campaign: int, monkeypatch):
    other = launch(browser, ada, audience="all")
    press(browser, campaign, "cancel")
    dies_after_a_set(ada, monkeypatch, "cancel", campaign)
    assert counts(ada, campaign) == {"cancelled": 6, "queued": 2}
    with ada.app.app_context():
        assert cancelling.unfinished() == [campaign]
        sweep.ring_again(("links",))
        assert queue_lengths()["links"] > 0
    sweep_once(ada)
    assert counts(ada, campaign) == {"cancelled": FANS}
    assert counts(ada, other) == {"queued": FANS}


def test_of_those_whose_message_is_still_to_be_made_none_is_made(browser, ada: Person, campaign: int):
    other = launch(browser, ada, audience="all")
    press(browser, other, "cancel")
    sets = counts(ada, other)
    assert sets == {"skipped": 3, "queued": 5}
    sweep_once(ada)
    assert counts(ada, other) == {"skipped": FANS}
    assert counts(ada, campaign) == {"queued": FANS}


def test_all_that_failed_is_queued_again_each_once_under_a_key_of_its_own(browser, ada: Person, campaign: int):
    become(ada, "failed")
    with ada.app.app_context():
        before = set(db.session.scalars(select(Message.idempotency_key)))
    press(browser, campaign, "retry-failed")
    assert counts(ada, campaign) == {"queued": FANS}
    with ada.app.app_context():
        keys = set(db.session.scalars(select(Message.idempotency_key)))
    assert len(keys) == FANS
    assert not keys & before


def test_who_dies_while_retrying_leaves_the_rest_failed(
    browser, ada: Person, connected: Sandbox, campaign, monkeypatch
):
    become(ada, "failed")
    dies_after_a_set(ada, monkeypatch, "retry", campaign)
    assert counts(ada, campaign) == {"queued": 3, "failed": 5}
    press(browser, campaign, "retry-failed")
    assert counts(ada, campaign) == {"queued": FANS}
    drain(ada.app)
    assert counts(ada, campaign) == {"sent": FANS}
    assert len(connected.sends()) == FANS


@pytest.mark.parametrize(("arrived", "status"), [(True, "sent"), (False, "failed")])
def test_all_that_is_unknown_is_settled(ada: Person, campaign: int, arrived: bool, status: str):
    become(ada, "unknown")
    with ada.app.app_context():
        actions.settle_unknown(ada.account_id, campaign, arrived=arrived)
        assert counts(ada, campaign) == {status: FANS}
        with pytest.raises(Conflict):
            actions.settle_unknown(ada.account_id, campaign, arrived=arrived)
