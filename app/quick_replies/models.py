from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.database import Base, BigId, Id, utcnow


class QuickReply(Base):
    __tablename__ = "quick_replies"
    __table_args__ = (
        Index(
            "ix_quick_replies_code", "account_id", "code", unique=True,
            sqlite_where=text("deleted_at IS NULL"), postgresql_where=text("deleted_at IS NULL"),
        ),
        Index(
            "ix_quick_replies_deleted", "deleted_at",
            sqlite_where=text("deleted_at IS NOT NULL"), postgresql_where=text("deleted_at IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    code: Mapped[str]  # case-folded, without the slash
    title: Mapped[str]
    text: Mapped[str]  # a template: see fans/placeholders.py
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"), default=None)
    owner_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), default=None)
    folder: Mapped[str] = mapped_column(default="")
    search_text: Mapped[str] = mapped_column(default="")  # code, title and text, folded
    version: Mapped[int] = mapped_column(default=1)
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default_factory=utcnow)

    author: Mapped[User | None] = relationship(init=False, repr=False, foreign_keys=[author_id])

    @property
    def is_shared(self) -> bool:
        """With everyone in the account; else it is its owner's alone."""
        return self.owner_id is None
