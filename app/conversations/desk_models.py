"""What people keep beside a thread's messages: drafts, how far each has seen, notes, answers for later, whose it was, how
it stood before many were changed at once."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.models import User
from app.database import Base, BigId, Id, utcnow


class SavedDraft(Base):
    """What a person has begun to write to a fan, and not sent."""

    __tablename__ = "drafts"
    __table_args__ = (Index(None, "user_id"),)

    conversation_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    client_message_id: Mapped[str]  # of the message that it becomes: a draft of one that was sent is none
    text: Mapped[str] = mapped_column(default="")
    price_cents: Mapped[int] = mapped_column(default=0)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default_factory=list)
    is_note: Mapped[bool] = mapped_column(default=False)
    updated_at: Mapped[datetime] = mapped_column(default_factory=utcnow)


class Assignment(Base):
    """To whom a thread was given, and when: each counts until the next one. The last says what Conversation.assignee_id does."""

    __tablename__ = "assignments"
    __table_args__ = (Index(None, "conversation_id", "at", "id", "assignee_id"), Index(None, "account_id"))

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    conversation_id: Mapped[int] = mapped_column(BigId, ForeignKey("conversations.id", ondelete="CASCADE"))
    assignee_id: Mapped[int | None] = mapped_column(
        BigId, ForeignKey("users.id", ondelete="SET NULL")
    )  # None: to nobody
    at: Mapped[datetime] = mapped_column(default_factory=utcnow)


class BulkAction(Base):
    """What a person did about many threads at once; it may be taken back for a while."""

    __tablename__ = "bulk_actions"
    __table_args__ = (Index(None, "account_id"), Index(None, "user_id"), Index(None, "done_at"))

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    set_to: Mapped[dict[str, Any]] = mapped_column(
        JSON
    )  # by column of Conversation (unread_count: 0, or 1 for "some"); or a tag
    done_at: Mapped[datetime] = mapped_column(default_factory=utcnow)


class BulkActionRow(Base):
    """How one of these threads stood before."""

    __tablename__ = "bulk_action_rows"
    __table_args__ = (Index(None, "conversation_id"), Index(None, "assignee_id"))

    bulk_action_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("bulk_actions.id", ondelete="CASCADE"), primary_key=True
    )
    conversation_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    archived: Mapped[bool]
    pinned: Mapped[bool]
    snoozed_until: Mapped[datetime | None]
    unread_count: Mapped[int]
    assignee_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))


class ReadMarker(Base):
    """How far a person has seen a thread, and when they last looked."""

    __tablename__ = "read_markers"
    __table_args__ = (Index(None, "user_id"),)

    conversation_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    message_id: Mapped[int] = mapped_column(BigId)  # the newest that was there
    looked_at: Mapped[datetime] = mapped_column(default_factory=utcnow)


class Note(Base):
    """What people tell each other about a fan, between the messages. It is no message: nothing sends it."""

    __tablename__ = "notes"
    __table_args__ = (Index(None, "conversation_id", "created_at", "id"), Index(None, "author_id"))

    kind: ClassVar = "note"

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    conversation_id: Mapped[int] = mapped_column(BigId, ForeignKey("conversations.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    text: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    edited_at: Mapped[datetime | None] = mapped_column(default=None)
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)  # not shown any more; may be brought back

    author: Mapped[User | None] = relationship(init=False, repr=False, viewonly=True)

    @property
    def is_hidden(self) -> bool:
        return self.deleted_at is not None


class LaterStatus(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    CANCELLED = "cancelled"  # a person decides: send it all the same, or throw it away


class LaterReply(Base):
    """An answer that becomes a message at its time."""

    __tablename__ = "later_replies"
    __table_args__ = (
        UniqueConstraint("conversation_id", "client_message_id"),
        Index(None, "conversation_id", "status"),
        Index(
            "ix_later_replies_waiting", "send_at",
            sqlite_where=text("status = 'waiting'"), postgresql_where=text("status = 'waiting'"),
        ),
        Index(None, "author_id"),
    )  # fmt: skip

    kind: ClassVar = "later"

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    conversation_id: Mapped[int] = mapped_column(BigId, ForeignKey("conversations.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    client_message_id: Mapped[str]  # of the message that it becomes
    send_at: Mapped[datetime]
    text: Mapped[str] = mapped_column(default="")
    price_cents: Mapped[int] = mapped_column(default=0)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default_factory=list)
    unless_answered: Mapped[bool] = mapped_column(default=True)  # the fan writing first cancels it
    status: Mapped[str] = mapped_column(default=LaterStatus.WAITING)
    reason: Mapped[str] = mapped_column(default="")  # why it was cancelled
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)

    author: Mapped[User | None] = relationship(init=False, repr=False, viewonly=True)

    @property
    def is_hidden(self) -> bool:
        return self.status == LaterStatus.SENT  # its message stands there instead
