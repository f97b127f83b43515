from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Id, utcnow


class ExportState(StrEnum):
    """queued → running → done → deleted."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DELETED = "deleted"  # its file is gone, or was never finished


AT_WORK = (ExportState.QUEUED, ExportState.RUNNING)
WITH_FILE = (ExportState.RUNNING, ExportState.DONE)
_AT_WORK = text("state IN ('queued', 'running')")
_KEPT = text("state IN ('queued', 'running', 'done')")


class AccountExport(Base):
    """A file of the whole account: from the wish for it until it is gone."""

    __tablename__ = "account_exports"
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index("ix_account_exports_one", "account_id", unique=True, sqlite_where=_AT_WORK, postgresql_where=_AT_WORK),
        Index("ix_account_exports_kept", "id", sqlite_where=_KEPT, postgresql_where=_KEPT),
    )

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    user_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))  # who asked for it
    state: Mapped[str] = mapped_column(default=ExportState.QUEUED)
    reason: Mapped[str] = mapped_column(default="")  # why it failed, or was deleted
    rows: Mapped[int] = mapped_column(BigInteger, default=0)  # written so far
    total_rows: Mapped[int] = mapped_column(BigInteger, default=0)
    files: Mapped[int] = mapped_column(default=0)  # media
    total_files: Mapped[int] = mapped_column(default=0)
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    file_name: Mapped[str] = mapped_column(default="")  # as it is downloaded
    # Its name in the folder, new with each try: whose name stands here is at work, and nobody else.
    stored_file: Mapped[str] = mapped_column(default="")
    lease_until: Mapped[datetime | None] = mapped_column(default=None)
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(default=None)  # the moment that the file shows
    finished_at: Mapped[datetime | None] = mapped_column(default=None)

    @property
    def is_at_work(self) -> bool:
        return self.state in AT_WORK
