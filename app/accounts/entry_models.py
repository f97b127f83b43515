"""How people come in: sessions, and the links by which an owner lets somebody in."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Id, utcnow


class SignIn(Base):
    """One browser that signed in. Its row must stand, and be open, for the session's cookie to be good."""

    __tablename__ = "sign_ins"
    __table_args__ = (Index(None, "user_id", "seen_at"),)

    id: Mapped[Id] = mapped_column(init=False)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    address: Mapped[str]
    browser: Mapped[str]  # as it calls itself
    begun_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    seen_at: Mapped[datetime] = mapped_column(default_factory=utcnow)  # to the minute
    ended_at: Mapped[datetime | None] = mapped_column(default=None)


class RecoveryCode(Base):
    """In place of a code from the phone. It goes when it is used; only a digest is kept."""

    __tablename__ = "recovery_codes"
    __table_args__ = (Index(None, "user_id", "digest", unique=True),)

    id: Mapped[Id] = mapped_column(init=False)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(repr=False)


class Invitation(Base):
    """A place in an account for whoever opens the link. Of the link only the digest is kept."""

    __tablename__ = "invitations"
    __table_args__ = (Index(None, "account_id", "id"), Index(None, "digest", unique=True))

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    email: Mapped[str]  # case-folded
    role: Mapped[str]
    digest: Mapped[str] = mapped_column(repr=False)
    made_by: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    used_at: Mapped[datetime | None] = mapped_column(default=None)  # or taken back


class PasswordReset(Base):
    """A new password for whoever opens the link. Of the link only the digest is kept."""

    __tablename__ = "password_resets"
    __table_args__ = (Index(None, "user_id"), Index(None, "digest", unique=True))

    id: Mapped[Id] = mapped_column(init=False)
    user_id: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    made_by: Mapped[int] = mapped_column(BigId, ForeignKey("users.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(repr=False)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(default=None)
