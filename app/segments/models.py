from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Id, utcnow


class Segment(Base):
    """A rule under a name. Who is in it is never kept: it is asked each time."""

    __tablename__ = "segments"
    __table_args__ = (UniqueConstraint("account_id", "name_key"),)

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str]
    name_key: Mapped[str]
    rule: Mapped[dict[str, Any]] = mapped_column(JSON)  # as segments/rules.py reads it
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"), default=None)
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
