"""Whatever is killed comes back, and the product works again."""

import io
import os
import re
import signal
import time
import zipfile
from collections.abc import Iterator

import pytest

from app.config import DEMO
from tests.servers import http_client, is_up, wait_until
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


def test_a_whole_account_is_written_though_its_worker_is_killed(stack: Stack) -> None:
    with http_client(stack.url, follow_redirects=True) as browser:

        def submit(path: str, **values: str) -> None:
            token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(path).text)
            assert token
            browser.post(path, data={"csrf_token": token[1], **values}).raise_for_status()

        def link() -> str:
            found = re.search(r'href="(/settings/leave/\d+\.zip)"', browser.get("/settings/leave").text)
            return found[1] if found else ""

        submit("/login", **DEMO)
        submit("/settings/leave")
        stack.kill("importer")
        began = time.monotonic()
        with zipfile.ZipFile(io.BytesIO(browser.get(wait_until(link, 120)).content)) as file:
            assert file.testzip() is None
            fans = stack.call("GET", "/api/crm/fans?limit=1")["total"]
            assert len(file.read("fans.jsonl").splitlines()) == fans > 0
        print(f"the file of the account was there {time.monotonic() - began:.1f} s after the kill")


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
