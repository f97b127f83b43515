"""One file that holds everything, made while all runs; and everything from one file, so that nothing is sent twice.

First the database, then the files that its rows name. A file's row stands before the file and goes after it, so each file
that the copied rows need was there when they were copied; only what somebody throws away in these seconds may lack.
The other way round, what is uploaded in between would stand in the rows and not be among the files.
"""

import hashlib
import secrets
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from flask import current_app
from sqlalchemy.dialects import postgresql, sqlite

from app import config, restored
from app.config import ROOT
from app.database import db, utcnow
from app.errors import Conflict, Invalid
from app.operations import archives, dumps
from app.operations.dumps import Snapshot

log = structlog.get_logger()
DIALECTS = {"sqlite": sqlite.dialect, "postgresql": postgresql.dialect}
FOLDERS = ("media", "imports")
UNREAD = "'mapping', 'rehearsing', 'rehearsed', 'applying'"  # imports whose file is still to be read


@dataclass(frozen=True)
class Made:
    path: Path
    bytes: int
    seconds: float
    manifest: dict[str, Any]


def back_up(path: Path) -> Made:
    """path: of the new file. Raises Conflict where there is one; ToolFailed."""
    began = time.monotonic()
    if path.exists():
        raise Conflict(f"{path} is there already: nothing is written over.")
    if not path.parent.is_dir():
        raise Conflict(f"There is no folder {path.parent}.")
    taken_at = utcnow()  # before the snapshot: what was committed until now is in it
    with (
        tempfile.TemporaryDirectory(prefix=".greenroom-backup-", dir=path.parent) as folder,
        dumps.snapshot(_url(), Path(folder)) as snapshot,
        archives.written(path) as archive,
    ):
        manifest = _described(snapshot, taken_at)
        archive.add(snapshot.name, snapshot.dump)
        manifest["missing"] = _add_files(archive, snapshot)
        if _key_is_kept():
            archive.add("secret.key", _kept_key())
        archive.finish(manifest)
    made = Made(path, path.stat().st_size, time.monotonic() - began, manifest)
    log.info("backed_up", bytes=made.bytes, seconds=round(made.seconds, 1), missing=len(manifest["missing"]))
    return made


def _described(snapshot: Snapshot, taken_at: datetime) -> dict[str, Any]:
    kind = dumps.kind_of(_url())
    elsewhere = snapshot.ask("SELECT store, count(*) FROM media WHERE store <> 'folder' GROUP BY store")
    return {
        "greenroom": config.version(),
        "migration": snapshot.ask("SELECT version_num FROM alembic_version")[0][0],
        "database": kind,
        "taken_at": taken_at.isoformat(),
        **dumps.count(snapshot.ask, dumps.tables_of(snapshot.ask, kind)),
        "in_buckets": dict(elsewhere),
        "secret_key": _print_of_key(current_app.config["SECRET_KEY"], secrets.token_hex(16)),
        "secret_key_is_inside": _key_is_kept(),
    }


def _add_files(archive: archives.Writer, snapshot: Snapshot) -> list[str]:
    """Those of the instance folder that the rows name. Returns the ones that are not there."""
    media = snapshot.ask("SELECT file FROM media WHERE store = 'folder' AND discard_at IS NULL")
    imports = snapshot.ask(f"SELECT stored_file FROM imports WHERE status IN ({UNREAD})")  # noqa: S608  our own words
    named = [("media", row[0]) for row in media] + [("imports", row[0]) for row in imports]
    missing = []
    for folder, name in named:
        try:
            archive.add(f"{folder}/{name}", current_app.config["INSTANCE"] / folder / name)
        except FileNotFoundError:
            missing.append(f"{folder}/{name}")
    return missing


@dataclass(frozen=True)
class PutBack:
    manifest: dict[str, Any]
    counted: dict[str, dict[str, int]]  # as in the manifest, after the restore
    set_aside: Path | None

    @property
    def differences(self) -> list[str]:
        """In the backup the database did not yet know of this restore: that row is not one."""
        before, now = self.manifest, self.counted
        expected = before["counts"] | {"restores": before["counts"]["restores"] + 1} | before["sums"]
        found = now["counts"] | now["sums"]
        return [f"{name}: {expected.get(name)} in the backup, {found.get(name)} here"
                for name in sorted(expected | found) if expected.get(name) != found.get(name)]  # fmt: skip


