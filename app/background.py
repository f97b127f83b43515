"""Background work: the one table of tasks, and how they are queued.

The database always says what is still to do; a job is an alarm clock, which may ring twice or never.
So tasks take ids, may run twice, and a lost Redis loses nothing: the sweep in worker.py rings again.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from secrets import token_hex
from typing import Any

import structlog
from flask import Flask
from redis import RedisError
from rq import Queue, SimpleWorker
from rq.job import Job

from app.extensions import connect_redis, get_redis

log = structlog.get_logger()


@dataclass(frozen=True)
class Task:
    queue: str
    function: str
    timeout_seconds: int = 600


TASKS = {
    "drain": Task("sending", "app.conversations.outbox.drain"),
    "handle_event": Task("incoming", "app.conversations.incoming.handle_event", 60),
    "read_back": Task("incoming", "app.conversations.read_back.read_back", 120),
    "catch_up": Task("incoming", "app.conversations.catching_up.catch_up", 600),
    "sync_fans": Task("links", "app.fans.sync.sync_fans", 120),
    "discard_media": Task("links", "app.media.actions.discard_media", 120),
    "prepare_campaign": Task("links", "app.campaigns.preparing.prepare_campaign", 120),
    "run_import": Task("imports", "app.imports.actions.run_import", 3600),
}
FAILURE_KEPT_SECONDS = 3600  # the log has it for longer; what fails again and again must not fill Redis
QUEUES = ("sending", "incoming", "links", "imports")  # a worker takes from the first that has something

ALIVE_SECONDS = 10

stopping = threading.Event()  # set when this worker was asked to stop: a long task ends at its next safe point


def later(task: str, *ids: int) -> None:
    """Queues a task for a worker, unless the same is waiting already. Call it after the commit.

    With Redis away it only logs: the sweep finds the work.
    """
    later_each(task, [ids])


def later_each(task: str, each_ids: Iterable[tuple[int, ...]]) -> None:
    """As `later`, for each of many ids."""
    try:
        _enqueue(TASKS[task], each_ids)
    except RedisError as error:
        log.warning("wake_up_lost", task=task, error=type(error).__name__)


def _enqueue(task: Task, each_ids: Iterable[tuple[int, ...]]) -> None:
    queue = Queue(task.queue, connection=get_redis())
    waiting = {job_id.rpartition("-")[0] for job_id in queue.get_job_ids()}
    for ids in each_ids:
        # The id says what the job is for. A fixed one would not do: a second job of a running one's id goes with the
        # first. Two callers may both find none waiting: then it runs twice, which every task allows.
        mark = "-".join([task.function.rpartition(".")[2], *map(str, ids)])
        if mark not in waiting:
            queue.enqueue(
                task.function,
                *ids,
                job_id=f"{mark}-{token_hex(8)}",
                job_timeout=task.timeout_seconds,
                result_ttl=0,
                failure_ttl=FAILURE_KEPT_SECONDS,
            )


class AppWorker(SimpleWorker):
    """An RQ worker whose jobs run in the application's context, a fresh one each."""

    app: Flask
    max_connection_wait_time = 5.0  # seconds between two tries to find a Redis that went away

    def perform_job(self, job: Job, *args: Any, **options: Any) -> bool:
        with self.app.app_context():
            return super().perform_job(job, *args, **options)

    def request_stop(self, signum: Any, frame: Any) -> None:
        # Not set here: the main thread may be inside this very event, holding its lock.
        threading.Thread(target=stopping.set).start()
        super().request_stop(signum, frame)


def make_worker(app: Flask, queues: tuple[str, ...]) -> AppWorker:
    connection = connect_redis(app.config["REDIS_URL"], socket_timeout=None)
    worker = AppWorker(
        [Queue(name, connection=connection) for name in queues], connection=connection, maintenance_interval=60
    )
    worker.app = app
    return worker


def load_tasks() -> None:
    """Imports every task's module now, so that no job pays for it."""
    for task in TASKS.values():
        import_module(task.function.rpartition(".")[0])


def queue_lengths() -> dict[str, int]:
    """How many jobs wait in each queue. Raises redis.RedisError."""
    return {name: Queue(name, connection=get_redis()).count for name in QUEUES}


def report_alive(queues: tuple[str, ...]) -> None:
    """A worker says that it lives; RQ itself would count a killed one for minutes. Raises redis.RedisError."""
    for name in queues:
        get_redis().set(f"greenroom:alive:{name}", 1, ex=ALIVE_SECONDS)


def queues_served() -> dict[str, bool]:
    """Whether a worker listens to each queue. Raises redis.RedisError."""
    return {name: bool(get_redis().exists(f"greenroom:alive:{name}")) for name in QUEUES}
