"""Whether the database is up to date, known in milliseconds: then nothing has to wait for the migrations' machinery."""

import re
import sqlite3
from pathlib import Path

import psycopg

from app.config import ROOT

REVISION = re.compile(r'^(revision|down_revision) = "(\w+)"', re.MULTILINE)


class DatabaseAway(Exception):
    """The text is what the database's driver said."""


def is_current(database_url: str) -> bool:
    """False also where the database does not answer or has no tables yet: the migrations then say more."""
    try:
        return _version_of(database_url) == newest_revision()
    except (sqlite3.Error, psycopg.Error):
        return False


def newest_revision() -> str:
    """The one that no other follows."""
    found = [
        match
        for file in (ROOT / "migrations" / "versions").glob("*.py")
        for match in REVISION.findall(file.read_text())
    ]
    followed = {revision for name, revision in found if name == "down_revision"}
    return next(revision for name, revision in found if name == "revision" and revision not in followed)


def _version_of(database_url: str) -> str | None:
    query = "SELECT version_num FROM alembic_version"
    if not database_url.startswith("sqlite:///"):
        with psycopg.connect(
            database_url.replace("postgresql+psycopg://", "postgresql://"), connect_timeout=5
        ) as server:
            row = server.execute(query).fetchone()
            return row[0] if row else None
    file = Path(database_url.removeprefix("sqlite:///"))
    if not file.exists():
        return None
    connection = sqlite3.connect(file)
    try:
        row = connection.execute(query).fetchone()
        return row[0] if row else None
    finally:
        connection.close()