def restore(path: Path, *, replace: bool = False) -> PutBack:
    """From a backup, into the database and the instance folder of the settings; then the migrations run.

    replace: an SQLite database that is there is set aside. Raises Damaged, Conflict, Invalid, ToolFailed: nothing has changed
    then.
    """
    from flask_migrate import upgrade

    manifest = archives.checked_manifest(path)
    _check_fits(manifest)
    aside = _make_room(replace)
    instance: Path = current_app.config["INSTANCE"]
    places = {folder: instance / folder for folder in FOLDERS}
    if _key_is_kept() and manifest["secret_key_is_inside"]:
        places["secret.key"] = _kept_key()
    taken_at = datetime.fromisoformat(manifest["taken_at"])
    name = "database.sqlite" if manifest["database"] == "sqlite" else "database.dump"
    with tempfile.TemporaryDirectory(prefix=".greenroom-restore-", dir=instance) as folder:
        dump = Path(folder) / name
        archives.extract(path, places | {name: dump})
        dumps.put_back(_url(), dump, _held(taken_at, manifest["database"]))
    with dumps.reading(_url()) as ask:
        counted = dumps.count(ask, sorted(manifest["counts"]))
    upgrade()
    log.info("restored", taken_at=manifest["taken_at"], migration=manifest["migration"])
    return PutBack(manifest, counted, aside)


def _check_fits(manifest: dict[str, Any]) -> None:
    from alembic.script import ScriptDirectory

    known = {each.revision for each in ScriptDirectory(str(ROOT / "migrations")).walk_revisions()}
    if manifest["migration"] not in known:
        raise Conflict(
            f"This backup is of a newer Greenroom ({manifest['greenroom']}, migration {manifest['migration']}): "
            "install that one first."
        )
    if manifest["database"] != dumps.kind_of(_url()):
        raise Conflict(f"This backup is of {manifest['database']}, and DATABASE_URL names another kind of database.")
    if not (_key_is_kept() and manifest["secret_key_is_inside"]):
        _check_key(manifest)


def _check_key(manifest: dict[str, Any]) -> None:
    salt = manifest["secret_key"].partition(":")[0]
    if _print_of_key(current_app.config["SECRET_KEY"], salt) != manifest["secret_key"]:
        raise Invalid(
            ("SECRET_KEY", "It is not the one of this backup: the platform keys in it could not be read. Set that one.")
        )


def _make_room(replace: bool) -> Path | None:
    if dumps.is_empty(_url()):
        return None
    if dumps.kind_of(_url()) == "postgresql":
        raise Conflict("The database of DATABASE_URL is not empty: make a new one (createdb) and name that.")
    if not replace:
        raise Conflict(f"There is a database in {dumps.file_of(_url())}. With --replace it is set aside.")
    db.engine.dispose()
    return dumps.set_aside(_url(), f"before-{utcnow():%Y%m%d-%H%M%S}")


def _held(taken_at: datetime, kind: str) -> list[str]:
    dialect = DIALECTS[kind]()
    return [
        str(each.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        for each in restored.hold(taken_at, utcnow())
    ]


def _url() -> str:
    return current_app.config["SQLALCHEMY_DATABASE_URI"]


def _kept_key() -> Path:
    return current_app.config["INSTANCE"] / "secret.key"


def _key_is_kept() -> bool:
    kept = _kept_key()
    return kept.exists() and kept.read_text().strip() == current_app.config["SECRET_KEY"]


def _print_of_key(key: str, salt: str) -> str:
    """By which a key is known again, and from which it cannot be told, even one that a person thought of."""
    return f"{salt}:{hashlib.scrypt(key.encode(), salt=salt.encode(), n=2**14, r=8, p=1, dklen=16).hex()}"
