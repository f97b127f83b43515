"""Which processes run: each says so every few seconds, and is forgotten soon after it has said so for the last time."""

import json
import os
import socket
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from flask import Flask
from redis import RedisError

from app.extensions import get_redis

log = structlog.get_logger()
SAY_EVERY_SECONDS = 3
ALIVE_SECONDS = 10
KEY = "greenroom:process:"
STARTED_AT = datetime.now(UTC)


@dataclass(frozen=True)
class Process:
    host: str
    pid: int
    serves: tuple[str, ...]  # queues, or "pages"
    since: datetime


def say(serves: tuple[str, ...]) -> None:
    """Raises redis.RedisError."""
    who = {"host": socket.gethostname(), "pid": os.getpid(), "serves": serves, "since": STARTED_AT.isoformat()}
    get_redis().set(f"{KEY}{who['host']}:{who['pid']}", json.dumps(who), ex=ALIVE_SECONDS)


def keep_saying(app: Flask, serves: tuple[str, ...]) -> None:
    """From a thread of this process, as long as it runs."""

    def run() -> None:
        with app.app_context():
            while True:
                try:
                    say(serves)
                except RedisError as error:
                    log.warning("not_said_to_be_alive", error=type(error).__name__)
                time.sleep(SAY_EVERY_SECONDS)

    threading.Thread(target=run, daemon=True, name="alive").start()


def processes() -> list[Process]:
    """Raises redis.RedisError."""
    keys = sorted(get_redis().scan_iter(f"{KEY}*", count=1000))
    told = get_redis().mget(keys) if keys else []
    found = [json.loads(each) for each in told if each]
    return [
        Process(each["host"], each["pid"], tuple(each["serves"]), datetime.fromisoformat(each["since"]))
        for each in found
    ]
