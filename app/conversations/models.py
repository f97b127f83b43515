import uuid
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.accounts.models import User
from app.conversations.words import search_text
from app.database import Base, BigId, Id, utcnow
from app.fans.models import Fan


def new_key() -> str:
    """An idempotency key, which the platform sees with every attempt of one message."""
    return uuid.uuid4().hex


class MessageStatus(StrEnum):
    RECEIVED = "received"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


WENT_OUT = (MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ)
REPLY_RANK = 10  # added to a reply's priority: every reply goes before every campaign message
DEFAULT_PRIORITY = 5


class Doubt(StrEnum):
    """Why it is not known whether a message in `sending` has arrived."""

    NONE = ""
    NO_ANSWER = "no_answer"
    ERROR_ANSWER = "error_answer"  # platforms keep no key for these
    RESTORED = "restored"  # the database came from a backup: it may have gone out since (app/restored.py)


UNTIL_REPLY = datetime(9999, 1, 1, tzinfo=UTC)  # a conversation is snoozed until the fan writes


class Conversation(Base):
    """One fan's thread."""

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("account_id", "fan_id"),
        Index(None, "account_id", "last_message_at", "id"),
        Index(None, "fan_id"),
        Index(None, "account_id", "assignee_id", "last_message_at", "id"),
        Index(None, "account_id", "waiting_since", "id"),
        Index(
            "ix_conversations_archived", "account_id", "last_message_at", "id",
            sqlite_where=text("archived"), postgresql_where=text("archived"),
        ),
        Index(
            "ix_conversations_open", "account_id", "last_message_at", "id", "fan_id",
            sqlite_where=text("NOT archived AND snoozed_until IS NULL"),
            postgresql_where=text("NOT archived AND snoozed_until IS NULL"),
        ),
        Index(
            "ix_conversations_waiting", "account_id", "waiting_since", "id",
            sqlite_where=text("waiting_since IS NOT NULL"), postgresql_where=text("waiting_since IS NOT NULL"),
        ),
        Index(
            "ix_conversations_snoozed", "snoozed_until",
            sqlite_where=text("snoozed_until IS NOT NULL"), postgresql_where=text("snoozed_until IS NOT NULL"),
        ),
        Index(
            "ix_conversations_pinned", "account_id", "last_message_at", "id",
            sqlite_where=text("pinned"), postgresql_where=text("pinned"),
        ),
        Index(
            "ix_conversations_unread", "account_id",
            sqlite_where=text("unread_count > 0"), postgresql_where=text("unread_count > 0"),
        ),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    fan_id: Mapped[int] = mapped_column(BigId, ForeignKey("fans.id", ondelete="CASCADE"))
    platform: Mapped[str] = mapped_column(default="onlyfans")
    last_message_at: Mapped[datetime | None] = mapped_column(default=None)
    last_message_id: Mapped[int | None] = mapped_column(BigId, default=None)
    unread_count: Mapped[int] = mapped_column(default=0)
    waiting_since: Mapped[datetime | None] = mapped_column(default=None)  # the fan's first message without an answer
    fan_wrote_at: Mapped[datetime | None] = mapped_column(default=None)  # their newest message
    we_wrote_at: Mapped[datetime | None] = mapped_column(default=None)  # ours, by a person or a campaign
    archived: Mapped[bool] = mapped_column(default=False)
    snoozed_until: Mapped[datetime | None] = mapped_column(default=None)  # out of sight until then, or the fan writes
    pinned: Mapped[bool] = mapped_column(default=False)
    assignee_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"), default=None)
    seq: Mapped[int] = mapped_column(default=0)  # the number of the newest event in this thread's room
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)

    fan: Mapped[Fan] = relationship(init=False, repr=False)
    assignee: Mapped[User | None] = relationship(init=False, repr=False, viewonly=True)
    last_message: Mapped["Message | None"] = relationship(
        init=False,
        repr=False,
        viewonly=True,
        primaryjoin="foreign(Conversation.last_message_id) == Message.id",
    )


