"""The whole of Greenroom as a person starts it: `python -m app`, in processes of its own."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from app.config import DEMO, ROOT, redis_socket
from app.launcher.processes import is_port_free
from tests.servers import FRESH, Sandbox, http_client, is_up, wait_until

PORTS = range(8300, 8400)
START_SECONDS = 120  # some seconds; on a machine that has much else to do, long
KINDS = {
    "launcher": "-m app",
    "web": "gunicorn",
    "worker": "worker.py incoming",
    "sender": "worker.py sending",
    "importer": "worker.py imports",
    "sandbox": "-m sandbox",
    "valkey": "valkey-server",
}


class Stack:
    """One instance folder, started and stopped as often as a test likes. Use as a context: nothing outlives it."""

    def __init__(self, instance: Path, **settings: str) -> None:
        self.instance = instance
        self.log = instance.with_suffix(".log")
        self.run = f"test-{os.getpid()}-{random.getrandbits(40):x}"
        self.environment = environment(instance, **settings) | {"GREENROOM_RUN": self.run}
        self.launcher: subprocess.Popen | None = None
        self._token = ""

    def __enter__(self) -> "Stack":
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        if self.launcher:
            self.launcher.wait(10)

    @property
    def port(self) -> int:
        return int(self.environment["PORT"])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def http(self) -> httpx.Client:
        return _client_of(self.url)

    @property
    def sandbox(self) -> Sandbox:
        return _sandbox_at(f"http://127.0.0.1:{self.environment['SANDBOX_PORT']}")

    def start(self) -> float:
        """Seconds until the first page."""
        began = time.monotonic()
        with self.log.open("ab") as log:
            said = log.tell()
            self.launcher = launch(self.environment, log)
        # What a killed launcher left may still answer: this one says when it has its own.
        wait_until(
            lambda: self.shows_a_page() and b"Greenroom is at" in self.log.read_bytes()[said:], START_SECONDS, 0.02
        )
        return time.monotonic() - began

    def shows_a_page(self) -> bool:
        assert self.launcher is None or self.launcher.poll() is None, self.log.read_text()
        return is_up(f"{self.url}/login")

    def stop(self, number: int = signal.SIGINT, *, group: bool = False) -> float:
        """Seconds until the launcher was gone; with it all that it started, and the ports."""
        assert self.launcher is not None
        began = time.monotonic()
        (os.killpg if group else os.kill)(self.launcher.pid, number)
        code = self.launcher.wait(40)
        seconds = time.monotonic() - began
        assert code == 0, self.log.read_text()
        assert self.pids() == []
        assert is_port_free(self.port)
        assert is_port_free(int(self.environment["SANDBOX_PORT"]))
        return seconds

    def kill(self, kind: str) -> list[int]:
        """With -9, and no warning. Returns who that was."""
        pids = self.pids(kind)
        assert pids, f"no {kind} runs"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        if kind == "launcher" and self.launcher:
            self.launcher.wait(5)
        return pids

    def pids(self, kind: str = "") -> list[int]:
        """Of this run's processes, by the mark in their environment; Valkey writes over its own, so by its socket."""
        mark, socket = f"GREENROOM_RUN={self.run}".encode(), str(redis_socket(self.instance))
        ours = {pid: _command(pid) for pid in _all_pids() if mark in _read(pid, "environ") or socket in _command(pid)}
        return [pid for pid, command in ours.items() if KINDS.get(kind, "") in command]

    def call(self, method: str, path: str, **body: Any) -> Any:
        answer = self._call(method, path, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json()

    def _call(self, method: str, path: str, body: dict[str, Any]) -> httpx.Response:
        if not self._token:
            self._token = self.sign_in().json()["accessToken"]
        headers = {"Authorization": f"Bearer {self._token}"}
        return self.http.request(method, path, json=body or None, headers=headers)

    def sign_in(self, email: str = DEMO["email"], password: str = DEMO["password"]) -> httpx.Response:
        body = {"email": email, "password": password}
        return self.http.post("/api/auth/token", json=body)

    @property
    def token(self) -> str:
        return self._token

    def fans(self, number: int) -> list[int]:
        return [fan["id"] for fan in self.fan_rows(number)]

    def fan_rows(self, number: int) -> list[dict[str, Any]]:
        return self.call("GET", f"/api/crm/fans?sort=name&limit={number}")["fans"]

    def send(self, text: str) -> int:
        """Queues a message to the first fan. Returns its id."""
        return self.call("POST", "/api/onlyfans/messages/send", recipientId=self.fans(1)[0], content=text)["messageId"]

    def went_out(self, *message_ids: int) -> bool:
        return all(self.status(each) in ("sent", "delivered", "read") for each in message_ids)

    def status(self, message_id: int) -> str:
        return self.call("GET", f"/api/onlyfans/messages/{message_id}")["status"]

    def deliver(self, text: str, seconds: float = 40) -> float:
        """Sends a message all the way. Returns the seconds from now until it was sent.

        seconds: right after a start the workers still load what they need, on a busy machine for twenty seconds.
        """
        began = time.monotonic()
        wait_until(lambda: is_up(f"{self.url}/healthz"), seconds)
        message_id = self.send(text)
        wait_until(lambda: self.went_out(message_id), seconds)
        assert text in [each["text"] for each in self.sandbox.sends()]
        return time.monotonic() - began

    def hear(self, text: str, seconds: float = 30) -> None:
        """A fan says something, and it comes in."""
        self.sandbox.fan("say", "100000001", text=text)
        wait_until(lambda: self.call("GET", f"/api/crm/messages?search={text}")["total"] == 1, seconds)


def environment(instance: Path, **settings: str) -> dict[str, str]:
    """As of a shell in which only these settings are made; what this machine says of compiled files is left out."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GREENROOM", "PYTHON"))}
    for name in ("PORT", "SANDBOX_PORT", "REDIS_URL", "DATABASE_URL", "SECRET_KEY"):
        kept.pop(name, None)
    port, sandbox_port = free_ports(2)
    own = {"PORT": str(port), "SANDBOX_PORT": str(sandbox_port), "GREENROOM_INSTANCE": str(instance)}
    compiled = {"PYTHONPYCACHEPREFIX": str(Path(sys.prefix) / ".pycache")}
    return kept | own | compiled | {"GREENROOM_LIMIT_WRITES": "10000/minute"} | settings


def free_ports(number: int) -> list[int]:
    return [port for port in random.sample(PORTS, len(PORTS)) if is_port_free(port)][:number]


def launch(environment: dict[str, str], log: Any) -> subprocess.Popen:
    """In a group of its own, as a shell does it, and told of a terminal that goes away even where the tests are not (nohup)."""
    options: dict[str, Any] = {"stdout": log, "stderr": subprocess.STDOUT}
    return python(["-m", "app"], environment, preexec_fn=_hear_hangup, **options)


def _hear_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def python(arguments: Iterable[str], environment: dict[str, str], **options: Any) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        start_new_session=True,
        **{"stdin": subprocess.DEVNULL} | options,
    )


def output(process: subprocess.Popen) -> tuple[int, str]:
    """Exit code and all that was said, of a process started with a pipe. One that goes on too long is killed."""
    try:
        text, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, text


@cache
def _client_of(url: str) -> httpx.Client:
    return http_client(url, limits=FRESH)


@cache
def _sandbox_at(url: str) -> Sandbox:
    return Sandbox(url)


def _all_pids() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdecimal()]


def _command(pid: int) -> str:
    return _read(pid, "cmdline").replace(b"\0", b" ").decode(errors="replace")


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
