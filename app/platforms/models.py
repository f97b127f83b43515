from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Encrypted, Id, utcnow

LOWEST_PRICE_CENTS, HIGHEST_PRICE_CENTS = 300, 20000  # OnlyFans' own range, until the connection says otherwise


class ConnectionStatus(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    EXPIRED = "expired"  # the platform no longer takes the key


class Connection(Base):
    """An account's link to a platform: who we are there, how fast we may go, and what a message may cost."""

    __tablename__ = "connections"
    __table_args__ = (
        UniqueConstraint("account_id", "platform", "external_account"),
        Index(
            "ix_connections_due", "due_tick",
            sqlite_where=text("status = 'active'"), postgresql_where=text("status = 'active'"),
        ),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    base_url: Mapped[str]
    external_account: Mapped[str]
    api_key: Mapped[str] = mapped_column(Encrypted, repr=False)
    webhook_secret: Mapped[str] = mapped_column(Encrypted, repr=False)
    pace_limit: Mapped[int]
    pace_window_seconds: Mapped[int]
    platform: Mapped[str] = mapped_column(default="onlyfans")
    adapter: Mapped[str] = mapped_column(default="onlyfansapi")
    status: Mapped[str] = mapped_column(default=ConnectionStatus.ACTIVE)
    status_detail: Mapped[str] = mapped_column(default="")
    price_min_cents: Mapped[int] = mapped_column(default=LOWEST_PRICE_CENTS)
    price_max_cents: Mapped[int] = mapped_column(default=HIGHEST_PRICE_CENTS)
    reserve: Mapped[int] = mapped_column(default=0)  # of the pace's messages, kept for replies
    daily_cap: Mapped[int | None] = mapped_column(default=None)  # messages in a day of the account's zone
    forbidden_words: Mapped[str] = mapped_column(
        default=""
    )  # one a line; `*` stands for any letters: see campaigns/cautions.py
    cap_day: Mapped[str] = mapped_column(default="")  # the day that `cap_count` counts, as 2026-06-10
    cap_count: Mapped[int] = mapped_column(default=0)
    # How sending stands, in ticks of the steady clock.
    due_tick: Mapped[int | None] = mapped_column(BigInteger, default=None)  # when a sender looks next; None: no work
    wakes_on_answer: Mapped[bool] = mapped_column(default=False)  # the answer to a call under way makes it due
    held_tick: Mapped[int | None] = mapped_column(BigInteger, default=None)  # nothing goes out until then
    faults_in_a_row: Mapped[int] = mapped_column(default=0)
    slow_percent: Mapped[int] = mapped_column(default=100)  # of the pace, since the platform last said: slow down
    slowed_tick: Mapped[int] = mapped_column(BigInteger, default=0)
    sync_offset: Mapped[int | None] = mapped_column(default=None)  # how far the fetching of fans is; None: none runs
    sync_moved_at: Mapped[datetime | None] = mapped_column(default=None)
    last_synced_at: Mapped[datetime | None] = mapped_column(default=None)
    last_read_back_at: Mapped[datetime | None] = mapped_column(default=None)
    last_caught_up_at: Mapped[datetime | None] = mapped_column(default=None)  # when that was last tried
    heard_until: Mapped[datetime | None] = mapped_column(default=None)  # all that was said before it is here
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)

    @property
    def stands(self) -> str:
        """Its status for people: what a test met stands in `status_detail` until one goes well."""
        if self.status == ConnectionStatus.EXPIRED:
            return "key_refused"
        return "test_failed" if self.status == ConnectionStatus.ACTIVE and self.status_detail else self.status


def price_range_cents(connection: Connection | None) -> tuple[int, int]:
    """Lowest and highest price of a paid message; without a connection, what platforms allow."""
    if connection is None:
        return LOWEST_PRICE_CENTS, HIGHEST_PRICE_CENTS
    return connection.price_min_cents, connection.price_max_cents


class StoredEvent(Base):
    """A webhook as it came. It is stored before it is acknowledged, and handled by a worker."""

    __tablename__ = "platform_events"
    __table_args__ = (
        UniqueConstraint("connection_id", "event_key"),
        Index(
            "ix_platform_events_unhandled",
            "id",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
    )

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    connection_id: Mapped[int] = mapped_column(BigId, ForeignKey("connections.id", ondelete="CASCADE"))
    event_key: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    received_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
    tries: Mapped[int] = mapped_column(default=0)
    handled_at: Mapped[datetime | None] = mapped_column(default=None)
    fault: Mapped[str] = mapped_column(default="")
