"""The real process on a free port, a client that speaks its HTTP, and a real endpoint for its webhooks."""

import http.server
import itertools
import json
import queue
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
NUMBERS = itertools.count(1)


class Process:
    def __init__(self, *options: str):
        command = [sys.executable, "-m", "sandbox", "--port", "0", *options]
        self.popen = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.popen.stdout
        self.base = self.popen.stdout.readline().split()[-1]

    def connect(self, account: str = "acct_demo") -> "Sandbox":
        return Sandbox(self.base, account)

    def stop(self) -> int:
        self.popen.terminate()
        return self.popen.wait(5)

    def kill(self) -> None:
        self.popen.kill()
        self.popen.wait(5)


class Sandbox(httpx.Client):
    """Calls of one account, and the control calls."""

    def __init__(self, base: str, account: str):
        super().__init__(
            base_url=base, headers={"Authorization": "Bearer sandbox-test"}, timeout=10, trust_env=False, verify=False
        )
        self.account = account

    def write(self, chat: int = 7, key: str | None = None, **body) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return self.post(f"/api/{self.account}/chats/{chat}/messages", json=body or {"text": "Hi"}, headers=headers)

    def read(self, path: str, **query) -> dict:
        return self.get(f"/api/{self.account}/{path}", params=query).raise_for_status().json()

    def texts(self, chat: int = 7) -> list[str]:
        return [message["text"] for message in self.read(f"chats/{chat}/messages", order="asc", limit=100)["data"]]

    def faults(self, **faults) -> None:
        self.put("/sandbox/faults", json=faults).raise_for_status()

    def sends(self) -> list[dict]:
        return self.get("/sandbox/sends", params={"account": self.account}).json()["sends"]

    def outcomes(self) -> list[str]:
        return [attempt["outcome"] for attempt in self.sends()]

    def stats(self) -> dict:
        return self.get("/sandbox/stats").json()["accounts"][self.account]

    def fan(self, verb: str, chat: int = 7, **body) -> httpx.Response:
        return self.post(f"/sandbox/fans/{chat}/{verb}", json={"account": self.account, **body})


class Endpoint:
    """Takes deliveries; answers 500 as often as it is told to."""

    def __init__(self):
        self.deliveries: queue.Queue[tuple[dict, bytes]] = queue.Queue()
        self.failures = 0
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def _handler(endpoint):  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                failed, endpoint.failures = endpoint.failures > 0, max(0, endpoint.failures - 1)
                endpoint.deliveries.put((dict(self.headers), body))
                self.send_response(500 if failed else 204)
                self.end_headers()

            def log_message(self, *args):
                pass

        return Handler

    def next(self) -> tuple[dict, bytes]:
        return self.deliveries.get(timeout=5)

    def next_event(self) -> dict:
        return json.loads(self.next()[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="session")
def fans_csv(tmp_path_factory):
    path = tmp_path_factory.mktemp("fans") / "fans.csv"
    rows = [
        f'@nova{n},Nova {n},n{n}@example.com,{"Expired" if n % 10 == 9 else "VIP"},"$1,000.{n:02d}",2026-01-02'
        for n in range(45)
    ]
    path.write_text("Username,Display Name,Email,Subscription Tier,Total Spent,Last Seen\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="session")
def process(fans_csv):
    process = Process("--fans", str(fans_csv))
    yield process
    assert process.stop() == 0


@pytest.fixture
def sandbox(process):
    """An account of this test's own, without limit or faults."""
    with Sandbox(process.base, f"acct_test{next(NUMBERS)}") as client:
        client.faults()
        yield client


@pytest.fixture
def start(tmp_path, fans_csv):
    """Starts a process of the test's own on one state file, as often as asked."""
    started = []

    def start(*options: str) -> Process:
        started.append(Process("--state", str(tmp_path / "deep" / "state.jsonl"), "--fans", str(fans_csv), *options))
        return started[-1]

    yield start
    for process in started:
        process.kill()


@pytest.fixture
def demo(process):
    with Sandbox(process.base, "acct_demo") as client:
        client.faults()
        yield client


@pytest.fixture
def unregistered():
    endpoint = Endpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def endpoint(sandbox, unregistered):
    """A registered webhook of the test's own account; its secret is `s3cret`."""
    endpoint = unregistered
    events = [event["value"] for event in sandbox.get("/api/webhooks/events").json()["data"]]
    body = {
        "endpoint_url": endpoint.url,
        "signing_secret": "s3cret",
        "events": events,
        "account_scope": [sandbox.account],
    }
    hook = sandbox.post("/api/webhooks", json=body).raise_for_status().json()["data"]
    yield endpoint
    sandbox.delete(f"/api/webhooks/{hook['id']}").raise_for_status()
