from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Id, utcnow


class Medium(Base):
    __tablename__ = "media"
    __table_args__ = (Index(None, "account_id", "id"),)

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str]
    content_type: Mapped[str]  # as its bytes say, not as its sender said
    size: Mapped[int]
    file: Mapped[str]  # its name in the media folder of the instance
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)

    @property
    def url(self) -> str:
        return f"/media/{self.id}"
