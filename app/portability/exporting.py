"""An account into a file: read as it stood at one moment, row by row, so that a large one takes no more memory."""

import zipfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, select

from app import config
from app.accounts.models import Account, Membership, User
from app.database import db, on_postgresql, table_of, utcnow
from app.errors import NotFound
from app.media import stores
from app.media.models import Medium
from app.portability.archive import MANIFEST, PEOPLE, Manifest, file_of, line_of, name_of
from app.portability.catalogue import PARTS, STAYS_OF_ACCOUNT, Part
from app.portability.pace import Progress, SoFar

ROWS_AT_ONCE = 1000


def export_account(account_id: int, path: Path, progress: Progress = lambda so_far: None) -> Manifest:
    """Writes it whole; a part of a file may stand where this raises. Raises NotFound."""
    with _at_one_moment() as connection, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as file:
        return _Writer(connection, file, account_id, progress).write()


@contextmanager
def _at_one_moment() -> Iterator[Connection]:
    """All that is read shows the same moment, whatever others write meanwhile."""
    with db.engine.connect() as connection:
        if on_postgresql():
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


class _Writer:
    def __init__(self, connection: Connection, file: zipfile.ZipFile, account_id: int, progress: Progress) -> None:
        self._connection, self._file, self._account_id, self._progress = connection, file, account_id, progress
        self._highest: dict[str, int] = defaultdict(int)
        self._people: set[int] = set()
        self._so_far = SoFar()

    def write(self) -> Manifest:
        manifest = Manifest(greenroom=config.version(), exported_at=utcnow().isoformat(), account=self._account())
        for part in PARTS:
            self._count(part)
        for part in PARTS:
            self._write_part(part, manifest)
        self._write_people(manifest)
        self._write_media(manifest)
        manifest.highest = dict(self._highest)
        self._file.writestr(MANIFEST, manifest.as_json())
        self._so_far.is_whole = True
        self._progress(self._so_far)
        return manifest

    def _account(self) -> dict[str, Any]:
        table = table_of(Account)
        columns = [each for each in table.columns if each.name not in STAYS_OF_ACCOUNT]
        row = self._connection.execute(select(*columns).where(table.c.id == self._account_id)).mappings().first()
        if row is None:
            raise NotFound("There is no such account.")
        return dict(row)

    def _count(self, part: Part) -> None:
        rows = _rows_of(part, self._account_id).order_by(None).subquery()
        count = self._connection.scalar(select(func.count()).select_from(rows)) or 0
        self._so_far.of_rows += count
        if part.model is Medium:
            self._so_far.of_files = count
        self._progress(self._so_far)

    def _write_part(self, part: Part, manifest: Manifest) -> None:
        cents = [name for name in part.columns if name.endswith("_cents")]
        sums, count = dict.fromkeys(cents, 0), 0
        in_parts = _rows_of(part, self._account_id).execution_options(yield_per=ROWS_AT_ONCE)
        rows = self._connection.execute(in_parts)
        with self._file.open(name_of(part.name), "w", force_zip64=True) as lines:
            for found in rows.mappings():
                row = part.rewrite(dict(found), self._note)
                lines.write(line_of(row))
                for name in cents:
                    sums[name] += row[name] or 0
                count += 1
                self._so_far.rows += 1
                if count % ROWS_AT_ONCE == 0:
                    self._progress(self._so_far)
        manifest.counts[name_of(part.name)] = count
        if cents:
            manifest.sums[name_of(part.name)] = sums

    def _note(self, table: str, row_id: int) -> int:
        if table == "users":
            self._people.add(row_id)
        else:
            self._highest[table] = max(self._highest[table], row_id)
        return row_id

    def _write_people(self, manifest: Manifest) -> None:
        """Members, and whoever else wrote something here."""
        place = (Membership.user_id == User.id) & (Membership.account_id == self._account_id)
        columns = (User.id, User.email, User.name, User.created_at, Membership.role)
        members = select(*columns).outerjoin(Membership, place).order_by(User.id)
        members = members.where(Membership.role.is_not(None) | User.id.in_(self._people))
        with self._file.open(PEOPLE, "w") as lines:
            for row in (found := self._connection.execute(members).mappings().all()):
                lines.write(line_of(dict(row)))
        manifest.counts[PEOPLE] = len(found)

    def _write_media(self, manifest: Manifest) -> None:
        kept = select(Medium.id, Medium.store, Medium.file, Medium.size).where(_is_kept(self._account_id))
        in_parts = kept.order_by(Medium.id).execution_options(yield_per=ROWS_AT_ONCE)
        for medium_id, store, file, size in self._connection.execute(in_parts):
            self._so_far.files += 1
            try:
                chunks = stores.store_named(store).read(file, 0, size)
            except stores.FileGone:
                manifest.missing_files.append(medium_id)
                continue
            entry = zipfile.ZipInfo(file_of(medium_id))  # pictures and videos are packed already
            with self._file.open(entry, "w", force_zip64=True) as into:
                for chunk in chunks:
                    into.write(chunk)
                    self._progress(self._so_far)
            manifest.files += 1
            manifest.file_bytes += size


def _rows_of(part: Part, account_id: int) -> Select[Any]:
    rows = select(*(part.table.c[name] for name in part.columns)).where(part.table.c.account_id == account_id)
    if part.model is Medium:
        rows = rows.where(_is_kept(account_id))
    return rows.order_by(*part.table.primary_key.columns)


def _is_kept(account_id: int) -> Any:
    return (Medium.account_id == account_id) & Medium.discard_at.is_(None)
