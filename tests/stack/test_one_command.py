"""`python -m app`: it starts, works, says no clearly, and stops without a trace."""

import signal
import subprocess
from pathlib import Path

import pytest

from app.config import DEMO
from tests.servers import is_up
from tests.stack.stack import Stack, environment, free_ports, output, python


def refused(environment: dict[str, str], *arguments: str) -> subprocess.Popen:
    return python(arguments or ["-m", "app"], environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.timeout(240)
def test_an_instance_starts_works_stops_and_starts_again(tmp_path: Path) -> None:
    with Stack(tmp_path / "instance", GREENROOM_PACE="20/2") as stack:
        print(f"first start: {stack.start():.2f} s")
        stack.deliver("The first of all")
        a_second_launcher_and_a_taken_port_are_refused(stack)
        print(f"Ctrl-C: {stack.stop(signal.SIGINT, group=True):.2f} s")

        print(f"second start: {stack.start():.2f} s")
        stack.deliver("The second day")
        print(f"SIGTERM: {stack.stop(signal.SIGTERM):.2f} s")
        nothing_secret_is_logged(stack)


def a_second_launcher_and_a_taken_port_are_refused(stack: Stack) -> None:
    port, sandbox_port = free_ports(2)
    same = refused(stack.environment | {"GREENROOM_RUN": "other", "PORT": str(port), "SANDBOX_PORT": str(sandbox_port)})
    beside = refused(environment(stack.instance.with_name("other"), PORT=str(stack.port)))
    assert output(same) == (1, f"Greenroom already runs in {stack.instance}.\n")
    assert output(beside) == (1, f"Greenroom cannot start. Port {stack.port} is taken: set PORT to another.\n")
    assert is_up(f"{stack.url}/healthz")


def nothing_secret_is_logged(stack: Stack) -> None:
    printed_for_all = f"  Demo sign-in: {DEMO['email']}  {DEMO['password']}\n"
    log = stack.log.read_text().replace(printed_for_all, "")
    secrets = ["sandbox-demo", DEMO["password"], stack.token, "Bearer ", (stack.instance / "secret.key").read_text()]
    assert [secret for secret in secrets if secret in log] == []
    assert "Traceback" not in log


def test_what_cannot_be_meant_is_refused_by_name(tmp_path: Path) -> None:
    (taken,) = free_ports(1)
    wrong = {
        "PORT": {"PORT": "abc"},
        "GREENROOM_PACE": {"GREENROOM_PACE": "x"},
        "GREENROOM_LIMIT_WRITES": {"GREENROOM_LIMIT_WRITES": "lots"},
        "SECRET_KEY": {"GREENROOM_ENV": "production", "SECRET_KEY": "short"},
        "PORT must be at most": {"PORT": "65536"},
        "must differ": {"PORT": str(taken), "SANDBOX_PORT": str(taken)},
    }
    started = {text: refused(environment(tmp_path, **settings)) for text, settings in wrong.items()}
    gunicorn = refused(environment(tmp_path, GREENROOM_ENV="production"), "-c", "import wsgi")
    for text, process in started.items():
        code, said = output(process)
        assert code == 2, said
        assert text in said
        assert len(said.splitlines()) == 1
    code, said = output(gunicorn)
    assert code != 0
    assert "SECRET_KEY must be set" in said
