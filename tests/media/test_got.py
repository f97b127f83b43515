"""Which of the account's media a fan has got or bought."""

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, select, update

from app import create_app
from app.conversations.carried import got_by
from app.conversations.models import Message, MessageMedium
from app.database import db, execute, write
from tests import servers
from tests.events import Platform
from tests.media.conftest import PNG, upload
from tests.people import Person, add_fan, connect, make_person
from tests.sending import drain
from tests.test_query_counts import count_queries


@pytest.fixture
def connection(ada: Person, sandbox) -> int:
    return connect(ada, sandbox.url, account="acct_got")


def got(ada: Person, fan: dict, *media: str):
    with ada.app.app_context():
        return got_by(ada.account_id, fan["id"], media)


def send(ada: Person, fan: dict, *media: str, price: int = 0, previews: tuple[str, ...] = ()) -> dict:
    thread = ada.call("POST", "/api/crm/conversations", json={"fanId": fan["id"]}).get_json()["id"]
    attachments = [{"url": each} | ({"preview": True} if each in previews else {}) for each in media]
    body = {"text": "x", "priceCents": price, "attachments": attachments}
    return ada.post(f"/api/crm/conversations/{thread}/messages", body, 202)


def test_what_was_sent_is_known_by_fan_and_medium(ada: Person, connection: int):
    one, other = add_fan(ada, 1), add_fan(ada, 2)
    first, second = upload(ada)["url"], upload(ada, PNG + b"2")["url"]
    message = send(ada, one, first, "platform:abc", "https://example.com/a.png", first)
    known = got(ada, one, first, second, "platform:abc", "https://example.com/a.png")
    assert set(known) == {first, "platform:abc"}
    assert known[first].at.isoformat()[:19] == message["createdAt"][:19]
    assert (known[first].bought_cents, known[first].was_open) == (None, True)
    assert got(ada, other, first, second, "platform:abc") == {}


def test_a_purchase_makes_it_bought(app, ada: Person, connection: int):
    fan, medium, shown = add_fan(ada), upload(ada)["url"], upload(ada, PNG + b"2")["url"]
    message = send(ada, fan, medium, shown, price=2000, previews=(shown,))
    assert (got(ada, fan, medium)[medium].was_open, got(ada, fan, shown)[shown].was_open) == (False, True)
    drain(app)
    platform_id = ada.get(f"/api/onlyfans/messages/{message['id']}")["platformMessageId"]
    bought = {
        "id": "t1", "user": {"id": 100000001, "username": "fan1"}, "createdAt": "2026-11-01T12:00:00+00:00",
        "replacePairs": {"{AMOUNT}": "$20.00", "{MESSAGE_LINK}": f"https://x/?firstId={platform_id}"},
    }  # fmt: skip
    Platform(ada, connection).tell("messages.ppv.unlocked", bought)
    assert got(ada, fan, medium)[medium].bought_cents == 2000
    send(ada, fan, medium)
    again = got(ada, fan, medium)[medium]
    assert (again.bought_cents, again.was_open) == (2000, True)


def test_what_failed_or_was_cancelled_never_came(app, ada: Person, sandbox, connection: int):
    fan, medium = add_fan(ada), upload(ada)["url"]
    sandbox.faults(refuse=1.0)
    message = send(ada, fan, medium)
    assert set(got(ada, fan, medium)) == {medium}
    drain(app)
    assert got(ada, fan, medium) == {}
    sandbox.faults()
    ada.post(f"/api/onlyfans/messages/{message['id']}/retry", status=202)
    assert set(got(ada, fan, medium)) == {medium}
    bulk = {"recipientIds": [add_fan(ada, 2)["id"]], "content": "x", "mediaUrls": [medium]}
    campaign = ada.post("/api/messages/bulk", bulk, 202)["campaignId"]
    ada.post(f"/api/campaigns/{campaign}/cancel", status=200)
    assert got(ada, {"id": bulk["recipientIds"][0]}, medium) == {}


