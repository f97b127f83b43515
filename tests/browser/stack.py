"""Greenroom as `make run` starts it, in a fresh instance on free ports, and the program's door to it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.config import DEMO, ROOT
from tests.servers import Sandbox, http_client, is_up, wait_until

START_SECONDS, STOP_SECONDS = 100, 30
BOB = {"email": "bob@example.com", "password": "correct horse battery"}
PLENTY = "100000/minute"


class Stack:
    def __init__(self, folder: Path, port: int, sandbox_port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        self.sandbox = Sandbox(f"http://127.0.0.1:{sandbox_port}")
        self.environment = os.environ | {
            "GREENROOM_INSTANCE": str(folder),
            "PORT": str(port),
            "SANDBOX_PORT": str(sandbox_port),
            "GREENROOM_PACE": "1000/1",
            "GREENROOM_MEDIA_HOSTS": "localhost",
            "GREENROOM_LIMIT_WRITES": PLENTY,
            "GREENROOM_LIMIT_IMPORTS": PLENTY,
            "GREENROOM_LIMIT_BULK": PLENTY,
            "GREENROOM_LIMIT_SIGN_IN": PLENTY,
        }
        for name in ("REDIS_URL", "DATABASE_URL", "GREENROOM_ENV", "GREENROOM_RUN"):
            self.environment.pop(name, None)
        self.http = http_client(self.url)

    def sign_in(self) -> None:
        token = self.call("POST", "/api/auth/token", json=DEMO)["accessToken"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **options: Any) -> Any:
        """An API call of Ada's own program."""
        answer = self.http.request(method, path, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def add_person(self, email: str, password: str, role: str, account: str = "Ada Green") -> None:
        add_person(self.environment, email, password, role, account)

    def set_pace(self, limit: int, seconds: int) -> None:
        connection = self.call("GET", "/api/connections")["connections"][0]
        pace = {"limit": limit, "windowSeconds": seconds}
        self.call("PUT", f"/api/connections/{connection['id']}", json={"pace": pace})

    def fan(self, number: int) -> dict:
        """The fan in this line of the example file, as the API shows them."""
        return self.call("GET", f"/api/crm/fans/{number}")

    def tag_fans(self, numbers: range, tag: str) -> None:
        for number in numbers:
            self.call("PUT", f"/api/crm/fans/{number}", json={"tags": [tag]})


def add_person(environment: dict[str, str], email: str, password: str, role: str, account: str = "Ada Green") -> None:
    """With the command that the README names, in Ada's account or another, which is made."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "user", "add", email, "--account", account]
    subprocess.run(
        [*command, "--role", role, "--password-stdin"],
        cwd=ROOT,
        env=environment,
        input=password + "\n",
        text=True,
        check=True,
        capture_output=True,
        timeout=30,
    )


@contextmanager
def running_stack() -> Iterator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="gr-browser-"))
    stack = Stack(folder, *_free_ports(2))
    log = folder / "launcher.log"
    with log.open("wb") as output:
        launcher = subprocess.Popen(
            [sys.executable, "-m", "app"],
            cwd=ROOT,
            env=stack.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        try:
            wait_until(lambda: launcher.poll() is not None or is_up(f"{stack.url}/healthz"), START_SECONDS)
            assert launcher.poll() is None
        except AssertionError as error:
            raise AssertionError(f"Greenroom did not start:\n{log.read_text()[-3000:]}") from error
        yield stack
    finally:
        _stop(launcher)
        shutil.rmtree(folder, ignore_errors=True)


def _stop(launcher: subprocess.Popen) -> None:
    if launcher.poll() is None:
        launcher.send_signal(signal.SIGINT)
    try:
        launcher.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        launcher.kill()
        raise


def _free_ports(count: int) -> list[int]:
    """Ports nobody has now; held all at once, so that they differ."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
