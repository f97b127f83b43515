"""Background work: the one table of tasks, and how they are queued.

The database always says what is still to do; a job is an alarm clock, which may ring twice or never.
So tasks take ids, may run twice, and a lost Redis loses nothing: the sweep in worker.py rings again.
"""

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from secrets import token_hex
from typing import Any

import structlog
from flask import Flask
from redis import RedisError
from rq import Queue, SimpleWorker
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.registry import FailedJobRegistry

from app import alive
from app.database import db
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
    "cancel_waiting": Task("links", "app.campaigns.cancelling.cancel_waiting", 120),
    "keep_figures": Task("links", "app.analytics.stretches.keep", 120),
    "run_import": Task("imports", "app.imports.actions.run_import", 3600),
    "run_export": Task("imports", "app.portability.actions.run_export", 6 * 3600),
}
FAILURE_KEPT_SECONDS = 7 * 86400  # the latest failure of each job alone, so what fails again and again fills nothing
LOOKED_THROUGH = 1000  # jobs that wait: a burst of many thousands is not read for each that joins it
QUEUES = ("sending", "incoming", "links", "imports")  # a worker takes from the first that has something


stopping = threading.Event()  # set when this worker was asked to stop: a long task ends at its next safe point


def later(task: str, *ids: int) -> None:
    """Queues a task for a worker, unless the same is waiting among the newest already. Call it after the commit.

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
    request_id = structlog.contextvars.get_contextvars().get("request_id", "")
    waiting = {mark_of(job_id) for job_id in queue.get_job_ids(-LOOKED_THROUGH)}
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
                meta={"request_id": request_id},
            )


def do_all(deeds: Iterable[Callable[[], object]]) -> None:
    """One after the other; one that fails keeps none behind it from its turn. Raises ExceptionGroup, in the end."""
    failed = []
    for deed in deeds:
        try:
            deed()
        except Exception as error:
            db.session.rollback()
            failed.append(error)
    if failed:
        raise ExceptionGroup("Not all was done", failed)


class AppWorker(SimpleWorker):
    """An RQ worker whose jobs run in the application's context, a fresh one each."""

    app: Flask
    max_connection_wait_time = 5.0  # seconds between two tries to find a Redis that went away

    def perform_job(self, job: Job, *args: Any, **options: Any) -> bool:
        """Under the id of the request that queued it, so that a log tells the whole story."""
        told = {"request_id": job.meta.get("request_id") or f"job-{token_hex(8)}", "job": mark_of(job.id)}
        with self.app.app_context(), structlog.contextvars.bound_contextvars(**told):
            began = time.monotonic()
            went_well = super().perform_job(job, *args, **options)
            log.info("job_done" if went_well else "job_failed", seconds=round(time.monotonic() - began, 3))
            _forget_earlier_failures(job)
            return went_well

    def request_stop(self, signum: Any, frame: Any) -> None:
        # Not set here: the main thread may be inside this very event, holding its lock.
        threading.Thread(target=stopping.set).start()
        super().request_stop(signum, frame)


def mark_of(job_id: str) -> str:
    """What the job is for: task and ids."""
    return job_id.rpartition("-")[0]


def _forget_earlier_failures(job: Job) -> None:
    failed = FailedJobRegistry(job.origin, connection=job.connection)
    for job_id in failed.get_job_ids():
        if job_id != job.id and mark_of(job_id) == mark_of(job.id):
            failed.remove(job_id, delete_job=True)


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


@dataclass(frozen=True)
class QueueState:
    name: str
    waiting: int
    oldest_seconds: float  # that the first in line has waited
    failed: int
    is_served: bool


def queues() -> list[QueueState]:
    """Raises redis.RedisError."""
    served = queues_served()
    return [_state(Queue(name, connection=get_redis()), is_served=served[name]) for name in QUEUES]


def _state(queue: Queue, *, is_served: bool) -> QueueState:
    first = Job.fetch_many(queue.get_job_ids(0, 1), connection=get_redis())
    since = first[0].enqueued_at if first and first[0] else None
    waited = (datetime.now(UTC) - since.replace(tzinfo=since.tzinfo or UTC)).total_seconds() if since else 0
    return QueueState(queue.name, queue.count, max(waited, 0), queue.failed_job_registry.count, is_served)


def queue_lengths() -> dict[str, int]:
    """How many jobs wait in each queue. Raises redis.RedisError."""
    return {name: Queue(name, connection=get_redis()).count for name in QUEUES}


@dataclass(frozen=True)
class FailedJob:
    """No more of the error than its name: its text may hold what a fan wrote."""

    id: str
    queue: str
    task: str
    ids: tuple[int, ...]
    failed_at: datetime | None
    error: str
    request_id: str


def failed_jobs(most: int = 100) -> list[FailedJob]:
    """The newest first. Raises redis.RedisError."""
    found = [
        _failed(job)
        for name in QUEUES
        for job in Job.fetch_many(_newest_failed(name, most), connection=get_redis())
        if job
    ]
    return sorted(found, key=lambda each: each.failed_at or datetime.min.replace(tzinfo=UTC), reverse=True)[:most]


def _newest_failed(queue: str, most: int) -> list[str]:
    """Those whose week ends last."""
    return FailedJobRegistry(queue, connection=get_redis()).get_job_ids(-most, -1)


def _failed(job: Job) -> FailedJob:
    result = job.latest_result()
    said = (result.exc_string if result else "") or ""
    last = next((line for line in reversed(said.splitlines()) if line and not line.startswith(" ")), "")
    error = last.partition(":")[0].rpartition(".")[2] if last.partition(":")[0].replace(".", "").isidentifier() else ""
    ended = job.ended_at.replace(tzinfo=job.ended_at.tzinfo or UTC) if job.ended_at else None
    task = (job.func_name or "").rpartition(".")[2]
    return FailedJob(job.id, job.origin, task, tuple(job.args), ended, error, job.meta.get("request_id", ""))


def retry_job(job_id: str) -> bool:
    """Puts a failed job in line again. False where it is gone. Raises redis.RedisError."""
    return _with_failed(job_id, lambda failed: failed.requeue(job_id))


def discard_job(job_id: str) -> bool:
    """Forgets a failed job. False where it is gone. Raises redis.RedisError."""
    return _with_failed(job_id, lambda failed: failed.remove(job_id, delete_job=True))


def _with_failed(job_id: str, deed: Callable[[FailedJobRegistry], Any]) -> bool:
    for name in QUEUES:
        failed = FailedJobRegistry(name, connection=get_redis())
        if job_id in failed.get_job_ids():
            with suppress(NoSuchJobError):
                deed(failed)
                return True
    return False


def report_alive(queues: tuple[str, ...]) -> None:
    """A worker says that it lives; RQ itself would count a killed one for minutes. Raises redis.RedisError."""
    alive.say(queues)
    with get_redis().pipeline() as together:
        for name in queues:
            together.set(f"greenroom:alive:{name}", 1, ex=alive.ALIVE_SECONDS)
        together.execute()


def queues_served() -> dict[str, bool]:
    """Whether a worker listens to each queue. Raises redis.RedisError."""
    return {name: bool(get_redis().exists(f"greenroom:alive:{name}")) for name in QUEUES}
