"""Events from the platform: signed, stored, and each counted once."""

import hashlib
import hmac
import itertools

import pytest
from sqlalchemy import func, select, text, update

from app import sweep
from app.conversations import incoming, outbox, purchases
from app.conversations.models import Message, RoomEvent
from app.database import db, write
from app.fans import sync
from app.fans.models import Fan
from app.money.models import Transaction
from app.platforms.models import Connection, StoredEvent
from app.platforms.signatures import SCHEMES, is_signed
from tests.events import FAN, Platform, said
from tests.imports.conftest import Importer
from tests.people import Person, add_fan, connect


def test_a_fans_message_comes_in_as_text_and_counts_as_unread(ada: Person, platform: Platform):
    platform.tell("messages.received", said())
    conversation = ada.get("/api/crm/conversations")["conversations"][0]
    assert conversation["unreadCount"] == 1
    assert conversation["fan"]["handle"] == "@fan1"
    message = conversation["lastMessage"]
    assert (message["direction"], message["status"], message["text"]) == ("in", "received", "Hi & hello\nyou")
    assert message["platformMessageId"] == "9007199254740993"
    assert ada.call("POST", f"/api/crm/conversations/{conversation['id']}/read").status_code == 204
    assert ada.get("/api/crm/conversations?unread=true")["total"] == 0


def test_a_repeated_event_and_the_same_message_under_a_new_one_change_nothing(ada: Person, platform: Platform):
    for key in ("evt_1", "evt_1", "evt_2"):
        platform.tell("messages.received", said(), key)
    assert ada.get("/api/crm/messages")["total"] == 1
    assert ada.get("/api/crm/conversations")["conversations"][0]["unreadCount"] == 1


def test_a_known_fan_is_found_by_handle_and_linked(ada: Person, platform: Platform):
    fan = ada.post("/api/crm/fans", {"handle": "FAN1", "name": "Our own name"})
    platform.tell("messages.received", said())
    assert ada.get("/api/crm/fans")["total"] == 1
    linked = ada.get(f"/api/crm/fans/{fan['id']}")
    assert (linked["platformFanId"], linked["name"]) == ("100000001", "Our own name")


def test_who_took_over_anothers_handle_is_heard_and_pays_as_themselves(ada: Person, platform: Platform):
    """The platform lets a handle move; its ids stay."""
    former = add_fan(ada, 1, platformFanId="2")
    platform.tell("messages.received", said("It is me"), "evt_1")
    tip = {"id": "77", "type": "tip", "amountGross": 12.34, "amountNet": 9.87, "user_id": 1, "user": FAN}
    platform.tell("tips.received", tip, "evt_2")
    fans = {fan["platformFanId"]: fan for fan in ada.get("/api/crm/fans")["fans"]}
    assert (fans["2"]["id"], fans["2"]["handle"], fans["2"]["valueCents"]) == (former["id"], "@fan1", 0)
    new = fans[str(FAN["id"])]
    assert (new["handle"], new["name"], new["valueCents"]) == (None, "Fan One", 1234)
    assert ada.get("/api/crm/conversations")["conversations"][0]["fanId"] == new["id"]


def test_a_handle_that_has_moved_holds_up_no_fetching_of_fans(app, ada: Person, sandbox, platform: Platform):
    def fetch() -> dict[str, Fan]:
        with app.app_context():
            sync.sync_all(db.session.scalar(select(Connection.id)))
            assert db.session.scalar(select(Connection.sync_offset)) is None
            return {fan.platform_fan_id or "": fan for fan in db.session.scalars(select(Fan))}

    former, nameless, *_ = fetch().values()
    ada.put(f"/api/crm/fans/{former.id}", {"platformFanId": "2"})
    ada.put(f"/api/crm/fans/{nameless.id}", {"handle": None})
    ada.post("/api/crm/fans", {"handle": nameless.handle})
    fans = fetch()
    assert (fans["2"].id, fans["2"].handle) == (former.id, former.handle)
    assert (fans[former.platform_fan_id].name, fans[former.platform_fan_id].handle) == (former.name, None)
    assert (fans[nameless.platform_fan_id].id, fans[nameless.platform_fan_id].handle) == (nameless.id, None)


@pytest.mark.parametrize("signature", ["", "0" * 64, "nonsense", "é"])
def test_a_wrong_signature_is_refused_and_nothing_is_stored(app, platform: Platform, signature):
    answer = platform.post("messages.received", said(), signature=signature)
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    with app.app_context():
        assert db.session.scalar(select(StoredEvent.id)) is None


def test_an_unknown_connection_is_not_there(app, platform: Platform):
    assert app.test_client().post("/webhooks/424242", data=b"{}").status_code == 404


UNLOCKED = {
    "id": "88", "createdAt": "2026-10-05T12:00:10+00:00", "user": FAN,
    "replacePairs": {"{AMOUNT}": "$12.00", "{MESSAGE_LINK}": "https://x/?firstId=4242"},
}  # fmt: skip
OFFERED = {
    "id": 4242, "text": "hi", "toUser": FAN, "createdAt": "2026-10-05T12:00:00+00:00", "price": 12,
    "media": [{"id": 1, "type": "photo"}],
}  # fmt: skip


