"""A worker's task in a process of its own, which a test may kill."""

import os
import traceback
from collections.abc import Callable

from flask import Flask

from app.database import db


def forked(app: Flask, task: Callable[[int], None], row_id: int) -> int:
    """Begins it. Returns the process's pid; its exit code is 0 where the task came to its end."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        with app.app_context():
            db.engine.dispose(close=False)  # the connections are the parent's
            task(row_id)
            code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
