from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Id, utcnow


class ImportKind(StrEnum):
    FANS = "fans"
    TRANSACTIONS = "transactions"
    DO_NOT_MESSAGE = "do-not-message"


class ImportStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


UNFINISHED = (ImportStatus.QUEUED, ImportStatus.RUNNING)


class Severity(StrEnum):
    ERROR = "error"  # the row was skipped
    WARNING = "warning"  # the row came in without this cell


class Import(Base):
    """A file that somebody brought, how it is read, and how far it has come."""

    __tablename__ = "imports"
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index(
            "ix_imports_unfinished",
            "id",
            sqlite_where=text("status IN ('queued', 'running')"),
            postgresql_where=text("status IN ('queued', 'running')"),
        ),
    )

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    file_name: Mapped[str]
    stored_file: Mapped[str]  # its name in the imports folder of the instance
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    kind: Mapped[str]
    options: Mapped[dict[str, Any]] = mapped_column(
        JSON
    )  # how to read it (mapping.Plan), and what to do with bad cells
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"), default=None)
    status: Mapped[str] = mapped_column(default=ImportStatus.QUEUED)
    failure: Mapped[str] = mapped_column(default="")
    total_rows: Mapped[int] = mapped_column(default=0)
    processed_rows: Mapped[int] = mapped_column(default=0)
    last_row: Mapped[int] = mapped_column(default=0)  # everything up to this line of the file is settled
    inserted: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    skipped: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    lease: Mapped[str | None] = mapped_column(default=None)  # the worker that is at it
    lease_until: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED


class ImportRow(Base):
    """A row that was skipped, or a cell that was left out, and why. Rows that came in have none."""

    __tablename__ = "import_rows"
    __table_args__ = (Index(None, "import_id", "severity", "row", "id"),)

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    import_id: Mapped[int] = mapped_column(BigId, ForeignKey("imports.id", ondelete="CASCADE"))
    row: Mapped[int]  # the line number that a spreadsheet shows
    severity: Mapped[str]
    error: Mapped[str]
    column: Mapped[str | None] = mapped_column(default=None)
    value: Mapped[str | None] = mapped_column(default=None)
    cells: Mapped[list[str]] = mapped_column(JSON, default_factory=list)