def test_a_campaign_is_noted_for_all_its_fans_at_once(app, ada: Person, connection: int):
    fans = [add_fan(ada, number) for number in range(1, 6)]
    ada.put(f"/api/crm/fans/{fans[4]['id']}", {"doNotMessage": True})
    media = [upload(ada)["url"], "platform:abc"]
    bulk = {"recipientIds": [each["id"] for each in fans], "content": "x", "mediaUrls": media, "priceCents": 500}
    ada.post("/api/messages/bulk", bulk, 202)
    assert [set(got(ada, fan, *media)) for fan in fans] == [set(media)] * 4 + [set()]
    with app.app_context():
        assert db.session.scalar(select(func.count()).select_from(MessageMedium)) == 8


def test_it_goes_with_the_fan(app, ada: Person, connection: int):
    fan, medium = add_fan(ada), upload(ada)["url"]
    send(ada, fan, medium)
    ada.post("/api/messages/bulk", {"recipientIds": [fan["id"]], "content": "x", "mediaUrls": [medium]}, 202)
    assert ada.call("DELETE", f"/api/crm/fans/{fan['id']}").status_code == 204
    with app.app_context():
        assert db.session.scalars(select(MessageMedium.medium)).all() == []
        assert db.session.scalar(select(func.count()).select_from(Message)) == 1


def test_a_page_of_media_asks_once_for_all_of_them(app, ada: Person, connection: int):
    fan = add_fan(ada)
    thread = send(ada, fan, upload(ada)["url"])["conversationId"]
    browser, page = ada.browser(), f"/messages/onlyfans/{thread}/media"
    few = count_queries(app, ada, browser, page)
    for number in range(10):
        send(ada, fan, upload(ada, PNG + bytes([number]))["url"])
    assert count_queries(app, ada, browser, page) == few


def test_an_index_answers_what_a_fan_has_got(app, ada: Person):
    with app.app_context():
        seen = explained(
            "SELECT * FROM message_media WHERE account_id = 1 AND fan_id = 2 AND medium IN ('/media/1', 'x')"
        )
    assert "ix_message_media_account_id_medium_fan_id" in seen


def explained(statement: str) -> str:
    if db.engine.dialect.name == "sqlite":
        return str(db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all())
    with db.engine.connect() as connection:  # of an empty table, each index is as good as the other
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(
            "INSERT INTO message_media (message_id, medium, account_id, fan_id, is_preview)"
            " SELECT n, '/media/' || mod(n, 500), 1, n / 500, false FROM generate_series(1, 20000) n"
        )
        connection.exec_driver_sql("ANALYZE message_media")
        found = str(connection.exec_driver_sql(f"EXPLAIN {statement}").all())
        connection.rollback()
        return found


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_messages_of_before_are_noted_by_the_migration(request, valkey_url, tmp_path, kind: str):
    url = f"sqlite:///{tmp_path}/before.sqlite"
    if kind == "postgres":
        url = servers.make_database(request.getfixturevalue("postgres_url"), "greenroom_before")
    settings = {
        "TESTING": True, "SECRET_KEY": "a secret for tests, thirty-two characters long", "INSTANCE": tmp_path,
        "SQLALCHEMY_DATABASE_URI": url.replace("postgresql://", "postgresql+psycopg://"), "REDIS_URL": valkey_url,
        "ARGON2": {"time_cost": 1, "memory_cost": 8, "parallelism": 1},
    }  # fmt: skip
    app = create_app(settings)
    with app.app_context():
        upgrade()
    ada = make_person(app, "ada@example.com", "Ada's account")
    connect(ada, "http://127.0.0.1:9")
    fan, medium = add_fan(ada), upload(ada, name="Été.png")["url"]
    media = [medium, "platform:abc", "https://example.com/a.png", medium]
    for _ in range(2):
        send(ada, fan, *media)
    with app.app_context(), write():
        first = select(func.min(Message.id)).scalar_subquery()
        execute(update(Message).where(Message.id == first).values(direction="in", attachments=[{"url": medium}]))
    before = got(ada, fan, *media)
    with app.app_context():
        downgrade(revision="0005")
        upgrade()
    assert got(ada, fan, *media) == before
    assert set(before) == {medium, "platform:abc"}
    assert ada.browser().get(medium).status_code == 200
    with app.app_context():
        rows = db.session.connection().exec_driver_sql("SELECT name_key, store, discard_at FROM media").all()
    assert [tuple(each) for each in rows] == [("ete.png", "folder", None)]
