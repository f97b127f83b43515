"""Who writes while messages go out, and campaigns that are sent to the same fans in the same moment: nobody waits in a ring."""

from threading import Event, Thread

from app.conversations import outbox
from tests.campaigns.test_at_once import at_once
from tests.people import Person, add_fan
from tests.sending import statuses

FANS, REPLIES = 12, 60


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
