"""The real servers that tests talk to: Valkey, PostgreSQL, the sandbox platform. Each in a folder of its own."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import redis

from app.config import ROOT
from app.launcher.valkey import EmbeddedValkey

FANS = ROOT / "examples" / "fans.csv"


@contextmanager
def running_valkey() -> Iterator[str]:
    """The URL of a fresh Valkey."""
    folder = Path(tempfile.mkdtemp(prefix="gr-valkey-"))
    server = EmbeddedValkey(folder, folder / "valkey.sock")
    server.ensure()
    try:
        yield f"unix://{folder / 'valkey.sock'}"
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def postgres_folder() -> Path | None:
    """Where PostgreSQL's programs are on this machine, if anywhere."""
    found = shutil.which("postgres")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "initdb").exists()), None)


@contextmanager
def running_postgres(kept: Path | None = None, *options: str) -> Iterator[str]:
    """The URL of a fresh PostgreSQL's maintenance database. PostgreSQL refuses to run as root: then as `postgres`.

    `kept`: a folder where its data stay, and were perhaps left by a run before. `options`: its settings, as `name=value`.
    """
    programs = postgres_folder()
    assert programs is not None
    folder = kept or Path(tempfile.mkdtemp(prefix="gr-pg-"))
    folder.mkdir(exist_ok=True)
    owner = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if owner:
        shutil.chown(folder, "postgres")

    def run(*command: str) -> None:
        subprocess.run([*owner, *command], check=True, capture_output=True, cwd=folder)

    if not (folder / "data").exists():
        command = ("-D", str(folder / "data"), "-U", "greenroom", "-A", "trust", "-E", "UTF8", "--no-sync")
        run(str(programs / "initdb"), *command)
    settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
    settings += "".join(f" -c {each}" for each in options)
    run(str(programs / "pg_ctl"), "-D", str(folder / "data"), "-w", "-l", str(folder / "log"), "-o", settings, "start")
    try:
        yield f"postgresql://greenroom@/postgres?host={folder}"
    finally:
        run(str(programs / "pg_ctl"), "-D", str(folder / "data"), "-m", "fast" if kept else "immediate", "stop")
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)


def make_database(server_url: str, name: str) -> str:
    """Or finds it, where its server's data were kept."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            connection.execute(f'CREATE DATABASE "{name}"')  # type: ignore[arg-type]
    return server_url.replace("/postgres?", f"/{name}?")


def http_client(url: str = "", **options: Any) -> httpx.Client:
    """For servers of this machine, which speak in the clear: to read the certificates of all authorities takes longer
    than a call."""
    return httpx.Client(base_url=url, trust_env=False, verify=False, **{"timeout": 30, **options})


def is_up(url: str) -> bool:
    try:
        return _KNOCKING.get(url).is_success
    except httpx.HTTPError:
        return False


# A connection of its own for each call: of several web processes, another may take the next one.
FRESH = httpx.Limits(max_keepalive_connections=0)
_KNOCKING = http_client(timeout=2, limits=FRESH)


class Sandbox:
    """The stand-in platform, and its levers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = http_client(url, timeout=10)

    def reset(self) -> None:
        self.faults()
        self._http.delete("/sandbox/sends").raise_for_status()

    def faults(self, **wanted: float) -> None:
        self._http.put("/sandbox/faults", json=wanted).raise_for_status()

    def quieten(self) -> None:
        """From here on the fans write only when a test makes them."""
        self._http.put("/sandbox/autoplay", json={"on": False}).raise_for_status()

    def sends(self, account: str = "") -> list[dict]:
        found = self._http.get("/sandbox/sends", params={"account": account} if account else {})
        return found.raise_for_status().json()["sends"]

    def stats(self) -> dict:
        return self._http.get("/sandbox/stats").raise_for_status().json()

    def fan(self, verb: str, chat_id: str, **body: object) -> dict:
        return self._http.post(f"/sandbox/fans/{chat_id}/{verb}", json=body).raise_for_status().json()

    def delete(self, chat_id: str, message_id: int) -> None:
        """A message of the creator's, on the platform."""
        path = f"/api/acct_demo/chats/{chat_id}/messages/{message_id}"
        self._http.delete(path, headers={"Authorization": "Bearer sandbox-test"}).raise_for_status()

    def redeliver(self, last: int) -> None:
        self._http.post("/sandbox/webhooks/redeliver", json={"last": last}).raise_for_status()


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--fans", str(FANS)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Sandbox(process.stdout.readline().split()[-1])
    finally:
        process.terminate()
        process.wait(10)


def wait_until(condition, seconds: float = 10, every: float = 0.05):
    """What the condition gives once it is true. Raises AssertionError when the time is over."""
    ends_at = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < ends_at, f"not within {seconds} s: {condition}"
        time.sleep(every)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def empty_redis(url: str) -> None:
    redis.Redis.from_url(url).flushall()
