from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Id, utcnow


class CampaignStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    COMPLETED = "completed"  # never stored: an active one with nothing queued or sending


class Campaign(Base):
    __tablename__ = "campaigns"
    __table_args__ = (Index(None, "account_id", "created_at", "id"),)

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    connection_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("connections.id", ondelete="SET NULL"))
    name: Mapped[str]
    content: Mapped[str]
    priority: Mapped[int]
    type: Mapped[str] = mapped_column(default="bulk_message")
    status: Mapped[str] = mapped_column(default=CampaignStatus.ACTIVE)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default_factory=list)
    price_cents: Mapped[int] = mapped_column(default=0)
    audience: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)
    guards: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)  # see campaigns/audience.py
    is_template: Mapped[bool] = mapped_column(default=False)  # its placeholders are filled in for each fan
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"), default=None)
    started_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)

    @property
    def aimed_at(self) -> str:
        """Its audience in words."""
        if "words" in self.audience:
            return str(self.audience["words"])
        if "tag" in self.audience:
            return f"all tagged {self.audience['tag']}"
        return "all fans" if "all" in self.audience else "fans chosen one by one"


class Recipient(Base):
    """A fan who was considered, and why they get the message or not. Written at launch; the message follows."""

    __tablename__ = "recipients"
    __table_args__ = (
        UniqueConstraint("campaign_id", "fan_id"),
        Index(None, "account_id", "campaign_id", "id"),
        Index(None, "fan_id"),
        Index(
            "ix_recipients_unprepared", "campaign_id", "id",
            sqlite_where=text("message_id IS NULL AND skip_reason IS NULL"),
            postgresql_where=text("message_id IS NULL AND skip_reason IS NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaigns.id", ondelete="CASCADE"))
    fan_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("fans.id", ondelete="SET NULL"))
    message_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages.id", ondelete="SET NULL"), default=None)
    skip_reason: Mapped[str | None] = mapped_column(default=None)  # do_not_message, not_linked, …
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
