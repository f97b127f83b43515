"""Where a bench runs: a fresh database, Valkey, the sandbox platform and worker processes, all real."""

import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from apiflask import APIFlask
from flask_migrate import upgrade

from app import create_app, memory
from app.config import ROOT
from tests import servers

SECRET = "a secret for benches, thirty-two characters long"
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass
class Place:
    app: APIFlask
    sandbox: servers.Sandbox
    environment: dict[str, str]
    workers: list[subprocess.Popen] = field(default_factory=list)

    def start_workers(self, count: int, *queues: str) -> None:
        command = [sys.executable, "worker.py", *queues]
        self.workers += [
            subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for _ in range(count)
        ]  # fmt: skip

    def stop_workers(self) -> None:
        for worker in self.workers:
            worker.terminate()
        for worker in self.workers:
            worker.wait(30)
        self.workers.clear()


@contextmanager
def a_place(database: str, *options: str, kept: Path | None = None) -> Iterator[Place]:
    """database: sqlite or postgres, with these settings of its server.

    `kept`: a folder in which it stays for the next run, and was perhaps left by one.
    """
    folder = kept or Path(tempfile.mkdtemp(prefix="gr-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    with (
        servers.running_valkey() as redis_url,
        servers.running_sandbox() as sandbox,
        _database(database, folder, *options, is_kept=kept is not None) as url,
    ):
        settings = {
            "DATABASE_URL": url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": SECRET,
            "GREENROOM_INSTANCE": str(folder),
        }
        os.environ.update(settings)
        app = create_app()
        logging.getLogger("app.operations.requests").setLevel(
            logging.WARNING
        )  # thousands of lines, between the figures
        with app.app_context():
            upgrade()
        memory.collect_less()  # as web processes and workers do
        place = Place(app, sandbox, dict(os.environ))
        try:
            yield place
        finally:
            place.stop_workers()


@contextmanager
def _database(kind: str, folder: Path, *options: str, is_kept: bool) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bench.sqlite'}"
        return
    with servers.running_postgres(folder / "postgres" if is_kept else None, *options) as server:
        yield servers.make_database(server, "bench")


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of those of its children that it has buried."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(value) for value in fields[11:15]) / TICKS_PER_SECOND


def peak_megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    found = next(line for line in lines if line.startswith(("VmHWM", "VmRSS")))
    return int(found.split()[1]) / 1024


def machine() -> dict[str, object]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}


def percentile(values: list[float], percent: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)]


def add_result(name: str, results: list[dict[str, object]], result: dict[str, object]) -> None:
    """Prints it as a table of names and values, and keeps all of them as JSON in bench/results."""
    results.append(result)
    print()
    for key, value in result.items():
        print(f"  {key:<44} {value}", flush=True)
    file = ROOT / "bench" / "results" / f"{name}.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({"machine": machine(), "results": results}, indent=2) + "\n")
