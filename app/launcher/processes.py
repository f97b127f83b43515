"""The Procfile's processes: started, started again when they die, and stopped in order."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Self

from honcho.environ import expand_processes, parse_procfile

from app.config import ROOT

STOP_SECONDS = {
    "web": 6,
    "sender": 30,
    "worker": 30,
    "importer": 30,
    "sandbox": 5,
}  # how long each may take to end its work
STOP_ORDER = (("web",), ("worker", "importer", "sender"), ("sandbox",))
RESTART_PAUSE_SECONDS = 1.0
START_SECONDS = 60
LEFTOVER_SECONDS = 5  # how long what a killed launcher left may take to end its calls


def kind_of(name: str) -> str:
    return name.partition(".")[0]


class AlreadyRunning(Exception):
    pass


class Processes:
    """Use as a context: it holds the instance folder's lock, so that two launchers never share one."""

    def __init__(self, instance: Path, senders: int = 1) -> None:
        self._instance, self._senders = instance, senders
        self._list = instance / "processes.json"
        self._running: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> Self:
        self._lock = (self._instance / "launcher.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise AlreadyRunning(f"Greenroom already runs in {self._instance}.") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.close()

    def commands(self) -> dict[str, str]:
        """By name: sender.1, sender.2 … where there are several of a kind."""
        procfile = parse_procfile((ROOT / "Procfile").read_text())
        concurrency = {"sender": self._senders}
        several = [kind for kind, count in concurrency.items() if count > 1]
        return {
            each.name if kind_of(each.name) in several else kind_of(each.name): each.cmd
            for each in expand_processes(procfile.processes, concurrency=concurrency)
        }

    def start(self, name: str) -> None:
        if name in self._running:
            return
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
        environment |= {"PYTHONUNBUFFERED": "1", "TZ": "UTC"}
        # `exec`, so that the process is the command itself and no shell that signals would stop at.
        self._running[name] = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {self.commands()[name]}"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._write_list()

    def watch(self, stop: threading.Event, also: Any = None) -> None:
        """Until asked to stop: what died is started again. `also` is asked to `ensure()` itself."""
        while not stop.wait(0.2):
            for name, process in list(self._running.items()):
                if process.poll() is None:
                    continue
                say(f"{name} ended with {process.returncode}: it is started again.")
                self._kill_group(process.pid)
                del self._running[name]
                if stop.wait(RESTART_PAUSE_SECONDS):
                    return
                self.start(name)
            if also:
                also.ensure()

    def wait_until_answers(self, name: str, url: str, stop: threading.Event) -> bool:
        """Whether it did, before it died and before anyone asked to stop."""
        ends_at = time.monotonic() + START_SECONDS
        while time.monotonic() < ends_at and self._running[name].poll() is None and not stop.wait(0.02):
            try:
                urllib.request.urlopen(url, timeout=2).close()  # noqa: S310  our own address
            except (urllib.error.URLError, OSError):
                continue
            return True
        return False

    def stop(self) -> None:
        """In order: first who takes in, then who works; each gets its time to end, then it is killed."""
        for kinds in STOP_ORDER:
            names = [name for name in self._running if kind_of(name) in kinds]
            ending = {name: self._running.pop(name) for name in names}
            for process in ending.values():
                process.terminate()
            for name, process in ending.items():
                self._await_end(name, process)
        self._list.unlink(missing_ok=True)

    def _await_end(self, name: str, process: subprocess.Popen) -> None:
        try:
            process.wait(STOP_SECONDS[kind_of(name)])
        except subprocess.TimeoutExpired:
            say(f"{name} did not end in time: it is killed.")
        self._kill_group(process.pid)
        process.wait()

    def clear_leftovers(self) -> None:
        """Ends what a killed launcher left running. A pid that now means something else is left alone."""
        try:
            listed = json.loads(self._list.read_text())
        except (OSError, ValueError):
            return
        leftovers = [(pid, run) for pid, run in listed if _is_of_run(pid, run)]
        for pid, _ in leftovers:
            os.kill(pid, signal.SIGTERM)
        _wait_until_gone(leftovers)
        for pid, run in leftovers:
            if _is_of_run(pid, run):
                self._kill_group(pid)
        _wait_until_gone(leftovers)

    def _write_list(self) -> None:
        run = os.environ["GREENROOM_RUN"]
        draft = self._list.with_suffix(".draft")
        draft.write_text(json.dumps([[process.pid, run] for process in self._running.values()]))
        draft.replace(self._list)

    @staticmethod
    def _kill_group(pid: int) -> None:
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass


def _wait_until_gone(leftovers: list[tuple[int, str]]) -> None:
    ends_at = time.monotonic() + LEFTOVER_SECONDS
    while time.monotonic() < ends_at and any(_is_of_run(pid, run) for pid, run in leftovers):
        time.sleep(0.02)


def _is_of_run(pid: int, run: str) -> bool:
    """Whether this process was started by that run of the launcher: its environment says so."""
    return f"GREENROOM_RUN={run}".encode() in _environment(pid)


def _environment(pid: int) -> bytes:
    try:
        if Path("/proc/self/environ").exists():
            return Path(f"/proc/{pid}/environ").read_bytes()
        return subprocess.run(["ps", "eww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False).stdout  # noqa: S607
    except OSError:
        return b""


def say(line: str) -> None:
    """To the terminal; one that has gone away keeps nobody from stopping in order."""
    try:
        print(line, flush=True)
    except OSError:
        pass


def is_port_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
