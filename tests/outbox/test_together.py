"""Many at once: claimed in one transaction, and written down in one, with the same promises as one by one."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, update

from app.conversations import claims, delivery, live, rooms, sent_together, waiting
from app.conversations.claims import Claimed
from app.conversations.models import Conversation, Message, RoomEvent, SendAttempt
from app.conversations.sent_together import Desk, Sent
from app.database import db, utcnow, write
from app.platforms.models import Connection
from tests.people import Person, add_fan, connect
from tests.sending import drain, statuses
from tests.servers import Sandbox

ANYWHERE = "http://127.0.0.1:9"


def send(person: Person, fan: dict, text: str = "hello") -> int:
    body = {"recipientId": fan["id"], "content": text}
    return person.post("/api/onlyfans/messages/send", body, 202)["messageId"]


def campaign(person: Person, fans: list[dict]) -> int:
    body = {"recipientIds": [fan["id"] for fan in fans], "content": "to all"}
    return person.post("/api/messages/bulk", body, 202)["campaignId"]


def change(**values) -> None:
    with write() as session:
        session.execute(update(Connection).values(due_tick=0, **values))


def hand_in_all(claimed: list[Claimed]) -> None:
    sent_together._write_down([Sent(each, f"there-{each.message_id}") for each in claimed])


@pytest.fixture
def in_app(app) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def fans(ada: Person) -> list[dict]:
    connect(ada, ANYWHERE, account="acct_together", pace=(1000, 1))
    return [add_fan(ada, number) for number in range(1, 7)]


def test_replies_that_wait_are_claimed_at_once_one_to_a_fan_and_no_more_than_are_asked_for(ada, fans, in_app):
    first = [send(ada, fan) for fan in fans]
    second = send(ada, fans[0], "and another")
    some, looked_at = claims.claim_due(4)
    assert [each.message_id for each in some] == first[:4]
    assert looked_at == 1
    change()
    rest, _ = claims.claim_due(64)
    assert [each.message_id for each in rest] == first[4:], "the second one to the same fan waits for the first"
    hand_in_all(some)
    last, _ = claims.claim_due(64)
    assert [each.message_id for each in last] == [second]


def test_no_more_are_claimed_than_the_window_the_day_and_the_calls_at_once_allow(ada, fans, in_app):
    for fan in [*fans, *(add_fan(ada, number) for number in range(7, 13))]:
        send(ada, fan)
    change(pace_limit=5)
    assert len(claims.claim_due(64)[0]) == 5
    change(pace_limit=1000, daily_cap=4)
    more, _ = claims.claim_due(64)
    assert len(more) == 3, f"{claims.MOST_IN_FLIGHT} calls at once"
    hand_in_all(more)
    change()
    assert len(claims.claim_due(64)[0]) == 1, "the last one of the day"
    change()
    assert claims.claim_due(64) == ([], 1)


def test_campaigns_leave_together_only_where_their_spacing_is_hardly_a_moment(ada, fans, in_app):
    campaign(ada, fans)
    change(pace_limit=600, pace_window_seconds=60)  # a tenth of a second between two
    one, _ = claims.claim_due(64)
    assert len(one) == 1
    change(pace_limit=1000, pace_window_seconds=1)
    others, _ = claims.claim_due(64)
    assert len(others) == 5
    assert {each.message_id for each in one}.isdisjoint(each.message_id for each in others)


def test_whoever_is_to_be_spared_is_left_out_of_a_burst(ada, fans, in_app):
    campaign(ada, fans)
    with write() as session:
        session.execute(update(waiting.campaigns).values(guards={"unanswered": True}))
        spared = update(Conversation).where(Conversation.fan_id == fans[2]["id"])
        session.execute(spared.values(waiting_since=utcnow()))
    claimed, _ = claims.claim_due(64)
    rows = db.session.execute(select(Message.fan_id, Message.status, Message.status_reason)).all()
    spared = [row.fan_id for row in rows if row.status == "cancelled"]
    assert spared == [fans[2]["id"]]
    assert len(claimed) == 5


def test_all_that_is_handed_in_is_written_down_as_one_by_one(ada, fans, in_app):
    ids = [send(ada, fan) for fan in fans]
    claimed, _ = claims.claim_due(64)
    with write() as session:
        session.execute(update(Connection).values(wakes_on_answer=True, due_tick=None, faults_in_a_row=2))
    hand_in_all(claimed)
    messages = {each.id: each for each in db.session.scalars(select(Message))}
    assert [messages[each].status for each in ids] == ["sent"] * 6
    assert [messages[each].platform_message_id for each in ids] == [f"there-{each}" for each in ids]
    assert all(messages[each].sent_at and messages[each].lease_tick is None for each in ids)
    attempts = db.session.scalars(select(SendAttempt)).all()
    assert [(each.outcome, each.answered_tick is not None) for each in attempts] == [("sent", True)] * 6
    connection = db.session.scalars(select(Connection)).one()
    assert (connection.due_tick, connection.faults_in_a_row) == (0, 0)
    numbers_are_without_a_gap()


def numbers_are_without_a_gap() -> None:
    numbers: dict[str, list[int]] = {}
    for event in db.session.scalars(select(RoomEvent).order_by(RoomEvent.seq)):
        numbers.setdefault(event.room, []).append(event.seq)
    assert numbers
    for room, seqs in numbers.items():
        assert seqs == list(range(1, len(seqs) + 1)), room
    for conversation in db.session.scalars(select(Conversation)):
        assert conversation.seq == len(numbers[rooms.thread_room(conversation.id)])


def test_a_campaigns_messages_become_their_threads_last_ones_and_show_in_the_inbox(ada, fans, in_app):
    campaign(ada, fans)
    claimed, _ = claims.claim_due(64)
    hand_in_all(claimed)
    last = set(db.session.scalars(select(Conversation.last_message_id)))
    assert last == {each.message_id for each in claimed}
    shown = select(RoomEvent.subject_id).where(RoomEvent.room == rooms.inbox_room(ada.account_id))
    threads = set(db.session.scalars(select(Conversation.id)))
    assert threads <= set(db.session.scalars(shown))
    numbers_are_without_a_gap()


def test_two_of_one_thread_are_numbered_one_after_the_other(ada, fans, in_app):
    message = send(ada, fans[0])
    thread = db.session.get_one(Message, message).conversation_id
    with write():
        noted = live.note_in_threads([(ada.account_id, thread, message), (ada.account_id, thread, message)])
    assert [each.seq for each in noted] == [2, 3]


def test_two_who_number_the_same_threads_the_other_way_round_do_not_wait_for_each_other(app, ada, fans):
    with app.app_context():
        ids = [send(ada, fan) for fan in fans]
        rows = db.session.execute(
            select(Message.account_id, Message.conversation_id, Message.id).where(Message.id.in_(ids))
        )
        messages = [tuple(row) for row in rows]
    failed = []

    def number(order: list[tuple[int, int, int]]) -> None:
        try:
            with app.app_context():
                for _ in range(20):
                    with write():
                        live.note_in_threads(order)
        except Exception as error:
            failed.append(error)

    both = [threading.Thread(target=number, args=(order,)) for order in (messages, messages[::-1])]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert failed == []
    with app.app_context():
        assert set(db.session.scalars(select(Conversation.seq))) == {1 + 2 * 20}


def test_what_another_sender_has_taken_over_stays_as_it_is(ada, fans, in_app):
    ids = [send(ada, fan) for fan in fans[:3]]
    claimed, _ = claims.claim_due(64)
    with write() as session:
        session.execute(update(Message).where(Message.id == ids[1]).values(lease_tick=0))
    change()
    again, _ = claims.claim_due(1)
    assert [each.message_id for each in again] == [ids[1]]
    hand_in_all(claimed)
    assert statuses_of(ids) == ["sent", "sending", "sent"]
    hand_in_all(again)
    assert statuses_of(ids) == ["sent"] * 3


def statuses_of(ids: list[int]) -> list[str]:
    found = {row.id: row.status for row in db.session.execute(select(Message.id, Message.status))}
    return [found[each] for each in ids]


def test_one_that_the_platform_told_of_first_does_not_hold_up_the_others(ada, fans, in_app):
    ids = [send(ada, fan) for fan in fans[:3]]
    claimed, _ = claims.claim_due(64)
    original = db.session.get_one(Message, ids[1])
    with write() as session:
        copy = Message(
            account_id=ada.account_id, conversation_id=original.conversation_id, fan_id=original.fan_id,
            connection_id=original.connection_id, direction="out", status="sent", text="hello in other words",
            platform_message_id=f"there-{ids[1]}",
        )  # fmt: skip
        session.add(copy)
    hand_in_all(claimed)
    assert statuses_of(ids) == ["sent"] * 3
    of_it = select(Message.id).where(Message.platform_message_id == f"there-{ids[1]}")
    assert db.session.scalars(of_it).all() == [ids[1]], "the copy is gone"


def test_one_that_cannot_be_written_down_does_not_hold_up_the_others(ada, fans, in_app):
    """Another message was sent by us under the same id, says the platform: that one's lease decides."""
    ids = [send(ada, fan) for fan in fans[:3]]
    claimed, _ = claims.claim_due(64)
    with write() as session:
        session.execute(update(Message).where(Message.id == ids[0]).values(platform_message_id=f"there-{ids[1]}"))
    sent_together._write_down([Sent(each, f"there-{each.message_id}") for each in claimed[1:]])
    assert statuses_of(ids) == ["sending", "sending", "sent"]


