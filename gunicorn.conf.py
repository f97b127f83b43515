"""How the web process runs. Every open socket holds a thread, so sockets are capped well below the threads."""

import os
import shutil
from pathlib import Path
from typing import Any

from app.config import ROOT

# Several web processes count requests together, in files: see app/measured.py.
_counts = Path(os.environ.get("GREENROOM_INSTANCE") or ROOT / "instance") / "metrics"
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(_counts)

bind = f"127.0.0.1:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
worker_class = "gthread"
threads = int(os.environ.get("GREENROOM_SOCKETS") or 200) + 40
worker_connections = threads + 760  # more than the threads: the rest are lines kept open between two requests
timeout = 120
graceful_timeout = 3
keepalive = 20
control_socket_disable = True
accesslog = None


def on_starting(_server: Any) -> None:
    """What processes of before counted is gone with them: Prometheus knows a restart when it sees one."""
    shutil.rmtree(_counts, ignore_errors=True)
    _counts.mkdir(mode=0o700, parents=True)


def child_exit(_server: Any, worker: Any) -> None:
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)


def post_worker_init(worker: Any) -> None:
    from app import alive, memory

    memory.collect_less()
    alive.keep_saying(worker.app.wsgi(), ("pages",))
