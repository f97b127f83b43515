"""The fan list of the platform: fetched when one connects, again each hour, and again where it was broken off."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.database import db, utcnow, write
from app.fans import sync
from app.fans.models import Fan
from app.platforms.models import Connection
from tests.people import Person, connect
from tests.servers import Sandbox

NOBODY_THERE = "http://127.0.0.1:9"


@pytest.fixture
def connection(app, ada: Person, sandbox: Sandbox) -> int:
    connection_id = connect(ada, sandbox.url)
    with app.app_context():
        sync.sync_all(connection_id)
    return connection_id


def change(**values) -> None:
    with write() as session:
        session.execute(update(Connection).values(**values))


def fans() -> int:
    return db.session.scalar(select(func.count()).select_from(Fan)) or 0


def test_it_is_fetched_again_an_hour_later(app, connection: int):
    with app.app_context():
        assert sync.connections_due() == []
        known = fans()
        with write() as session:
            session.execute(db.delete(Fan))
        sync.sync_fans(connection)
        assert fans() == 0, "nobody asked for it, and it is not time"
        change(last_synced_at=utcnow() - sync.SYNC_EVERY - timedelta(seconds=1))
        assert sync.connections_due() == [connection]
        while sync.connections_due() or db.session.get_one(Connection, connection).sync_offset is not None:
            sync.sync_fans(connection)
        assert fans() == known
        assert sync.connections_due() == []


@pytest.mark.parametrize("began", [None, 20])
def test_a_platform_that_does_not_answer_is_left_in_peace_for_a_while(app, connection: int, sandbox, began: int | None):
    with app.app_context():
        long_ago = utcnow() - sync.SYNC_EVERY - timedelta(seconds=1)
        change(last_synced_at=long_ago, sync_moved_at=long_ago, sync_offset=began, base_url=NOBODY_THERE)
        assert sync.connections_due() == [connection]
        sync.sync_fans(connection)
        assert sync.connections_due() == []
        change(sync_moved_at=utcnow() - sync.STALLED_AFTER - timedelta(seconds=1), base_url=sandbox.url)
        assert sync.connections_due() == [connection]