class Message(Base):
    """A message in or out. Queued rows are the outbox: nothing else says what is still to be sent.

    A deleted fan's campaign messages stay, without fan, thread and text, so that the campaign's books keep their count.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "client_message_id"),
        UniqueConstraint("connection_id", "platform_message_id"),
        Index(None, "conversation_id", "created_at", "id"),
        Index(None, "account_id", "status", "id"),
        Index(None, "account_id", "created_at", "id"),
        Index(None, "campaign_id", "status", "fan_id"),
        Index(
            "ix_messages_out_of_campaign", "campaign_id", "sent_at",
            sqlite_where=text("campaign_id IS NOT NULL AND sent_at IS NOT NULL"),
            postgresql_where=text("campaign_id IS NOT NULL AND sent_at IS NOT NULL"),
        ),
        Index(
            "ix_messages_bought", "campaign_id", "fan_id",
            sqlite_where=text("purchased = 1"), postgresql_where=text("purchased"),
        ),
        Index(None, "fan_id"),
        Index(
            "ix_messages_queued", "connection_id", "campaign_id", "id",
            sqlite_where=text("status = 'queued'"), postgresql_where=text("status = 'queued'"),
        ),
        Index(
            "ix_messages_retries", "connection_id", "due_tick",
            sqlite_where=text("status = 'queued' AND due_tick IS NOT NULL"),
            postgresql_where=text("status = 'queued' AND due_tick IS NOT NULL"),
        ),
        Index(
            "ix_messages_sending", "connection_id", "lease_tick",
            sqlite_where=text("status = 'sending'"), postgresql_where=text("status = 'sending'"),
        ),
        Index(
            "ix_messages_came_in", "account_id", "created_at", "id", "fan_id",
            sqlite_where=text("direction = 'in'"), postgresql_where=text("direction = 'in'"),
        ),
        Index(
            "ix_messages_went_out", "account_id", "sent_at", "id", "campaign_id", "author_id", "price_cents", "purchased",
            sqlite_where=text("sent_at IS NOT NULL"), postgresql_where=text("sent_at IS NOT NULL"),
        ),
        Index(
            "ix_messages_waiting", "conversation_id", "id",
            sqlite_where=text("status IN ('queued', 'sending')"),
            postgresql_where=text("status IN ('queued', 'sending')"),
        ),
    )  # fmt: skip

    kind: ClassVar = "message"
    is_hidden: ClassVar = False

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    conversation_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("conversations.id", ondelete="CASCADE"))
    fan_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("fans.id", ondelete="CASCADE"))
    connection_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("connections.id", ondelete="CASCADE"))
    direction: Mapped[str]  # in | out
    status: Mapped[str]
    campaign_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("campaigns.id", ondelete="CASCADE"), default=None)
    author_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"), default=None)
    text: Mapped[str] = mapped_column(default="")
    search_text: Mapped[str] = mapped_column(
        init=False, default=""
    )  # the text's words; an index over them is kept by triggers
    price_cents: Mapped[int] = mapped_column(default=0)
    attachments: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default_factory=list)
    platform_media: Mapped[list[str] | None] = mapped_column(JSON, default=None)  # kept: a retry must say the same
    status_reason: Mapped[str | None] = mapped_column(default=None)
    client_message_id: Mapped[str | None] = mapped_column(default=None)
    platform_message_id: Mapped[str | None] = mapped_column(default=None)
    purchased: Mapped[bool] = mapped_column(default=False)
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)  # on the platform; here it stays
    rank: Mapped[int] = mapped_column(default=0)  # the queue's order: higher first, then the older
    idempotency_key: Mapped[str] = mapped_column(default_factory=new_key)
    # In ticks of the steady clock:
    due_tick: Mapped[int | None] = mapped_column(BigInteger, default=None)  # a retry waits until then
    lease_tick: Mapped[int | None] = mapped_column(BigInteger, default=None)  # then one in `sending` is taken up again
    tries: Mapped[int] = mapped_column(default=0)
    doubt: Mapped[str] = mapped_column(default=Doubt.NONE)
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    changed_at: Mapped[datetime] = mapped_column(default_factory=utcnow)  # when its status last changed
    sent_at: Mapped[datetime | None] = mapped_column(default=None)

    @validates("text")
    def _fold_text(self, _name: str, text: str) -> str:
        self.search_text = search_text(text)
        return text

    fan: Mapped[Fan | None] = relationship(init=False, repr=False, viewonly=True)
    author: Mapped[User | None] = relationship(init=False, repr=False, viewonly=True)
    attempts: Mapped[list["SendAttempt"]] = relationship(
        init=False, repr=False, viewonly=True, order_by="SendAttempt.id"
    )


class MessageMedium(Base):
    """A medium that a message of ours carries: what has this fan got and bought?

    Only what stays the same is a medium: one kept here, or in the platform's vault. An address may lead elsewhere tomorrow.
    """

    __tablename__ = "message_media"
    __table_args__ = (Index(None, "account_id", "medium", "fan_id"), Index(None, "fan_id"))

    message_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    medium: Mapped[str] = mapped_column(primary_key=True)  # /media/3 | platform:abc
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    fan_id: Mapped[int] = mapped_column(BigId, ForeignKey("fans.id", ondelete="CASCADE"))
    is_preview: Mapped[bool]


class Sender(Base):
    """One run of a sending process. Whose `seen_at` stands still without `stopped_at` was killed."""

    __tablename__ = "senders"

    id: Mapped[Id] = mapped_column(init=False)
    host: Mapped[str]
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    seen_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    stopped_at: Mapped[datetime | None] = mapped_column(default=None)


class SendAttempt(Base):
    """One call to the platform to send. The pace is counted from these rows, so they outlive their messages."""

    __tablename__ = "send_attempts"
    __table_args__ = (
        Index(None, "connection_id", "answered_tick"),
        Index(None, "connection_id", "of_campaign", "started_tick"),
        Index(
            "ix_send_attempts_lost", "sender_id",
            sqlite_where=text("outcome IS NULL OR outcome = 'lost'"),
            postgresql_where=text("outcome IS NULL OR outcome = 'lost'"),
        ),
        Index(None, "message_id"),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    connection_id: Mapped[int] = mapped_column(BigId, ForeignKey("connections.id", ondelete="CASCADE"))
    message_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages.id", ondelete="SET NULL"))
    of_campaign: Mapped[bool]
    started_at: Mapped[datetime]
    started_tick: Mapped[int] = mapped_column(BigInteger)
    answered_at: Mapped[datetime | None] = mapped_column(default=None)
    answered_tick: Mapped[int | None] = mapped_column(BigInteger, default=None)
    sender_id: Mapped[int | None] = mapped_column(BigId, default=None)
    outcome: Mapped[str | None] = mapped_column(default=None)
    detail: Mapped[str] = mapped_column(default="")


class RoomEvent(Base):
    """A numbered thing that watchers must hear of: which message or conversation changed, never what it said."""

    __tablename__ = "room_events"
    __table_args__ = (Index(None, "created_at"),)

    room: Mapped[str] = mapped_column(primary_key=True)  # thread:<conversation id> | inbox:<account id>
    seq: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    kind: Mapped[str]  # message | note | later | conversation
    subject_id: Mapped[int] = mapped_column(BigId)
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)


class SavedView(Base):
    """The inbox or a search as its address says, under a name."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("account_id", "owner_id", "name_key"),)

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    owner_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))  # None: everybody's
    name: Mapped[str]
    name_key: Mapped[str]
    place: Mapped[str]  # inbox | search
    address: Mapped[dict[str, str]] = mapped_column(JSON)  # what stands behind the question mark
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
