"""A database as one file, as it stands at one moment, and back: each kind by its own tools, while everything runs."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app.database import Base
from app.errors import Conflict, DomainError

SUMS = {"transactions": ("gross_cents", "net_cents"), "messages": ("price_cents",)}


class ToolFailed(DomainError):
    pass


@dataclass(frozen=True)
class Snapshot:
    """One moment of a database. `ask` answers for that moment, whatever is written meanwhile."""

    name: str  # of the file in an archive
    dump: Path
    ask: Callable[[str], list[tuple[Any, ...]]]


def kind_of(url: str) -> str:
    return "sqlite" if url.startswith("sqlite:///") else "postgresql"


@contextmanager
def snapshot(url: str, folder: Path) -> Iterator[Snapshot]:
    """The dump lies in the folder. Raises ToolFailed."""
    make = _snapshot_of_sqlite if kind_of(url) == "sqlite" else _snapshot_of_postgresql
    with make(url, folder) as made:
        yield made


@contextmanager
def _snapshot_of_sqlite(url: str, folder: Path) -> Iterator[Snapshot]:
    """SQLite's own copy, in one step: it reads one state, and those who write go on."""
    copy = folder / "database.sqlite"
    with closing(sqlite3.connect(file_of(url))) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=delete")  # one file
        yield Snapshot("database.sqlite", copy, lambda query: target.execute(query).fetchall())


@contextmanager
def _snapshot_of_postgresql(url: str, folder: Path) -> Iterator[Snapshot]:
    """pg_dump reads the very snapshot that the counts are made from."""
    dump = folder / "database.dump"
    with psycopg.connect(_plain(url)) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        moment = connection.execute("SELECT pg_export_snapshot()").fetchone()
        assert moment is not None
        # Not compressed: the archive is, as a whole.
        _run(url, "pg_dump", "--format=custom", "--compress=0", f"--snapshot={moment[0]}", f"--file={dump}")
        yield Snapshot("database.dump", dump, lambda query: connection.execute(query).fetchall())  # type: ignore[arg-type]


def tables_of(ask: Callable[[str], list[tuple[Any, ...]]], kind: str) -> list[str]:
    """Ours that are there: a backup of before may have fewer."""
    catalog = "SELECT name FROM sqlite_master WHERE type = 'table'"
    if kind == "postgresql":
        catalog = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    return sorted({row[0] for row in ask(catalog)} & set(Base.metadata.tables))


def count(ask: Callable[[str], list[tuple[Any, ...]]], tables: list[str]) -> dict[str, dict[str, int]]:
    """Rows of each table; sums of some columns, in cents."""
    counts = {each: int(ask(f"SELECT count(*) FROM {each}")[0][0]) for each in tables}  # noqa: S608  our own names
    sums = {
        f"{table}.{name}": int(ask(f"SELECT coalesce(sum({name}), 0) FROM {table}")[0][0])  # noqa: S608
        for table, names in SUMS.items()
        for name in names
        if table in tables
    }
    return {"counts": counts, "sums": sums}


def is_empty(url: str) -> bool:
    """Whether nothing of ours, or of anybody's, is in it."""
    if kind_of(url) == "sqlite":
        return not file_of(url).exists()
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    with psycopg.connect(_plain(url)) as connection:
        found = connection.execute(tables).fetchone()
    return found == (0,)


def put_back(url: str, dump: Path, statements: list[str]) -> None:
    """The dump's content and what the statements make of it, whole or not at all. Raises ToolFailed, Conflict."""
    (_put_back_sqlite if kind_of(url) == "sqlite" else _put_back_postgresql)(url, dump, statements)


def _put_back_sqlite(url: str, dump: Path, statements: list[str]) -> None:
    with closing(sqlite3.connect(dump)) as copy:
        if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise ToolFailed("The database in the backup is damaged.")
        with copy:
            for each in statements:
                copy.execute(each)
    place = file_of(url)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place.with_name(f".{place.name}.restored")
    shutil.copyfile(dump, draft)
    draft.chmod(0o600)
    with draft.open("rb+") as file:
        os.fsync(file.fileno())
    draft.replace(place)


def set_aside(url: str, mark: str) -> Path:
    """Moves an SQLite file that nobody has open out of the way. Raises Conflict where somebody has."""
    place = file_of(url)
    with closing(sqlite3.connect(place, timeout=1)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=delete")  # takes in what is in the log; only the last user may
        except sqlite3.OperationalError as error:
            raise Conflict("The database is in use: stop every process of Greenroom first.") from error
    aside = place.with_name(f"{place.name}.{mark}")
    place.rename(aside)
    return aside


def _put_back_postgresql(url: str, dump: Path, statements: list[str]) -> None:
    """One transaction. A pg_restore that breaks off must not be taken for an end: then psql is killed, before it commits."""
    options = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--output=/dev/null")
    psql = subprocess.Popen(
        [_tool("psql"), _address(url), *options], stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=_environment(url)
    )
    assert psql.stdin is not None
    script = [_tool("pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(dump)]
    read = subprocess.run(script, stdout=psql.stdin, stderr=subprocess.PIPE, check=False)
    if read.returncode:
        psql.kill()
        psql.communicate()
        raise ToolFailed(f"pg_restore: {read.stderr.decode(errors='replace').strip()}")
    last = "SET search_path = public;\n" + "".join(f"{each};\n" for each in statements)
    said = psql.communicate(last.encode())[1]
    if psql.returncode:
        raise ToolFailed(f"psql: {said.decode(errors='replace').strip()}")


@contextmanager
def reading(url: str) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    if kind_of(url) == "sqlite":
        with closing(sqlite3.connect(file_of(url))) as connection:
            yield lambda query: connection.execute(query).fetchall()
    else:
        with psycopg.connect(_plain(url)) as connection:
            yield lambda query: connection.execute(query).fetchall()  # type: ignore[arg-type]


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def _run(url: str, tool: str, *arguments: str) -> None:
    done = subprocess.run(
        [_tool(tool), _address(url), *arguments], env=_environment(url), capture_output=True, check=False
    )
    if done.returncode:
        raise ToolFailed(f"{tool}: {done.stderr.decode(errors='replace').strip()}")


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ToolFailed(f"{name} is not on this machine: install PostgreSQL's client programs.")
    return found


def _address(url: str) -> str:
    """Without the password: other users of the machine can read a command line."""
    parts: dict[str, Any] = {name: value for name, value in conninfo_to_dict(_plain(url)).items() if name != "password"}
    return f"--dbname={make_conninfo(**parts)}"


def _environment(url: str) -> dict[str, str]:
    password = conninfo_to_dict(_plain(url)).get("password")
    return dict(os.environ) | ({"PGPASSWORD": str(password)} if password else {})