def test_a_fan_who_was_deleted_meanwhile_leaves_no_words_behind(ada, fans, in_app):
    ids = [send(ada, fan) for fan in fans[:2]]
    claimed, _ = claims.claim_due(64)
    ada.call("DELETE", f"/api/crm/fans/{fans[0]['id']}")
    hand_in_all(claimed)
    db.session.expire_all()
    gone, stays = (db.session.get_one(Message, each) for each in ids)
    assert (gone.status, gone.text, gone.conversation_id) == ("sent", "", None)
    assert (stays.status, stays.text) == ("sent", "hello")


def test_whoever_comes_while_another_writes_leaves_it_to_them(app, ada, fans):
    for fan in fans:
        send(ada, fan)
    with app.app_context():
        claimed, _ = claims.claim_due(64)
    desk, together = Desk(), threading.Barrier(len(claimed))

    def hand_in(each: Claimed) -> None:
        with app.app_context():
            together.wait()
            desk.hand_in(Sent(each, f"there-{each.message_id}"))

    threads = [threading.Thread(target=hand_in, args=(each,)) for each in claimed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses(app) == ["sent"] * 6
    assert not desk._lying
    assert not desk._is_manned


def test_a_burst_over_real_http_arrives_once_each_and_within_the_pace(app, ada: Person, sandbox: Sandbox):
    connect(ada, sandbox.url, account="acct_burst", pace=(200, 1))
    sandbox.faults(limit=200, windowSeconds=1)
    fans = [add_fan(ada, number) for number in range(1, 31)]
    campaign(ada, fans[:20])
    for fan in fans[20:]:
        send(ada, fan, f"to {fan['id']}")
    drain(app)
    assert statuses(app) == ["sent"] * 30
    assert sandbox.stats()["violations"] == 0
    assert len(sandbox.sends("acct_burst")) == 30
    with app.app_context():
        together = select(func.count(SendAttempt.id)).group_by(SendAttempt.started_tick)
        assert max(db.session.scalars(together)) > 1


def test_jobs_are_read_in_the_order_of_their_claims_and_without_what_went_meanwhile(ada, fans, in_app):
    for fan in fans:
        send(ada, fan)
    claimed, _ = claims.claim_due(64)
    assert [each.claimed for each in delivery.jobs_of(claimed)] == claimed
    gone = Claimed(claimed[-1].message_id + 1000, claimed[-1].attempt_id, claimed[-1].connection_id)
    assert [each.claimed for each in delivery.jobs_of([gone, *claimed])] == claimed
    assert delivery.jobs_of([]) == []