@pytest.mark.parametrize("order", list(itertools.permutations(("bought", "sent", "statement"))), ids=" ".join)
def test_a_purchase_and_its_message_find_each_other_in_whatever_order_they_come(app, ada: Person, platform, order):
    add_fan(ada, 1)
    happen = {
        "bought": lambda: platform.tell("messages.ppv.unlocked", UNLOCKED, "evt_1"),
        "sent": lambda: platform.tell("messages.sent", OFFERED, "evt_2"),
        "statement": lambda: Importer(app, ada)(
            "Transaction ID,Username,Amount,Net,Date,Type\nh1,fan1,12.00,9.60,2026-10-05T12:00:13Z,Message\n", "o.csv"
        ),
    }
    for name in order:
        happen[name]()
    platform.tell("messages.ppv.unlocked", UNLOCKED, "evt_3")
    with app.app_context():
        (message,), (paid,) = db.session.scalars(select(Message)).all(), db.session.scalars(select(Transaction)).all()
        assert (message.purchased, paid.message_id) == (True, message.id)
        assert (paid.platform_transaction_id, paid.statement_id, paid.platform_message_id) == ("88", "h1", "4242")
        assert (paid.gross_cents, paid.net_cents) == (1200, 960)


def test_a_purchase_of_one_fan_is_not_of_anothers_message(app, ada: Person, eve: Person, sandbox, platform: Platform):
    """The numbers are the platform's, and one account's."""
    add_fan(ada, 1)
    platform.tell("messages.ppv.unlocked", UNLOCKED, "evt_1")
    other = {"id": 100000002, "username": "fan2", "name": "Fan Two"}
    platform.tell("messages.sent", OFFERED | {"toUser": other}, "evt_2")
    theirs = Platform(eve, connect(eve, sandbox.url))
    theirs.tell("messages.sent", OFFERED, "evt_3")
    with app.app_context():
        purchases.link_lately_told()
        assert db.session.scalars(select(Transaction.message_id)).all() == [None]
        assert set(db.session.scalars(select(Message.purchased))) == {False}


def test_what_is_bought_before_its_sender_knows_its_number_pays_its_campaign(app, ada: Person, platform: Platform):
    fan = add_fan(ada, 1)
    body = {"recipientIds": [fan["id"]], "content": "x", "priceCents": 1200, "mediaUrls": ["platform:5"]}
    campaign = ada.post("/api/messages/bulk", body, 202)["campaignId"]
    with app.app_context():
        outbox.drain()
        with write() as session:
            number = session.scalar(select(Message.platform_message_id))
            session.execute(update(Message).values(platform_message_id=None))  # its answer is not written down yet
    link = {"{AMOUNT}": "$12.00", "{MESSAGE_LINK}": f"https://x/?firstId={number}"}
    platform.tell("messages.ppv.unlocked", UNLOCKED | {"replacePairs": link})
    with app.app_context():
        sweep.ring_again(("incoming",))
        with write() as session:
            session.execute(update(Message).values(platform_message_id=number))
        heard = db.session.scalar(select(func.count(RoomEvent.seq))) or 0
        sweep.ring_again(("incoming",))
        assert db.session.scalar(select(func.count(RoomEvent.seq))) == heard + 1, "who watches hears of it"
    metrics = ada.get(f"/api/campaigns/{campaign}")["metrics"]
    assert (metrics["purchased"], metrics["revenueCents"]) == (1, 1200)


@pytest.mark.parametrize("payload", [None, {}, {"id": 5}, {"fromUser": {}}, [], "text"])
def test_an_event_that_is_not_understood_is_kept_with_its_fault_and_holds_up_nothing(app, ada, platform, payload):
    platform.tell("messages.received", payload, "evt_bad")
    platform.tell("messages.received", said(), "evt_good")
    with app.app_context():
        kept = db.session.scalar(select(StoredEvent).where(StoredEvent.event_key == "evt_bad"))
        assert kept.handled_at
        assert kept.fault
    assert ada.get("/api/crm/messages")["total"] == 1


def test_what_no_database_takes_is_shown_as_unreadable(ada: Person, platform: Platform):
    platform.tell("messages.received", said("half a pair: \ud83d!"))
    assert ada.get("/api/crm/messages")["messages"][0]["text"] == "half a pair: \ufffd!"


def test_an_event_that_can_never_be_written_is_given_up_with_its_fault(app, ada: Person, platform: Platform):
    """SQLite writes such a price."""
    platform.tell("messages.received", said() | {"price": 999_999_999}, "evt_bad")
    for _ in range(incoming.MOST_TRIES):
        platform.work()
    platform.tell("messages.received", said(message_id=5), "evt_good")
    with app.app_context():
        kept = db.session.scalar(select(StoredEvent).where(StoredEvent.event_key == "evt_bad"))
        assert kept.handled_at
        is_written = db.engine.dialect.name == "sqlite"
        assert kept.fault.startswith("Failed: ") != is_written
    assert ada.get("/api/crm/messages")["total"] == 1 + is_written


