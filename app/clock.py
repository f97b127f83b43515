"""The steady clock, which nobody can set: the outbox keeps all its times in ticks of it.

A tick is a microsecond. Ticks run with the kernel's boot clock, which no step of the wall clock touches; a base that is
settled once per boot, and shared by all processes of the machine through the database, makes them read like the time
since 1970. So a clock that is put an hour forward sends nothing too early, and one put back holds nothing up. Several
machines take PostgreSQL's clock for their base, and so agree as well.
"""

import time
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import uuid4

from flask import current_app
from sqlalchemy import BigInteger, column, func, select, table, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, db, insert, on_postgresql, utcnow, write

SECOND = 1_000_000  # ticks
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_attempts = table("send_attempts", column("started_tick"), column("answered_tick"))


class Clock(Base):
    """The base of one boot of one machine: ticks = its boot clock + base."""

    __tablename__ = "clocks"

    boot_id: Mapped[str] = mapped_column(primary_key=True)
    base: Mapped[int] = mapped_column(BigInteger)


def now() -> int:
    """In ticks. Never goes back, not even over a restart of the machine with a clock that is wrong."""
    return boot_microseconds() + _base()


def boot_microseconds() -> int:
    """Since this machine was started, its sleep included; where the system has no such clock, since some moment."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000
    return time.monotonic_ns() // 1000


def moment(tick: int) -> datetime:
    """What the wall clock shows at a tick, as far as it is known now."""
    return utcnow() + timedelta(microseconds=tick - now())


def tick_of(moment: datetime) -> int:
    return now() + round((moment - utcnow()).total_seconds() * SECOND)


@cache
def _boot_id() -> str:
    """Without one from the kernel each process stands for itself."""
    return BOOT_ID.read_text().strip() if BOOT_ID.exists() else f"process-{uuid4()}"


def _base() -> int:
    known: dict[str, int] = current_app.extensions.setdefault("greenroom_clock", {})
    if _boot_id() not in known:
        found = _read_base()
        if found is None:
            return _settle_base()  # not kept yet: a unit of work may still be undone
        known[_boot_id()] = found
    return known[_boot_id()]


def _read_base() -> int | None:
    return db.session.scalar(select(Clock.base).where(Clock.boot_id == _boot_id()))


def _settle_base() -> int:
    if db.session().info.get("writing"):
        return _insert_base()
    with write():
        return _insert_base()


def _insert_base() -> int:
    latest = max(_reference(), *(tick or 0 for tick in db.session.execute(_latest()).one()))
    row = {"boot_id": _boot_id(), "base": latest - boot_microseconds()}
    db.session.execute(insert(Clock).values(row).on_conflict_do_nothing())
    return _read_base() or row["base"]


def _latest():
    return select(func.max(_attempts.c.started_tick), func.max(_attempts.c.answered_tick))


def _reference() -> int:
    """Microseconds since 1970, by a clock that all machines on this database share."""
    if on_postgresql():
        return int(db.session.scalar(text("SELECT extract(epoch FROM clock_timestamp()) * 1000000")) or 0)
    return time.time_ns() // 1000
