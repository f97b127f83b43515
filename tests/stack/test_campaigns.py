"""A campaign while things are lost: all are sent, none twice, never too fast."""

import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import redis

from app.config import redis_socket
from tests.servers import wait_until
from tests.stack.stack import Stack, python

pytestmark = pytest.mark.timeout(300)
MESSAGES, PACE = 60, (20, 2)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"GREENROOM_PACE": "{}/{}".format(*PACE), "GREENROOM_LIMIT_BULK": "1000/hour"}
    with Stack(tmp_path_factory.mktemp("campaigns") / "instance", **settings) as stack:
        stack.start()
        stack.sandbox.faults(limit=PACE[0], windowSeconds=PACE[1], delaySeconds=0.4)
        yield stack


def nothing(stack: Stack) -> None:
    pass


def flush_redis(stack: Stack) -> None:
    redis.Redis(unix_socket_path=str(redis_socket(stack.instance))).flushall()


def kill_the_sender(stack: Stack) -> None:
    """In the middle of calls; then the 90 seconds of their leases go by."""
    stack.kill("sender")
    lost = let_leases_run_out(stack)
    assert lost > 0, "no call was under way"


def let_leases_run_out(stack: Stack) -> int:
    with closing(sqlite3.connect(stack.instance / "greenroom.sqlite", timeout=15)) as database, database:
        past = "UPDATE messages SET lease_tick = 0 WHERE status = 'sending'"
        return database.execute(past).rowcount


def kill_valkey(stack: Stack) -> None:
    stack.kill("valkey")


def kill_the_launcher_and_start(stack: Stack) -> None:
    stack.kill("launcher")
    stack.start()
    stack.sandbox.faults(limit=PACE[0], windowSeconds=PACE[1], delaySeconds=0.4)


def stop_and_start(stack: Stack) -> None:
    print(f"stop in the middle of calls: {stack.stop(signal.SIGINT):.2f} s")
    stack.start()
    stack.sandbox.faults(limit=PACE[0], windowSeconds=PACE[1], delaySeconds=0.4)


def add_a_second_sender(stack: Stack) -> None:
    with stack.log.open("ab") as log:
        python(["worker.py", "sending"], stack.environment, stdout=log, stderr=log)


TROUBLE = [
    nothing,
    flush_redis,
    kill_valkey,
    kill_the_sender,
    stop_and_start,
    kill_the_launcher_and_start,
    add_a_second_sender,
    kill_the_sender,
]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_every_message_goes_out_once_at_the_pace(stack: Stack, trouble: Callable[[Stack], None]) -> None:
    text = f"{trouble.__name__} {os.urandom(4).hex()}"
    campaign = stack.call("POST", "/api/messages/bulk", recipientIds=stack.fans(MESSAGES), content=text)
    path = f"/api/campaigns/{campaign['campaignId']}"
    wait_until(lambda: stack.call("GET", path)["metrics"]["sent"] >= 12, 30)
    began = time.monotonic()
    trouble(stack)
    assert stack.call("GET", path)["metrics"]["sent"] < MESSAGES
    wait_until(lambda: stack.call("GET", path)["status"] == "completed", 90, 0.2)
    print(f"{trouble.__name__}: all sent {time.monotonic() - began:.1f} s later")
    metrics = stack.call("GET", path)["metrics"]
    assert (metrics["sent"], metrics["failed"], metrics["unknown"]) == (MESSAGES, 0, 0)
    assert copies_in_chats(stack, text) == {1: MESSAGES}
    assert stack.sandbox.stats()["violations"] == 0


def copies_in_chats(stack: Stack, text: str) -> Counter[int]:
    """How many chats hold the text how often: the platform's own memory, which outlives its restarts."""
    chats = (platform_messages(stack, fan["platformFanId"]) for fan in stack.fan_rows(MESSAGES))
    return Counter(sum(text in each["text"] for each in chat) for chat in chats)


def platform_messages(stack: Stack, chat_id: str) -> list[dict]:
    address = f"{stack.sandbox.url}/api/acct_demo/chats/{chat_id}/messages?limit=100"
    answer = stack.http.get(address, headers={"Authorization": "Bearer sandbox-demo"})
    return answer.raise_for_status().json()["data"]
