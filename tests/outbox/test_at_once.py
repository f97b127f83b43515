"""Who writes while messages go out, and campaigns that are sent to the same fans in the same moment: nobody waits in a ring."""

import time
from threading import Event, Thread

from sqlalchemy import update

from app.conversations import outbox
from app.conversations.models import Message, MessageStatus
from app.database import execute, write
from tests.campaigns.test_at_once import at_once
from tests.people import Person, add_fan
from tests.sending import statuses

FANS, REPLIES = 12, 60
CHOSEN_BY_THEN = 0.5  # seconds


def test_replies_are_taken_in_while_others_go_out(app, ada: Person, connected):
    fans = [add_fan(ada, number)["id"] for number in range(1, 4)]
    threads = [ada.post("/api/crm/conversations", {"fanId": fan})["id"] for fan in fans]
    is_over = Event()

    def send() -> None:
        with app.app_context():
            while not is_over.is_set():
                outbox.drain()

    def write(thread: int) -> list[int]:
        path = f"/api/crm/conversations/{thread}/messages"
        return [ada.call("POST", path, json={"text": f"Number {each}"}).status_code for each in range(REPLIES)]

    sender = Thread(target=send)
    sender.start()
    try:
        answers = at_once(*((lambda thread=thread: write(thread)) for thread in threads))
    finally:
        is_over.set()
        sender.join()
    assert answers == [[202] * REPLIES] * len(threads)


def test_bulk_messages_to_the_same_new_fans_in_the_same_moment_are_all_sent(app, ada: Person, connected):
    for turn in range(3):
        fans = [add_fan(ada, 100 * turn + number)["id"] for number in range(FANS)]
        orders = [fans, fans[::-1], fans[6:] + fans[:6], fans[::2] + fans[1::2]]

        def send(ids: list[int]) -> int:
            return ada.call("POST", "/api/messages/bulk", json={"recipientIds": ids, "content": "Hello"}).status_code

        assert at_once(*((lambda ids=ids: send(ids)) for ids in orders), begins=turn) == [202] * 4
    assert statuses(app) == ["queued"] * 3 * 4 * FANS


def test_what_is_cancelled_in_the_moment_it_is_taken_does_not_go_out(app, ada: Person, connected, sandbox):
    fans = [add_fan(ada, number)["id"] for number in range(1, 4)]
    ada.post("/api/messages/bulk", {"recipientIds": fans, "content": "Hello"}, 202)

    def send() -> None:
        with app.app_context():
            outbox.drain()

    sender = Thread(target=send)
    with app.app_context(), write():
        execute(update(Message).values(status=MessageStatus.CANCELLED))
        sender.start()
        time.sleep(CHOSEN_BY_THEN)
    sender.join()
    assert statuses(app) == ["cancelled"] * 3
