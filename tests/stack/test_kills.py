"""Whatever is killed comes back, and the product works again."""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.servers import is_up, wait_until
from tests.stack.stack import Stack

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("kills") / "instance", GREENROOM_PACE="100/1") as stack:
        stack.start()
        yield stack


@pytest.mark.parametrize("kind", ["web", "worker", "sender", "sandbox", "valkey"])
def test_what_is_killed_is_started_again(stack: Stack, kind: str) -> None:
    gone = stack.kill(kind)
    works_again(stack, kind, gone)


def test_a_gunicorn_worker_that_is_killed_is_started_again(stack: Stack) -> None:
    main, child = sorted(stack.pids("web"))
    os.kill(child, signal.SIGKILL)
    works_again(stack, "web", [child])
    assert main in stack.pids("web")


def test_all_killed_at_once_are_started_again(stack: Stack) -> None:
    gone = [pid for kind in ("web", "worker", "sender", "sandbox", "valkey") for pid in stack.kill(kind)]
    works_again(stack, "sender", gone)


def works_again(stack: Stack, kind: str, gone: list[int]) -> None:
    began = time.monotonic()
    wait_until(lambda: stack.pids(kind) and not set(gone) & set(stack.pids()), 20)
    wait_until(lambda: is_up(f"{stack.url}/readyz"), 20)
    wait_until(lambda: is_up(f"{stack.sandbox.url}/sandbox/health"), 20)
    word = f"after{kind}{gone[0]}"
    stack.deliver(word, 30)
    print(f"{kind}: a message was sent {time.monotonic() - began:.2f} s after the kill")
    stack.hear(word + "heard", 30)


def test_a_start_after_the_launcher_was_killed_sends_what_waited(stack: Stack) -> None:
    stack.kill("launcher")
    stack.kill("sender")
    waiting = [stack.send(f"waiting {number}") for number in range(3)]
    assert [stack.status(each) for each in waiting] == ["queued"] * 3
    orphans = stack.pids()
    (valkey,) = stack.pids("valkey")
    print(f"start over leftovers: {stack.start():.2f} s")
    wait_until(lambda: stack.went_out(*waiting), 30)
    assert set(orphans) & set(stack.pids()) == {valkey}
    stack.hear("stillhere")
    stack.stop()