def test_an_event_that_breaks_a_rule_of_the_database_each_time_is_given_up_with_its_fault(app, ada, platform):
    """Once, it is a race with another worker: the next try finds what that one wrote."""
    add_fan(ada, 7)
    with app.app_context(), write() as session:
        session.execute(text("CREATE UNIQUE INDEX only_one_fan ON fans (account_id)"))
    try:
        platform.tell("messages.received", said())
        for _ in range(incoming.MOST_TRIES):
            platform.work()
    finally:
        with app.app_context(), write() as session:
            session.execute(text("DROP INDEX only_one_fan"))
    with app.app_context():
        kept = db.session.scalar(select(StoredEvent))
        assert kept.handled_at
        assert kept.fault.startswith("Failed: ")


def test_a_tip_counts_once_although_the_platform_tells_it_twice(ada: Person, platform: Platform):
    fan = add_fan(ada, 1, valueCents=99)
    tip = {"id": "77", "type": "tip", "amountGross": 12.34, "amountNet": 9.87, "user_id": 1, "user": FAN}
    platform.tell("tips.received", tip, "evt_1")
    platform.tell("tips.received", tip, "evt_2")
    transaction = {"id": "x", "type": "tips", "amount": 12.34, "fan": {"id": "100000001"}}
    platform.tell("transactions.new", transaction, "evt_3")
    assert ada.get(f"/api/crm/fans/{fan['id']}")["valueCents"] == 1234
    # A write changes the figure brought by hand; what counts stays the sum of the transactions.
    assert ada.put(f"/api/crm/fans/{fan['id']}", {"valueCents": 5})["valueCents"] == 1234


def test_a_purchase_marks_its_message_and_pays_its_campaign(app, ada: Person, platform: Platform):
    fan = add_fan(ada, 1)
    body = {"recipientIds": [fan["id"]], "content": "x", "priceCents": 1200, "mediaUrls": ["platform:5"]}
    bulk = ada.post("/api/messages/bulk", body, 202)
    with app.app_context():
        outbox.drain()
    sent = ada.get(f"/api/campaigns/{bulk['campaignId']}/recipients")["recipients"][0]
    message = ada.get(f"/api/onlyfans/messages/{sent['messageId']}")
    assert message["status"] == "sent", message
    link = f"https://onlyfans.com/my/chats/chat/100000001?firstId={message['platformMessageId']}"
    bought = {"id": "88", "user_id": 1, "user": FAN, "replacePairs": {"{AMOUNT}": "$12.00", "{MESSAGE_LINK}": link}}
    platform.tell("messages.ppv.unlocked", bought)
    assert ada.get(f"/api/onlyfans/messages/{sent['messageId']}")["purchased"] is True
    metrics = ada.get(f"/api/campaigns/{bulk['campaignId']}")["metrics"]
    assert (metrics["purchased"], metrics["revenueCents"]) == (1, 1200)


def test_a_lost_session_pauses_sending_and_says_so(ada: Person, platform: Platform):
    platform.tell("accounts.session_expired", {"state": "expired"})
    assert ada.get("/api/connections")["connections"][0]["status"] == "expired"


def sign(scheme: str, secret: str, body: bytes, at: int) -> dict[str, str]:
    """By the vendors' words, independently of our table."""
    import base64

    def mac(key: bytes, signed: bytes):
        return hmac.new(key, signed, hashlib.sha256)

    stamp = f"{at}.".encode()
    if scheme == "svix":
        digest = mac(base64.b64decode(secret.removeprefix("whsec_")), b"msg_1." + stamp + body).digest()
        value = f"v1,bm90IHRoaXMgb25l v1,{base64.b64encode(digest).decode()}"
        return {"svix-id": "msg_1", "svix-timestamp": str(at), "svix-signature": value}
    return {
        "onlyfansapi": {"signature": mac(secret.encode(), body).hexdigest()},
        "onlyfanskit": {"x-webhook-signature": f"sha256={mac(secret.encode(), body).hexdigest()}"},
        "ofauth": {"ofauth-signature": f"t={at},v1={mac(secret.encode(), stamp + body).hexdigest()}"},
        "fanvue": {"x-fanvue-signature": f"t={at},v0={mac(secret.encode(), stamp + body).hexdigest()}"},
    }[scheme]


@pytest.mark.parametrize("name", list(SCHEMES))
def test_every_scheme_takes_its_own_signature_and_nothing_else(name):
    secret = "whsec_c2VjcmV0IHNlY3JldA==" if name == "svix" else "a secret"
    body, now = b'{"event": "x"}', 1_700_000_000
    headers = sign(name, secret, body, now)
    assert is_signed(SCHEMES[name], secret, headers, body, now=now)
    assert not is_signed(SCHEMES[name], secret, headers, body + b" ", now=now)
    assert not is_signed(SCHEMES[name], "whsec_b3RoZXI=" if name == "svix" else "other", headers, body, now=now)
    assert not is_signed(SCHEMES[name], secret, {}, body, now=now)
    if name not in ("onlyfansapi", "onlyfanskit"):
        assert not is_signed(SCHEMES[name], secret, headers, body, now=now + 301), "too old"
