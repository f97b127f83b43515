"""Files of accounts on their way and when they are whole: in a folder that only this instance's user may look into."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from flask import current_app

from app.database import fold
from app.errors import DomainError
from app.formats import day

LEAST_FREE = 256 * 1024 * 1024  # bytes of the disk that are left to everything else, the database above all


class NoRoom(DomainError):
    def __init__(self) -> None:
        super().__init__("The disk is full. Make room on it, then begin the export again.", 507)


def folder() -> Path:
    path = current_app.config["INSTANCE"] / "exports"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def place_of(stored_file: str) -> Path:
    return folder() / f"{stored_file}.zip"


@contextmanager
def draft(stored_file: str) -> Iterator[Path]:
    """A file to write into; gone again afterwards unless it was kept."""
    path = folder() / f"{stored_file}.part"
    path.touch(mode=0o600, exist_ok=False)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def sync(path: Path) -> int:
    """Has it on the disk. Returns its size."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
        return file.seek(0, 2)


def keep(path: Path, stored_file: str) -> None:
    path.rename(place_of(stored_file))


def check_room() -> None:
    """Raises NoRoom before the disk is so full that nobody can write any more."""
    if shutil.disk_usage(folder()).free < LEAST_FREE:
        raise NoRoom


def names() -> set[str]:
    return {each.name for each in folder().iterdir()}


def remove(those: set[str]) -> None:
    for each in those:
        (folder() / each).unlink(missing_ok=True)


def names_of(stored_file: str) -> set[str]:
    """All that may lie there for it."""
    return {f"{stored_file}.part", f"{stored_file}.zip"} if stored_file else set()


def name_for(account_name: str, moment: datetime, zone: str) -> str:
    """As it is downloaded: "greenroom-adas-account-2026-11-28.zip"."""
    plain = re.sub(r"[^a-z0-9]+", "-", fold(account_name).replace("'", "").replace("’", "")).strip("-")[:60]
    return "-".join(filter(None, ("greenroom", plain, day(moment, zone)))) + ".zip"
