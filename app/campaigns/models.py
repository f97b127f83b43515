from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Id, utcnow


class CampaignStatus(StrEnum):
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    COMPLETED = "completed"  # never stored: an active one with nothing queued or sending


class Trigger(StrEnum):
    """What makes an automatic campaign write to a fan."""

    NONE = ""
    SUBSCRIPTION = "subscription"  # a new one
    SEGMENT = "segment"  # the fan comes into the audience
    PURCHASE = "purchase"  # of a paid message, or a tip


class LatePolicy(StrEnum):
    """What becomes of a scheduled campaign whose time came while nothing ran."""

    SEND = "send"  # up to `late_hours` late; later than that it is asked
    ASK = "ask"
    SKIP = "skip"


TYPES = {
    "bulk_message": "Bulk message",
    "ppv": "Paid message (PPV)",
    "welcome": "Welcome",
    "re-engagement": "Re-engagement",
    "custom": "Custom",
}
AWAITED = "status = 'scheduled' OR (status = 'active' AND (trigger != '' OR stop_at IS NOT NULL))"


class Campaign(Base):
    __tablename__ = "campaigns"
    __table_args__ = (
        Index(None, "account_id", "created_at", "id"),
        Index("ix_campaigns_draft_key", "account_id", "draft_key", unique=True),
        Index("ix_campaigns_awaited", "id", sqlite_where=text(AWAITED), postgresql_where=text(AWAITED)),
    )

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
    guards: Mapped[dict[str, Any]] = mapped_column(JSON, default_factory=dict)  # see conversations/guards.py
    is_template: Mapped[bool] = mapped_column(default=False)  # its placeholders are filled in for each fan
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"), default=None)
    draft_key: Mapped[str | None] = mapped_column(
        default=None
    )  # made with the form: however often it comes, one campaign
    draft_window: Mapped[str | None] = mapped_column(
        default=None
    )  # who wrote it last, in which of their windows, which turn
    aim: Mapped[str] = mapped_column(default="")  # the form's choice of an audience; frozen into `audience` at launch
    wordings: Mapped[list[str]] = mapped_column(
        JSON, default_factory=list
    )  # other texts that take turns with `content`
    holdout_percent: Mapped[int] = mapped_column(default=0)  # of those who would get it, kept back to compare
    at_most: Mapped[int | None] = mapped_column(default=None)  # messages
    stop_at: Mapped[datetime | None] = mapped_column(default=None)
    scheduled_at: Mapped[datetime | None] = mapped_column(default=None)
    late_policy: Mapped[str] = mapped_column(default=LatePolicy.ASK)
    late_hours: Mapped[int] = mapped_column(default=6)
    note: Mapped[str] = mapped_column(default="")  # why it stands as it does, where nobody pressed for it
    trigger: Mapped[str] = mapped_column(default=Trigger.NONE)
    delay_minutes: Mapped[list[int]] = mapped_column(JSON, default_factory=lambda: [0, 0])  # at random, from … to …
    again_after_days: Mapped[int | None] = mapped_column(default=None)  # of an automatic one. None: once; 0: each time
    looked_at: Mapped[datetime | None] = mapped_column(default=None)  # when an automatic one last looked for fans
    started_at: Mapped[datetime] = mapped_column(default_factory=utcnow)  # until it starts: when it was begun to write
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)

    @property
    def texts(self) -> list[str]:
        """All wordings, in the order that recipients' `wording` counts."""
        return [self.content, *self.wordings]

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
        UniqueConstraint("campaign_id", "fan_id", "nth", name="uq_recipients_campaign_id_fan_id_nth"),
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
    wording: Mapped[int | None] = mapped_column(default=None)  # which of the texts; 0 is `content`
    nth: Mapped[int] = mapped_column(default=1)  # time that an automatic campaign turned to this fan
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)


class Stay(Base):
    """A fan who is in the segment that an automatic campaign writes to the newcomers of: see stays.py."""

    __tablename__ = "stays"
    __table_args__ = (Index(None, "fan_id"), Index(None, "account_id"))

    campaign_id: Mapped[int] = mapped_column(BigId, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    fan_id: Mapped[int] = mapped_column(BigId, ForeignKey("fans.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    began_at: Mapped[datetime]
