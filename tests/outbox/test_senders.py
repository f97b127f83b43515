"""Which of a host's senders a process is, and the core that its calls keep to."""

import os
import socket
from datetime import timedelta

import pytest
from sqlalchemy import update

from app.conversations import outbox, senders
from app.conversations.models import Sender
from app.database import utcnow, write


def add_sender(**values) -> int:
    with write() as session:
        sender = Sender(host=socket.gethostname(), pid=1)
        session.add(sender)
        session.flush()
        sender_id = sender.id
        session.execute(update(Sender).where(Sender.id == sender_id).values(**({"pid": 1} | values)))
    return sender_id


@pytest.fixture
def beat(app):
    """This process says that it lives; afterwards it is forgotten."""
    with app.app_context():
        yield senders.beat
    app.extensions.pop("greenroom_sender", None)


def test_a_senders_place_is_after_the_older_ones_that_live_on_its_host(beat):
    assert senders.place_on_this_host() is None, "it is not known yet"
    add_sender()
    add_sender()
    add_sender(host="another.example")
    add_sender(stopped_at=utcnow())
    add_sender(seen_at=utcnow() - timedelta(minutes=5))
    beat()
    add_sender()
    assert senders.place_on_this_host() == 2


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux can")
def test_a_drain_keeps_to_one_core_and_gives_it_back(beat):
    before = os.sched_getaffinity(0)
    with outbox._on_one_core():
        assert os.sched_getaffinity(0) == before, "it is not known yet"
    older = add_sender(stopped_at=utcnow())
    beat()
    with outbox._on_one_core():
        first = os.sched_getaffinity(0)
    assert os.sched_getaffinity(0) == before
    with write() as session:
        session.execute(update(Sender).where(Sender.id == older).values(stopped_at=None))
    with outbox._on_one_core():
        second = os.sched_getaffinity(0)
    assert len(first) == len(second) == 1
    assert first | second <= before
    assert (first != second) == (len(before) > 1)
    with pytest.raises(RuntimeError, match="broke"), outbox._on_one_core():
        raise RuntimeError("broke")
    assert os.sched_getaffinity(0) == before
