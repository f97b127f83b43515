from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from app.database import Base, BigId, Id, fold, utcnow
from app.media.kinds import kind_of
from app.media.stores import FOLDER


class Medium(Base):
    """A file of the account. The row comes before its file and goes after it: so no file is ever without a row."""

    __tablename__ = "media"
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index(
            "ix_media_discard", "discard_at",
            sqlite_where=text("discard_at IS NOT NULL"), postgresql_where=text("discard_at IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(init=False, default="")  # the name, folded
    content_type: Mapped[str]  # as its bytes say, not as its sender said
    size: Mapped[int]
    file: Mapped[str]  # its name in the store
    store: Mapped[str] = mapped_column(default=FOLDER)  # as stores.store_named has it
    discard_at: Mapped[datetime | None] = mapped_column(default=None)  # not kept yet, or no more: then both go
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)

    @validates("name")
    def _fold_name(self, _name: str, name: str) -> str:
        self.name_key = fold(name)
        return name

    @property
    def kind(self) -> str:
        """photo, video or audio."""
        return kind_of(self.content_type)

    @property
    def url(self) -> str:
        return f"/media/{self.id}"
