"""A worker process: `python worker.py QUEUE [QUEUE …]` (all queues without a name).

Beside its jobs it sweeps: every two seconds it looks in the database for work whose wake-up was lost, and rings again.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from secrets import token_hex

os.environ.setdefault("TZ", "UTC")
time.tzset()

import structlog
from flask import Flask

from app import background, create_app, memory, sweep
from app.conversations import senders

log = structlog.get_logger()
SWEEP_SECONDS = 2


def main() -> None:
    app = create_app()
    background.load_tasks()
    memory.collect_less()
    queues = tuple(sys.argv[1:]) or background.QUEUES
    with _looking_around(app):
        _say_alive(queues)  # before the first job: a sender is to know which it is
    threading.Thread(target=_sweep, args=(app, queues), daemon=True, name="sweep").start()
    while not background.stopping.is_set():
        try:
            background.make_worker(app, queues).work()
        except Exception:
            log.exception("worker_interrupted")
        # Asked to stop, or Redis went away in a moment when RQ gives up: then the process stays, and tries anew.
        background.stopping.wait(1)
    with app.app_context():
        senders.stopped()


def _sweep(app: Flask, queues: tuple[str, ...]) -> None:
    while not background.stopping.is_set():
        with _looking_around(app):
            _say_alive(queues)
            sweep.ring_again(queues)
        background.stopping.wait(SWEEP_SECONDS)


@contextmanager
def _looking_around(app: Flask) -> Iterator[None]:
    """What goes wrong is written down, and the next look makes it good."""
    try:
        with app.app_context(), structlog.contextvars.bound_contextvars(request_id=f"sweep-{token_hex(8)}"):
            yield
    except Exception:
        log.exception("sweep_failed")


def _say_alive(queues: tuple[str, ...]) -> None:
    background.report_alive(queues)
    if "sending" in queues:
        senders.beat()


if __name__ == "__main__":
    main()
