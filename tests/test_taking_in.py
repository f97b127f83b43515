"""What was written or deleted on the platform itself, and what was said while nobody listened, stands in the thread, once."""

import time
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from app.conversations import catching_up, queries, read_back
from app.conversations.models import Message, MessageStatus
from app.database import db, utcnow, write
from app.platforms.models import Connection, StoredEvent
from tests.events import FAN, Platform, said
from tests.people import Person, add_fan, connect
from tests.sending import drain


@pytest.fixture
def connection(ada: Person, sandbox) -> int:
    return connect(ada, sandbox.url, account=f"acct_in_{time.time_ns()}")  # the sandbox remembers chats


@pytest.fixture
def platform(ada: Person, connection: int) -> Platform:
    return Platform(ada, connection)


@pytest.fixture
def account(app, connection: int) -> str:
    """The creator's, on the platform."""
    with app.app_context():
        return db.session.get_one(Connection, connection).external_account


def written(text: str, message_id: int) -> dict:
    return said(text, message_id) | {"toUser": FAN, "fromUser": {"id": 1}}


def thread_of(ada: Person, fan: dict) -> list[tuple[str, str]]:
    conversation = ada.post("/api/crm/conversations", {"fanId": fan["id"]}, 200)["id"]
    messages = ada.get(f"/api/crm/conversations/{conversation}/messages")["messages"]
    return [(each["direction"], each["text"]) for each in messages]


def catch_up(ada: Person, connection: int) -> None:
    with ada.app.app_context():
        catching_up.catch_up(connection)


def test_what_the_creator_writes_on_the_platform_stands_in_the_thread_and_answers_the_fan(ada: Person, platform):
    fan = add_fan(ada, 1)
    platform.tell("messages.received", said("Hello?", 11), "evt_1")
    for key in ("evt_2", "evt_3"):
        platform.tell("messages.sent", written("<p>By hand, there</p>", 12), key)
    assert thread_of(ada, fan) == [("in", "Hello?"), ("out", "By hand, there")]
    conversation = ada.get("/api/crm/conversations")["conversations"][0]
    assert conversation["lastMessage"]["status"] == "delivered"
    with ada.app.app_context():
        assert queries.find_conversation(ada.account_id, conversation["id"]).waiting_since is None
    assert "On the platform" in ada.browser().get(f"/messages/onlyfans/{conversation['id']}").text


