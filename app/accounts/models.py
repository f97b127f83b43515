from datetime import datetime

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.accounts.roles import Role
from app.database import Base, BigId, Encrypted, Id, utcnow


class Account(Base):
    """A creator's business. Everything else belongs to one."""

    __tablename__ = "accounts"

    id: Mapped[Id] = mapped_column(init=False)
    name: Mapped[str] = mapped_column(unique=True)
    timezone: Mapped[str] = mapped_column(default="UTC")
    inbox_seq: Mapped[int] = mapped_column(default=0)  # the number of the newest event in the account's inbox room
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)


class User(Base, UserMixin):
    __tablename__ = "users"

    id: Mapped[Id] = mapped_column(init=False)
    email: Mapped[str] = mapped_column(unique=True)  # case-folded
    name: Mapped[str]
    password_hash: Mapped[str] = mapped_column(repr=False)
    demo: Mapped[bool] = mapped_column(default=False)  # its password is known to all: nobody in production
    sign_in_epoch: Mapped[int] = mapped_column(default=0)  # a password change raises it: older sessions and tokens die
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    totp_secret: Mapped[str | None] = mapped_column(Encrypted, default=None, repr=False, deferred=True)
    totp_step: Mapped[int | None] = mapped_column(BigId, default=None)  # of the code used last; None: no second step

    memberships: Mapped[list["Membership"]] = relationship(init=False, repr=False, order_by="Membership.account_id")

    def get_id(self) -> str:
        """What the session cookie keeps (Flask-Login)."""
        return f"{self.id}.{self.sign_in_epoch}"


class Membership(Base):
    __tablename__ = "memberships"
    __table_args__ = (Index(None, "user_id"),)

    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[str] = mapped_column(default=Role.OWNER)
    deactivated_at: Mapped[datetime | None] = mapped_column(default=None)  # since then they may not come in

    account: Mapped[Account] = relationship(init=False, repr=False, lazy="joined")


class ApiToken(Base):
    """A bearer token that was handed out. Its row must stand for the token to be good."""

    __tablename__ = "api_tokens"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    id: Mapped[str] = mapped_column(primary_key=True)  # the JWT's jti
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    sign_in_epoch: Mapped[int]
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)


class IdempotencyKey(Base):
    """A POST that came with an Idempotency-Key, and the answer it got."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("user_id", "method", "path", "key"), Index(None, "created_at"))

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    method: Mapped[str]
    path: Mapped[str]
    key: Mapped[str]
    fingerprint: Mapped[str]  # of the body
    status: Mapped[int | None] = mapped_column(default=None)  # None while the first call runs
    body: Mapped[str | None] = mapped_column(default=None)
    location: Mapped[str | None] = mapped_column(default=None)
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)


class AuditEntry(Base):
    """Append-only. It names the account and the person without referring to their rows: what was done stands when both
    are gone, and a deletion that cascaded would be refused."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "account_id", "at", "id"), Index(None, "account_id", "user_id", "at", "id"))

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId)
    user_name: Mapped[str]  # as it was
    address: Mapped[str]
    act: Mapped[str]
    at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    user_id: Mapped[int | None] = mapped_column(BigId, default=None)
    about_kind: Mapped[str] = mapped_column(default="")
    about_id: Mapped[int | None] = mapped_column(BigId, default=None)
    words: Mapped[str] = mapped_column(default="")
    request_id: Mapped[str] = mapped_column(default="")
