from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database import Base, BigId, Id, utcnow


class Fan(Base):
    __tablename__ = "fans"
    __table_args__ = (
        UniqueConstraint("account_id", "platform", "platform_fan_id"),
        UniqueConstraint("account_id", "handle_key"),
        Index(  # with all that rules compare: they are answered without a look at the rows
            "ix_fans_by_value", "account_id", "value_cents", "id", "subscribed_at", "last_purchase_at", "last_seen_at",
            "created_at", "messages_cents", "tips_cents", "subscriptions_cents", "last_paid_at",
        ),
        Index(
            "ix_fans_lately", "account_id", "lately_cents", "last_paid_at", "id",
            sqlite_where=text("lately_cents IS NOT NULL"), postgresql_where=text("lately_cents IS NOT NULL"),
        ),
        Index(None, "account_id", "name_key", "id"),
        Index(None, "account_id", "last_seen_at", "id"),
        Index(None, "account_id", "created_at", "id"),
        Index(None, "account_id", "email_key"),
        Index(
            "ix_fans_subscribed", "account_id", "subscribed_at",
            sqlite_where=text("subscribed_at IS NOT NULL"), postgresql_where=text("subscribed_at IS NOT NULL"),
        ),
        Index(
            "ix_fans_subscription_ends", "account_id", "subscription_ends_at",
            sqlite_where=text("subscription_ends_at IS NOT NULL"), postgresql_where=text("subscription_ends_at IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    platform: Mapped[str] = mapped_column(default="onlyfans")
    platform_fan_id: Mapped[str | None] = mapped_column(default=None)
    name: Mapped[str | None] = mapped_column(default=None)
    name_key: Mapped[str | None] = mapped_column(default=None)  # for sorting and exact matching: see fans/keys.py
    handle: Mapped[str | None] = mapped_column(default=None)  # with its leading @
    handle_key: Mapped[str | None] = mapped_column(default=None)
    email: Mapped[str | None] = mapped_column(default=None)
    email_key: Mapped[str | None] = mapped_column(default=None)
    search_text: Mapped[str] = mapped_column(default="")  # name, handle and e-mail, folded
    phone: Mapped[str | None] = mapped_column(default=None)
    avatar_url: Mapped[str | None] = mapped_column(default=None)
    notes: Mapped[str] = mapped_column(default="")
    stated_value_cents: Mapped[int] = mapped_column(BigInteger, default=0)  # brought by hand or by file
    earned_cents: Mapped[int | None] = mapped_column(BigInteger, default=None)  # sum of the transactions, if any
    value_cents: Mapped[int] = mapped_column(BigInteger, default=0)  # the one of the two that counts; lists sort by it
    messages_cents: Mapped[int | None] = mapped_column(BigInteger, default=None)  # of these, by what they were for
    tips_cents: Mapped[int | None] = mapped_column(BigInteger, default=None)
    subscriptions_cents: Mapped[int | None] = mapped_column(BigInteger, default=None)  # renewals too
    # Paid in the 92 days before these were summed up: after that they paid nothing, and no later 92 days hold more.
    lately_cents: Mapped[int | None] = mapped_column(BigInteger, default=None)
    last_purchase_at: Mapped[datetime | None] = mapped_column(default=None)  # beside the subscription
    last_paid_at: Mapped[datetime | None] = mapped_column(default=None)  # by a transaction, for whatever it was
    subscription_status: Mapped[str | None] = mapped_column(default=None)
    subscribed_at: Mapped[datetime | None] = mapped_column(default=None)
    subscription_ends_at: Mapped[datetime | None] = mapped_column(default=None)
    last_seen_at: Mapped[datetime | None] = mapped_column(default=None)
    timezone: Mapped[str | None] = mapped_column(default=None)  # where they live, like Europe/Paris
    do_not_message: Mapped[bool] = mapped_column(default=False)
    custom: Mapped[dict[str, str]] = mapped_column(JSON, default_factory=dict)  # fields of the account's own, by name
    import_id: Mapped[int | None] = mapped_column(BigId, default=None)  # the file it came with; never deleted
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default_factory=utcnow)

    tag_rows: Mapped[list["FanTag"]] = relationship(
        init=False,
        repr=False,
        cascade="all, delete-orphan",
        passive_deletes=True,
        lazy="selectin",
        order_by="FanTag.tag_key",
    )

    @property
    def tags(self) -> list[str]:
        return [row.tag for row in self.tag_rows]

    @property
    def notes_version(self) -> str:
        """What the notes say, in short: whoever changes them names the ones they had before them."""
        return sha256(self.notes.encode()).hexdigest()[:16]

    @property
    def version(self) -> str:
        return version_of(self)

    @property
    def display_name(self) -> str:
        return shown_name(self.name, self.handle, self.email, self.platform_fan_id, self.id)


def shown_name(
    name: str | None, handle: str | None, email: str | None, platform_fan_id: str | None, fan_id: int
) -> str:
    return name or handle or email or f"Fan {platform_fan_id or fan_id}"


SHOWN = (
    Fan.name, Fan.handle, Fan.email, Fan.avatar_url, Fan.timezone, Fan.subscription_status, Fan.value_cents,
    Fan.earned_cents, Fan.last_purchase_at, Fan.last_paid_at, Fan.last_seen_at, Fan.updated_at,
)  # fmt: skip


def version_of(fan: Any) -> str:
    """What is known of a fan, in short, drawn from SHOWN: it changes with it, whoever changes it. Who changes tags, notes or
    fields of their own notes in updated_at that they did."""
    return sha256(repr([getattr(fan, column.key) for column in SHOWN]).encode()).hexdigest()[:16]


class FanTag(Base):
    __tablename__ = "fan_tags"
    __table_args__ = (Index(None, "account_id", "tag_key", "fan_id"),)

    fan_id: Mapped[int] = mapped_column(BigId, ForeignKey("fans.id", ondelete="CASCADE"), primary_key=True, init=False)
    tag_key: Mapped[str] = mapped_column(primary_key=True)
    tag: Mapped[str]
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))


class ErasedName(Base):
    """A name of somebody who was erased, as a hash that only this instance can make: a file does not bring them back."""

    __tablename__ = "erased_names"

    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    erased_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