def test_it_stops_a_reply_whose_writer_has_not_seen_it(ada: Person, platform):
    add_fan(ada, 1)
    platform.tell("messages.received", said("Hello?", 11), "evt_1")
    conversation = ada.get("/api/crm/conversations")["conversations"][0]
    browser, path = ada.browser(), f"/messages/onlyfans/{conversation['id']}"
    page = browser.get(path).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    platform.tell("messages.sent", written("By hand", 12), "evt_2")
    seen = str(conversation["lastMessage"]["id"])
    form = {"csrf_token": token, "text": "Mine", "seen": seen, "client_message_id": "k", "mode": "reply"}
    answer = browser.post(path, data=form, headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert "By hand" in answer.text


def test_a_message_of_ours_that_the_platform_tells_of_first_is_one_message(app, ada: Person, platform):
    fan = add_fan(ada, 1)
    ours = ada.post("/api/onlyfans/messages/send", {"recipientId": fan["id"], "content": "Ours"}, 202)["messageId"]
    with app.app_context(), write():
        db.session.execute(update(Message).where(Message.id == ours).values(status=MessageStatus.SENDING))
    platform.tell("messages.sent", written("<p>Ours</p>", 21))
    with app.app_context():
        assert db.session.scalar(select(StoredEvent.handled_at)) is None, "it waits until that is known"
        assert db.session.scalar(select(Message.platform_message_id)) is None
        with write():
            known = {"status": MessageStatus.SENT, "platform_message_id": "21"}
            db.session.execute(update(Message).where(Message.id == ours).values(**known))
    platform.work()
    assert thread_of(ada, fan) == [("out", "Ours")]
    assert ada.get(f"/api/onlyfans/messages/{ours}")["status"] == "delivered"


def settle_as_arrived(app, ada: Person, fan: dict, *texts: str) -> list[int]:
    """Messages that were left in doubt, and of which a person says that they arrived."""
    send = "/api/onlyfans/messages/send"
    ids = [ada.post(send, {"recipientId": fan["id"], "content": text}, 202)["messageId"] for text in texts]
    with app.app_context(), write():
        db.session.execute(update(Message).where(Message.id.in_(ids)).values(status=MessageStatus.UNKNOWN, tries=1))
    for message in ids:
        ada.post(f"/api/onlyfans/messages/{message}/settle", {"outcome": "sent"}, 200)
    return ids


def test_a_message_that_a_person_said_had_arrived_stands_once_when_the_platform_tells_of_it(app, ada, platform):
    fan = add_fan(ada, 1)
    (ours,) = settle_as_arrived(app, ada, fan, "See you tonight")
    for key in ("evt_1", "evt_2"):
        platform.tell("messages.sent", written("See you tonight", 21) | {"createdAt": utcnow().isoformat()}, key)
    assert thread_of(ada, fan) == [("out", "See you tonight")]
    message = ada.get(f"/api/onlyfans/messages/{ours}")
    assert (message["status"], message["platformMessageId"]) == ("delivered", "21")


def test_what_a_person_said_had_arrived_is_not_written_again_from_the_chats(app, ada, connection, sandbox, account):
    fan = add_fan(ada, 1)
    settle_as_arrived(app, ada, fan, "See you tonight")
    sandbox.fan("write", fan["platformFanId"], account=account, text="See you tonight")
    for _ in range(2):
        catch_up(ada, connection)
    assert thread_of(ada, fan) == [("out", "See you tonight")]


def test_of_two_alike_that_a_person_said_had_arrived_each_is_told_of_by_itself(app, ada: Person, platform):
    fan = add_fan(ada, 1)
    ours = settle_as_arrived(app, ada, fan, "Hi", "Hi")
    for number in (21, 22, 23):
        now = utcnow().isoformat()
        platform.tell("messages.sent", written("Hi", number) | {"createdAt": now}, f"evt_{number}")
    told = [ada.get(f"/api/onlyfans/messages/{each}")["platformMessageId"] for each in ours]
    assert told == ["21", "22"]
    assert thread_of(ada, fan) == [("out", "Hi")] * 3, "the third was written there"


@pytest.mark.parametrize(
    "other", [{"createdAt": "2026-01-01T12:00:00Z"}, {"price": 7, "media": [{"id": 1}]}, {"text": "Hi!"}]
)
def test_another_message_is_not_taken_for_what_a_person_said_had_arrived(app, ada: Person, platform, other):
    fan = add_fan(ada, 1)
    (ours,) = settle_as_arrived(app, ada, fan, "Hi")
    platform.tell("messages.sent", written("Hi", 21) | {"createdAt": utcnow().isoformat()} | other)
    assert ada.get(f"/api/onlyfans/messages/{ours}")["platformMessageId"] is None
    assert len(thread_of(ada, fan)) == 2


def test_a_copy_that_came_in_other_words_gives_way_to_the_message_itself(app, ada: Person, platform, sandbox, account):
    fan = add_fan(ada, 1)
    ours = ada.post("/api/onlyfans/messages/send", {"recipientId": fan["id"], "content": "Ours"}, 202)["messageId"]
    next_id = sandbox.fan("say", fan["platformFanId"], account=account, text="x")["message"]["id"] + 1
    platform.tell("messages.sent", written("OURS, AS THEY PUT IT", next_id))
    drain(app)
    message = ada.get(f"/api/onlyfans/messages/{ours}")
    assert (message["status"], message["platformMessageId"]) == ("sent", str(next_id))
    assert [text for _, text in thread_of(ada, fan)] == ["Ours"]


def test_what_is_deleted_there_stays_and_says_so(ada: Person, platform):
    fan = add_fan(ada, 1)
    platform.tell("messages.received", said("Regretted", 31), "evt_1")
    for key in ("evt_2", "evt_3"):
        platform.tell("messages.deleted", 31, key)
    platform.tell("messages.deleted", 99, "evt_4")
    assert thread_of(ada, fan) == [("in", "Regretted")]
    conversation = ada.get("/api/crm/conversations")["conversations"][0]["id"]
    page = ada.browser().get(f"/messages/onlyfans/{conversation}").text
    assert page.count("Deleted there") == 1


@pytest.mark.parametrize("payload", [None, "x", {"id": 3}, []])
def test_a_deletion_that_names_no_message_is_kept_with_its_fault(app, platform, payload):
    platform.tell("messages.deleted", payload)
    with app.app_context():
        assert db.session.scalar(select(StoredEvent)).fault


def test_what_was_said_while_nobody_listened_is_read_from_the_chats(app, ada, connection, sandbox, account):
    fan, other = add_fan(ada, 1), add_fan(ada, 2)
    for number in range(250):
        sandbox.fan("say", fan["platformFanId"], account=account, text=f"word {number}")
    sandbox.fan("write", other["platformFanId"], account=account, text="By hand")
    sandbox.fan("say", "100000777", account=account, text="A stranger")
    for _ in range(2):
        catch_up(ada, connection)
    assert [text for _, text in thread_of(ada, fan)][:100] == [f"word {number}" for number in range(100)]
    conversations = ada.get("/api/crm/conversations")["conversations"]
    assert sorted(each["unreadCount"] for each in conversations) == [0, 1, 250]
    assert ada.get("/api/crm/messages")["total"] == 252
    assert thread_of(ada, other) == [("out", "By hand")]


def test_the_chats_to_be_read_back_are_chosen_once_a_look(app, ada: Person, connection: int):
    """To choose them, all that was sent in days is gone through."""
    chosen: list[str] = []

    def note(_connection, _cursor, statement: str, *_) -> None:
        if "random()" in statement:
            chosen.append(statement)

    fan = add_fan(ada, 1)
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        try:
            read_back.read_back(connection)
            assert chosen == [], "nothing was sent"
            ada.post("/api/onlyfans/messages/send", {"recipientId": fan["id"], "content": "Hello"}, 202)
            drain(app)
            read_back.read_back(connection)
        finally:
            event.remove(db.engine, "before_cursor_execute", note)
    assert len(chosen) == 1
    assert ada.get("/api/crm/messages")["messages"][0]["status"] == "delivered"


def test_only_what_is_new_since_then_is_read_and_what_failed_is_read_again(app, ada, connection, sandbox, account):
    fan = add_fan(ada, 1)
    sandbox.fan("say", fan["platformFanId"], account=account, text="Long ago")
    with app.app_context(), write():
        later = utcnow() + catching_up.CLOCK_DIFFERENCE + timedelta(seconds=5)
        db.session.execute(update(Connection).values(heard_until=later))
    catch_up(ada, connection)
    assert ada.get("/api/crm/messages")["total"] == 0
    with app.app_context():
        assert connection not in catching_up.connections_due()
        with write():
            db.session.execute(update(Connection).values(heard_until=None, last_caught_up_at=None))
        assert connection in catching_up.connections_due()
        with write():
            db.session.execute(update(Connection).values(base_url="http://127.0.0.1:9"))
    catch_up(ada, connection)
    with app.app_context():
        assert db.session.scalar(select(Connection.heard_until)) is None
        with write():
            db.session.execute(update(Connection).values(base_url=sandbox.url))
    catch_up(ada, connection)
    assert thread_of(ada, fan) == [("in", "Long ago")]
