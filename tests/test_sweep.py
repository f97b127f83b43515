"""What looks after lost wake-ups: nothing that fails, or must wait, keeps the rest from its turn."""

from datetime import timedelta

import pytest

from app import sweep
from app.database import db, utcnow, write
from app.platforms.models import Connection, StoredEvent
from tests.people import Person, connect

LOOKS = 40  # at half of them each: none is passed over by all


def test_a_step_that_fails_keeps_none_behind_it_from_its_turn(app, monkeypatch):
    done: list[str] = []

    def fail() -> None:
        db.session.execute(db.text("SELECT nothing FROM nowhere"))

    monkeypatch.setitem(sweep.STEPS, "incoming", (fail, *sweep.STEPS["incoming"], lambda: done.append("incoming")))
    monkeypatch.setitem(sweep.STEPS, "links", (*sweep.STEPS["links"], lambda: done.append("links")))
    with app.app_context(), pytest.raises(ExceptionGroup) as failed:
        sweep.ring_again(("incoming", "links"))
    assert len(failed.value.exceptions) == 1
    assert done == ["incoming", "links"]


def test_events_that_must_wait_do_not_keep_a_newer_one_from_its_turn(app, ada: Person, sandbox):
    connection_id = connect(ada, sandbox.url)
    with app.app_context():
        with write() as session:
            connection = session.get_one(Connection, connection_id)
            of = {"account_id": connection.account_id, "connection_id": connection.id, "body": {}}
            events = [StoredEvent(**of, event_key=f"evt_{number}") for number in range(2 * sweep.EVENTS_AT_ONCE)]
            for event in events:
                event.received_at = utcnow() - timedelta(minutes=1)
            session.add_all(events)
        newest = events[-1].id
        assert any(newest in sweep._unhandled_events() for _ in range(LOOKS))
