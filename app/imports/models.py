from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Id, utcnow


class ImportKind(StrEnum):
    FANS = "fans"
    TRANSACTIONS = "transactions"
    DO_NOT_MESSAGE = "do-not-message"


class ImportStatus(StrEnum):
    """upload → mapping → rehearsing → rehearsed → applying → completed → undoing → undone."""

    MAPPING = "mapping"  # a person says what the columns are
    REHEARSING = "rehearsing"
    REHEARSED = "rehearsed"  # a person looks at what would happen
    APPLYING = "applying"
    COMPLETED = "completed"
    UNDOING = "undoing"
    UNDONE = "undone"
    FAILED = "failed"
    DISCARDED = "discarded"


AT_WORK = (ImportStatus.REHEARSING, ImportStatus.APPLYING, ImportStatus.UNDOING)
_AT_WORK = text("status IN ('rehearsing', 'applying', 'undoing')")


class Outcome(StrEnum):
    """What the rehearsal says of a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    CONFLICT = "conflict"  # it fits two fans, or another row is about the same one
    REJECTED = "rejected"


SKIPPED = (Outcome.CONFLICT, Outcome.REJECTED)
WRITTEN = (Outcome.NEW, Outcome.CHANGED)


class Import(Base):
    """A file that somebody brought, how it is read, and how far it has come."""

    __tablename__ = "imports"
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index("ix_imports_at_work", "id", sqlite_where=_AT_WORK, postgresql_where=_AT_WORK),
    )

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    file_name: Mapped[str]
    stored_file: Mapped[str]  # its name in the imports folder of the instance
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    kind: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(JSON)  # see imports/options.py
    exporter: Mapped[str] = mapped_column(default="")  # whose file it looks like
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"), default=None)
    status: Mapped[str] = mapped_column(default=ImportStatus.MAPPING)
    failure: Mapped[str] = mapped_column(default="")
    total_rows: Mapped[int] = mapped_column(default=0)
    processed_rows: Mapped[int] = mapped_column(default=0)  # of the present step
    new_rows: Mapped[int] = mapped_column(default=0)  # what the rehearsal said
    changed_rows: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    conflict_rows: Mapped[int] = mapped_column(default=0)
    rejected_rows: Mapped[int] = mapped_column(default=0)
    warned_rows: Mapped[int] = mapped_column(default=0)
    inserted: Mapped[int] = mapped_column(default=0)  # what was applied
    updated: Mapped[int] = mapped_column(default=0)
    not_applied: Mapped[int] = mapped_column(default=0)  # the fan had changed after the rehearsal
    undone: Mapped[int] = mapped_column(default=0)
    not_undone: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None] = mapped_column(default=None)  # the worker that is at it
    lease_until: Mapped[datetime | None] = mapped_column(default=None)
    cursor: Mapped[str] = mapped_column(default="")  # where the present step goes on after a stop
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(default=None)  # of the present step
    finished_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def is_at_work(self) -> bool:
        return self.status in AT_WORK

    @property
    def skipped(self) -> int:
        return self.conflict_rows + self.rejected_rows + self.not_applied

    @property
    def rows_to_write(self) -> int:
        return self.new_rows + self.changed_rows


class ImportRow(Base):
    """One row of the file: what the rehearsal decided about it, and what it needs to be applied and undone."""

    __tablename__ = "import_rows"
    __table_args__ = (
        Index(
            "ix_import_rows_left", "import_id", "row",
            sqlite_where=text("not_applied IS NOT NULL OR not_undone IS NOT NULL OR warnings IS NOT NULL"),
            postgresql_where=text("not_applied IS NOT NULL OR not_undone IS NOT NULL OR warnings IS NOT NULL"),
        ),
    )  # fmt: skip

    # No references here: each would cost every row a look-up, and imports stay as history.
    import_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # the line number that a spreadsheet shows
    account_id: Mapped[int] = mapped_column(BigId)
    fan_id: Mapped[int | None] = mapped_column(BigId, default=None)  # of a new fan: the id that is kept for it
    label: Mapped[str] = mapped_column(default="")  # whom it is about
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), default=None)
    column: Mapped[str | None] = mapped_column(default=None)
    value: Mapped[str | None] = mapped_column(default=None)
    error: Mapped[str | None] = mapped_column(default=None)
    cells: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True), default=None)  # of a skipped row
    warnings: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON(none_as_null=True), default=None)
    not_applied: Mapped[str | None] = mapped_column(default=None)  # why
    not_undone: Mapped[str | None] = mapped_column(default=None)  # why


class RememberedMapping(Base):
    """How a person mapped a header line: the next file with it is read the same way."""

    __tablename__ = "remembered_mappings"
    __table_args__ = (UniqueConstraint("account_id", "header_key"),)

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    header_key: Mapped[str]
    kind: Mapped[str]
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    used_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
