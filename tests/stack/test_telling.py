"""What a whole stack tells of itself: one request's id all the way, nothing private in any log line, every process's requests."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from app.config import DEMO
from tests.servers import http_client, wait_until
from tests.stack.stack import Stack, output, python
from tests.stack.test_restore_drill import import_csv, signed_in

pytestmark = pytest.mark.timeout(300)
WORDS = "strictly confidential words"
PASSWORD = "a password nobody knows"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"WEB_CONCURRENCY": "2", "GREENROOM_PACE": "100/1"}
    with Stack(tmp_path_factory.mktemp("telling") / "instance", **settings) as stack:
        stack.start()
        stack.sandbox.quieten()
        yield stack


def lines(stack: Stack) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stack.log.read_text().splitlines() if line.startswith("{")]


def test_a_request_s_id_goes_on_into_its_job_and_the_job_s_out_to_the_platform(stack: Stack):
    stack.fans(1)
    import_csv(stack, request_id="the-story-of-one")
    wait_until(lambda: {"answered", "job_done"} <= {line["event"] for line in under(stack, "the-story-of-one")}, 40)
    message_id = stack.send(WORDS)
    wait_until(lambda: stack.went_out(message_id), 20)
    (sent,) = [each for each in stack.sandbox.sends() if each["text"] == WORDS]
    # Whoever rang for the job that sent it, this request or an earlier one.
    wait_until(lambda: [line for line in under(stack, sent["requestId"]) if line.get("job") == "drain"], 40)


def under(stack: Stack, request_id: str) -> list[dict[str, Any]]:
    return [line for line in lines(stack) if line.get("request_id") == request_id]


def test_no_line_of_a_day_holds_anything_private(stack: Stack):
    add = ["-m", "flask", "--app", "wsgi", "user", "add", "new@example.com", "--account", "Studio", "--password-stdin"]
    process = python(add, stack.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin
    process.stdin.write(PASSWORD + "\n")
    process.stdin.flush()
    assert output(process)[0] == 0
    assert stack.sign_in("new@example.com", PASSWORD).is_success
    assert stack.sign_in("new@example.com", "wrong " + PASSWORD).status_code == 401
    browser = http_client(stack.url)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get("/login").text)
    assert token
    browser.post("/login", data={"csrf_token": token[1], **DEMO})
    browser.get(f"/search?q={WORDS.replace(' ', '+')}")
    stack.deliver(f"{WORDS} again", 20)
    stack.hear("whatafanconfides", 20)
    import_csv(stack)
    stack.sandbox.faults(error500=0.5)
    refused = stack.send(f"{WORDS} in trouble")
    wait_until(lambda: stack.status(refused) in ("sent", "delivered", "read"), 60)
    stack.sandbox.faults()
    wait_until(lambda: [each for each in lines(stack) if str(each.get("job", "")).startswith("run_import")], 30)
    kept = (stack.instance / "secret.key").read_text().strip()
    for private in (
        WORDS, PASSWORD, DEMO["password"], "new@example.com", DEMO["email"], "whatafanconfides", "sandbox-demo", kept,
        stack.token, token[1],
    ):  # fmt: skip
        found = [
            line for line in stack.log.read_text().splitlines() if private in line and not line.startswith("  Demo")
        ]
        assert found == [], private


def test_requests_of_every_web_process_are_counted_together(stack: Stack):
    before = counted(stack)
    for _ in range(40):  # each on a line of its own: so both processes get some
        assert stack.http.get("/login").status_code == 200
    wait_until(lambda: counted(stack) == before + 40, 10)


def test_every_process_says_that_it_runs_and_is_missed_when_it_is_gone(stack: Stack):
    owner = signed_in(stack)

    def shown() -> list[tuple[str, int]]:
        """What each serves, and its number, as the owner's page has them."""
        page = owner.get("/system").raise_for_status().text
        return [
            (serves, int(pid)) for serves, pid in re.findall(r"<dt>([\w, ]+)<div[^>]*>\S+, process (\d+)</div>", page)
        ]

    def all_run() -> bool:
        return sorted(serves for serves, _ in shown()) == ["Imports", "Incoming, links", "Pages", "Pages", "Sending"]

    wait_until(all_run, 30)
    gone = next(pid for serves, pid in shown() if serves == "Pages")
    os.kill(gone, signal.SIGKILL)
    wait_until(lambda: all_run() and gone not in [pid for _, pid in shown()], 60)


def counted(stack: Stack) -> int:
    told = stack.http.get("/metrics").text
    found = re.findall(r'greenroom_requests_total\{method="GET",route="/login",status="200"\} ([\d.]+)', told)
    return int(sum(map(float, found)))
