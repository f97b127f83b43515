"""The restore drill: a real stack is backed up under load, goes on, is lost, and stands again elsewhere from the file."""

import json
import re
import shutil
import subprocess
import tarfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.config import DEMO
from tests import servers
from tests.servers import FRESH, http_client, is_up, wait_until
from tests.stack.stack import Stack, output, python

pytestmark = pytest.mark.timeout(600)
RECIPIENTS = 200
SETTINGS = {"GREENROOM_PACE": "5/1", "GREENROOM_LIMIT_BULK": "1000/hour"}
PICTURE = b"\x89PNG\r\n\x1a\n" + b"picture" * 5000


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_backed_up_under_load_and_restored_elsewhere_nothing_is_lost_or_sent_twice(
    database: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar.gz"
    with databases(database) as (here, elsewhere), Stack(tmp_path / "here", **SETTINGS, **here) as stack:
        stack.start()
        stack.sandbox.quieten()
        medium = upload(stack)
        campaigns = launch(stack)
        with load(stack):
            wait_until(lambda: len(texts(stack.instance)["the campaign"]) > 10, 30)
            code, said = flask(stack.environment, "backup", file)
            assert code == 0, said
        at_backup = len(texts(stack.instance)["the campaign"])
        hurry(stack)
        wait_until(lambda: waiting(stack, campaigns) == 0, 60)
        stack.stop()
        manifest = manifest_of(file)
        assert 0 < at_backup < RECIPIENTS, "the backup was to be made in the middle"
        ports = {name: stack.environment[name] for name in ("PORT", "SANDBOX_PORT")}
        with Stack(tmp_path / "elsewhere", **SETTINGS, **elsewhere, **ports) as other:
            other.instance.mkdir()
            code, said = flask(other.environment, "restore", file)
            assert code == 0, said
            for name, number in (manifest["counts"] | manifest["sums"]).items():
                assert re.search(rf"^ +{re.escape(name)} +{number + (name == 'restores'):,}$", said, re.M), (name, said)
            shutil.copy(stack.instance / "sandbox.jsonl", other.instance)  # the platform is nobody's to restore
            other.start()
            wait_until(lambda: is_up(f"{other.url}/readyz"), 30)  # the first look reads all migrations
            browser = signed_in(other)
            assert browser.get(medium).content == PICTURE
            before = sum(map(len, texts(other.instance).values()))
            assert waiting(other, campaigns) > 0
            hurry(other)
            press(browser, "/platforms/connect/onlyfans", "/platforms/connect/onlyfans/resume")
            for each in campaigns:
                if other.call("GET", f"/api/campaigns/{each}")["status"] == "paused":
                    other.call("POST", f"/api/campaigns/{each}/resume")
            wait_until(lambda: waiting(other, campaigns) == 0, 90, 0.3)
            after = texts(other.instance)
            assert sum(map(len, after.values())) == before, "what had gone out went out again"
            assert set(after["the campaign"].values()) == {1}
            assert sum(books["sent"] for books in metrics(other, campaigns)) == RECIPIENTS
            other.stop()


@contextmanager
def databases(kind: str) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    if kind == "sqlite":
        yield {}, {}
        return
    with servers.running_postgres() as url:
        yield tuple({"DATABASE_URL": servers.make_database(url, name)} for name in ("here", "elsewhere"))  # type: ignore[misc]


def flask(environment: dict[str, str], *words: str | Path) -> tuple[int, str]:
    arguments = ["-m", "flask", "--app", "wsgi", *map(str, words)]
    return output(python(arguments, environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))


def hurry(stack: Stack) -> None:
    """It was slow only so that the backup is made in the middle."""
    (connection,) = stack.call("GET", "/api/connections")["connections"]
    stack.call("PUT", f"/api/connections/{connection['id']}", pace={"limit": 100, "windowSeconds": 1})


def upload(stack: Stack) -> str:
    stack.fans(1)
    files = {"file": ("a.png", PICTURE, "image/png")}
    headers = {"Authorization": f"Bearer {stack.token}"}
    answer = stack.http.post("/api/media", files=files, headers=headers)
    assert answer.is_success, answer.text
    return answer.json()["url"]


def launch(stack: Stack) -> list[int]:
    fans, most = linked(stack), 100
    return [
        stack.call("POST", "/api/messages/bulk", recipientIds=fans[first : first + most], content="the campaign")["campaignId"]
        for first in range(0, len(fans), most)
    ]  # fmt: skip


def linked(stack: Stack) -> list[int]:
    """The fans who get it, once the connection has fetched them."""

    def found() -> list[int]:
        fans = [fan for page in pages(stack) for fan in page if fan["platformFanId"] and not fan["doNotMessage"]]
        return [fan["id"] for fan in fans][:RECIPIENTS] if len(fans) >= RECIPIENTS else []

    return wait_until(found, 60, 0.5)


def pages(stack: Stack) -> Iterator[list[dict[str, Any]]]:
    cursor: str | None = ""
    while cursor is not None:
        page = stack.call("GET", f"/api/crm/fans?limit=200&cursor={cursor}")
        yield page["fans"]
        cursor = page["nextCursor"]


@contextmanager
def load(stack: Stack) -> Iterator[None]:
    """Replies, notes and an import, all the while."""
    over, fans = threading.Event(), stack.fans(20)

    def go_on() -> None:
        number = 0
        while not over.wait(0.2):
            number += 1
            fan = fans[number % len(fans)]
            stack.call("POST", "/api/onlyfans/messages/send", recipientId=fan, content=f"reply {number}")

    import_csv(stack)
    worker = threading.Thread(target=go_on)
    worker.start()
    yield
    over.set()
    worker.join()


def import_csv(stack: Stack, request_id: str = "an-import") -> None:
    rows = "".join(f"new{number},New {number},{number}.50\n" for number in range(3000))
    files = {"file": ("more.csv", f"Username,Name,Total spent ($)\n{rows}", "text/csv")}
    headers = {"Authorization": f"Bearer {stack.token}", "X-Request-ID": request_id}
    answer = stack.http.post("/api/onlyfans/import/csv", files=files, headers=headers)
    assert answer.is_success, answer.text


def waiting(stack: Stack, campaigns: list[int]) -> int:
    return sum(books["queued"] + books["sending"] for books in metrics(stack, campaigns))


def metrics(stack: Stack, campaigns: list[int]) -> list[dict[str, int]]:
    return [stack.call("GET", f"/api/campaigns/{each}")["metrics"] for each in campaigns]


def texts(instance: Path) -> dict[str, Counter[int]]:
    """How often each chat got each text of ours, by the platform's own journal."""
    found: dict[str, Counter[int]] = {"the campaign": Counter()}
    for line in (instance / "sandbox.jsonl").read_text().splitlines():
        for kind, body in json.loads(line):
            if kind == "message" and body["mine"]:
                found.setdefault(re.sub(r"</?p>", "", body["text"]), Counter())[body["chat"]] += 1
    return found


def manifest_of(file: Path) -> dict[str, Any]:
    with tarfile.open(file) as tar:
        content = tar.extractfile("manifest.json")
        assert content
        return json.load(content)


def signed_in(stack: Stack) -> httpx.Client:
    browser = http_client(stack.url, limits=FRESH)
    press(browser, "/login", "/login", **DEMO)
    return browser


def press(browser: httpx.Client, page: str, action: str, **values: str) -> None:
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(page).text)
    assert token
    answer = browser.post(action, data={"csrf_token": token[1], **values})
    assert answer.status_code == 302, answer.text
