"""What a page asks of the database although it may take long: it is given up in time, and the page shows less."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from app.database import db, on_postgresql

STEPS_BETWEEN_LOOKS = 10_000  # of SQLite's machine: some tenths of a millisecond


class OutOfPatience(Exception):
    pass


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Whatever is read within is given up after so long. Raises OutOfPatience. Not inside `write()`, which would be over."""
    try:
        with _postgresql_until(seconds) if on_postgresql() else _sqlite_until(seconds):
            yield
    except OperationalError as error:
        given_up = isinstance(error.orig, psycopg.errors.QueryCanceled) or str(error.orig) == "interrupted"
        if not given_up:
            raise
        raise OutOfPatience from error


@contextmanager
def _postgresql_until(seconds: float) -> Iterator[None]:
    """Each statement by itself."""
    before = db.session.scalar(select(func.current_setting("statement_timeout")))
    _set_timeout(f"{max(1, round(seconds * 1000))}ms")
    try:
        yield
    finally:
        _set_timeout(before or "0")


def _set_timeout(value: str) -> None:
    db.session.execute(select(func.set_config("statement_timeout", value, False)))


@contextmanager
def _sqlite_until(seconds: float) -> Iterator[None]:
    driver: Any = db.session.connection().connection.driver_connection
    until = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > until, STEPS_BETWEEN_LOOKS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
