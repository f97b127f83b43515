"""A file into a new account of this instance: in one transaction, so that a file that is wrong somewhere changes nothing."""

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import insert, select
from sqlalchemy.exc import DataError, IntegrityError

from app.accounts.models import Account, Membership, Role, User
from app.database import db, table_of, write
from app.errors import Conflict
from app.media import stores
from app.media.kinds import content_type_of
from app.media.models import Medium
from app.portability import arriving
from app.portability.archive import LARGEST_ID, MANIFEST, PEOPLE, Archive, BadArchive, file_of, name_of
from app.portability.catalogue import PARTS, STAYS_OF_ACCOUNT, Part
from app.portability.spans import reserve_span
from app.portability.values import read_row

ROWS_AT_ONCE = 500
HEAD_BYTES = 64
Progress = Callable[[int, int], None]


def import_account(path: Path, progress: Progress = lambda done, of: None) -> Account:
    """Raises BadArchive, or Conflict where an account of that name is here."""
    archive = Archive(path)
    try:
        with _files_of_this() as kept, write():
            reader = _Reader(archive, kept, progress)
            account = reader.read()
            arriving.hold(account.id)
        return account
    finally:
        archive.close()


@contextmanager
def _files_of_this() -> Iterator[list[str]]:
    """Names of files that were put into the store: they go again where the rest fails."""
    kept: list[str] = []
    try:
        yield kept
    except BaseException:
        for each in kept:
            stores.store_named(current_app.config["MEDIA_STORE"]).delete(each)
        raise


class _Reader:
    def __init__(self, archive: Archive, kept: list[str], progress: Progress) -> None:
        self._archive, self._kept, self._progress = archive, kept, progress
        self._manifest = archive.manifest
        self._shifts: dict[str, int] = {}
        self._people: dict[int, int] = {}
        self._done, self._of = 0, sum(each for each in self._manifest.counts.values() if isinstance(each, int))

    def read(self) -> Account:
        account = self._make_account()
        self._read_people(account)
        for part in PARTS:
            if part.name in self._manifest.highest:
                self._shifts[part.name] = reserve_span(part.table, self._highest(part.name))
        for part in PARTS:
            self._read_part(part, account.id)
        return account

    def _make_account(self) -> Account:
        table = table_of(Account)
        columns = [each.name for each in table.columns if each.name not in STAYS_OF_ACCOUNT]
        said = read_row(table, columns, dict(self._manifest.account), MANIFEST, 0)
        if db.session.scalar(select(Account.id).where(Account.name == said["name"])):
            raise Conflict(
                f"An account named {said['name']!r} is here already: rename it, or start with an empty instance."
            )
        account = Account(**said)
        db.session.add(account)
        db.session.flush()
        return account

    def _read_people(self, account: Account) -> None:
        """Who is not here yet comes without a password; who has no place in the account is named only as an author."""
        columns = ["id", "email", "name", "created_at"]
        for line, row in self._archive.rows(PEOPLE):
            role = row.pop("role", None)
            if role is not None and role not in list(Role):
                raise BadArchive(PEOPLE, f"There is no role {role!r}.", line)
            said = read_row(table_of(User), columns, row, PEOPLE, line)
            old_id, email = said.pop("id"), said.pop("email").strip().casefold()
            user = db.session.scalar(select(User).where(User.email == email))
            if user is None:
                user = User(email=email, password_hash="", **said)
                db.session.add(user)
                db.session.flush()
            if role is not None:
                db.session.add(Membership(account_id=account.id, user_id=user.id, role=role))
                db.session.flush()
            self._people[old_id] = user.id

    def _highest(self, table: str) -> int:
        highest = self._manifest.highest[table]
        if not isinstance(highest, int) or not 0 <= highest <= LARGEST_ID:
            raise BadArchive(MANIFEST, f"{highest!r} is no highest id.")
        return highest

    def _new_id(self, table: str, old: Any) -> int:
        """Each table's ids are moved up together: so their order stays, and a million need no list of what became what."""
        if table == "users":
            if old not in self._people:
                raise ValueError(f"nobody in {PEOPLE} has the id {old!r}")
            return self._people[old]
        if not isinstance(old, int) or not 0 < old <= self._manifest.highest.get(table, 0):
            raise ValueError(f"{old!r} is no id of {table}")
        return old + self._shifts[table]

    def _read_part(self, part: Part, account_id: int) -> None:
        rows, statement = self._rows_of(part, account_id), insert(part.table)
        first = 1
        while batch := list(islice(rows, ROWS_AT_ONCE)):
            try:
                db.session.execute(statement, batch)
            except (IntegrityError, DataError) as error:
                where = f"One of the lines {first} to {first + len(batch) - 1} does not fit the others"
                raise BadArchive(name_of(part.name), f"{where}: {error.orig}".partition("\n")[0]) from error
            first += len(batch)
            self._done += len(batch)
            self._progress(self._done, self._of)

    def _rows_of(self, part: Part, account_id: int) -> Iterator[dict[str, Any]]:
        name = name_of(part.name)
        sums = dict.fromkeys(self._manifest.sums.get(name, {}), 0)
        for line, said in self._archive.rows(name):
            row = read_row(part.table, part.columns, said, name, line)
            for column in sums:
                sums[column] += row.get(column) or 0
            old_id = row.get("id")
            try:
                row = part.rewrite(row, self._new_id)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise BadArchive(name, f"{error}.", line) from error
            row |= {"account_id": account_id} | arriving.values_of(part, row)
            if part.model is Medium:
                row |= self._keep_file(int(old_id or 0), row, line)
            yield row
        if sums != self._manifest.sums.get(name, {}):
            raise BadArchive(name, "Its sums of money are not those of the manifest.")

    def _keep_file(self, old_id: int, row: dict[str, Any], line: int) -> dict[str, Any]:
        """Judged by its content, as an upload is. The copy on the way is no larger than its row says."""
        file, store = secrets.token_hex(16), current_app.config["MEDIA_STORE"]
        if old_id not in self._manifest.missing_files:
            with tempfile.TemporaryFile() as copy:
                self._archive.copy_file(old_id, row["size"], copy)
                copy.seek(0)
                if content_type_of(copy.read(HEAD_BYTES)) != row["content_type"]:
                    raise BadArchive(
                        file_of(old_id), f"It is not {row['content_type']}, as line {line} of media.jsonl says."
                    )
                copy.seek(0)
                self._kept.append(file)
                stores.store_named(store).put(file, copy, row["size"], row["content_type"])
        return {"file": file, "store": store}
