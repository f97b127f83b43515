"""Bringing a file in: `start` checks and keeps it, `run_import` takes it in, set by set."""

import hashlib
import io
import os
import re
import secrets
import time
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from flask import current_app

from app.accounts.models import Account
from app.background import later
from app.database import db, write
from app.errors import Invalid, NotFound
from app.imports.evidence import Choices
from app.imports.mapping import Plan, inspect
from app.imports.models import Import, ImportKind
from app.imports.running import folder, take_in

SUFFIXES = (".csv", ".tsv", ".txt")
POLICIES = ("reject", "warn")
MARKS = {".": ".", ",": ",", "point": ".", "dot": ".", "comma": ","}


def start(
    account_id: int,
    user_id: int | None,
    *,
    filename: str,
    content: IO[bytes] | bytes,
    kind: str | None = None,
    invalid: str | None = "reject",
    date_order: str | None = None,
    decimal: str | None = None,
    unit: str | None = None,
    currency: str | None = None,
    timezone: str | None = None,
    encoding: str | None = None,
) -> Import:
    """Keeps the file and queues its import. Raises Invalid (400, 413, 415), and then nothing has changed."""
    wanted = _one_of("kind", kind, tuple(ImportKind))
    policy = _one_of("invalid", invalid, POLICIES) or "reject"
    choices = Choices(
        date_order=_one_of("dateOrder", date_order, ("dmy", "mdy", "ymd")),
        decimal=MARKS.get(_one_of("decimal", decimal, tuple(MARKS)) or ""),
        unit=_one_of("unit", unit, ("units", "cents")),
        currency=_currency(currency),
    )
    zone = _zone(account_id, timezone)
    name = _plain_name(filename)
    if not name.casefold().endswith(SUFFIXES):
        raise Invalid(("file", "Only .csv, .tsv and .txt files can be imported."), status=415)
    path = folder() / secrets.token_hex(16)
    try:
        size, digest = _keep(path, io.BytesIO(content) if isinstance(content, bytes) else content)
        with path.open("rb") as file:
            asked = ImportKind(wanted) if wanted else None
            plan = inspect(file, name, kind=asked, choices=choices, encoding=encoding or None, zone=zone)
        return _queue(account_id, user_id, name, path, size, digest, plan, policy)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _queue(
    account_id: int, user_id: int | None, name: str, path: Path, size: int, digest: str, plan: Plan, policy: str
) -> Import:
    with write() as session:
        new = Import(
            account_id=account_id,
            user_id=user_id,
            file_name=name,
            stored_file=path.name,
            size=size,
            sha256=digest,
            kind=plan.kind,
            options={"plan": plan.to_json(), "invalid": policy},
            total_rows=plan.total_rows,
        )
        session.add(new)
    later("run_import", new.id)
    return new


def _keep(path: Path, content: IO[bytes]) -> tuple[int, str]:
    """Writes the upload to disk; returns its size and SHA-256."""
    largest = current_app.config["MAX_UPLOAD_BYTES"]
    digest, size = hashlib.sha256(), 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        while chunk := content.read(1 << 16):
            size += len(chunk)
            if size > largest:
                raise Invalid(("file", f"The file is too large: at most {largest // 1024 // 1024} MB."), status=413)
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _one_of(name: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
    """None for what was not sent."""
    value = (value or "").strip().casefold()
    if not value:
        return None
    if value not in allowed:
        raise Invalid((name, f"Must be one of {', '.join(allowed)}."))
    return value


def _currency(value: str | None) -> str | None:
    value = (value or "").strip().upper()
    if value and not re.fullmatch(r"[A-Z]{3}", value):
        raise Invalid(("currency", "Must be a code of three letters, such as USD."))
    return value or None


def _zone(account_id: int, asked: str | None) -> str:
    account = db.session.get(Account, account_id)
    if account is None:
        raise NotFound
    zone = (asked or "").strip() or account.timezone
    db.session.commit()  # no transaction is held while the file is read
    try:
        return ZoneInfo(zone).key
    except (KeyError, ValueError, OSError) as error:
        raise Invalid(("timezone", "Must be the name of a time zone, such as Europe/Berlin.")) from error


def _plain_name(name: str) -> str:
    base = re.sub(r"[\x00-\x1f\x7f]", "", name.replace("\\", "/").rpartition("/")[2])
    return base[-200:] or "file"


def run_import(import_id: int) -> None:
    """The worker's task. Safe to kill at any moment, and to run again or twice at once."""
    take_in(import_id)


def wait_for(import_id: int, seconds: float) -> Import:
    """The import once it is finished, or as it stands after so many seconds."""
    deadline = time.monotonic() + seconds
    pause = 0.03
    while True:
        found = db.session.get(Import, import_id, populate_existing=True)
        if found is None:
            raise NotFound
        if found.is_finished or time.monotonic() >= deadline:
            return found
        db.session.commit()  # no transaction is held while waiting
        time.sleep(min(pause, max(0.0, deadline - time.monotonic())))
        pause = min(pause * 1.5, 0.5)
