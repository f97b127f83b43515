from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Id, utcnow


class Transaction(Base):
    __tablename__ = "transactions"
    __table_args__ = (
        UniqueConstraint("account_id", "platform", "platform_transaction_id"),
        # All that figures of a period ask for: they are summed without a look at the rows.
        Index(
            "ix_transactions_moved", "account_id", "at", "id", "currency", "kind", "fan_id", "gross_cents", "net_cents",
            "message_id",
        ),
        Index(None, "account_id", "fan_id", "at"),
        Index(  # few: what a rule about the last days has to look at row by row
            "ix_transactions_taken_back", "account_id", "at", "fan_id",
            sqlite_where=text("gross_cents < 0"), postgresql_where=text("gross_cents < 0"),
        ),
        Index(
            "ix_transactions_of_message", "message_id",
            sqlite_where=text("message_id IS NOT NULL"), postgresql_where=text("message_id IS NOT NULL"),
        ),
        Index(  # few: for messages that were not known here when they were bought
            "ix_transactions_unlinked", "account_id", "platform_message_id", "created_at",
            sqlite_where=text("message_id IS NULL AND platform_message_id IS NOT NULL"),
            postgresql_where=text("message_id IS NULL AND platform_message_id IS NOT NULL"),
        ),
        Index(
            "ix_transactions_told", "account_id", "gross_cents", "at",
            sqlite_where=text("import_id IS NULL AND statement_id IS NULL"),
            postgresql_where=text("import_id IS NULL AND statement_id IS NULL"),
        ),
        Index(
            "ix_transactions_of_statement", "account_id", "platform", "statement_id", unique=True,
            sqlite_where=text("statement_id IS NOT NULL"), postgresql_where=text("statement_id IS NOT NULL"),
        ),
        Index(
            "ix_transactions_of_days", "account_id", "gross_cents", "at",
            sqlite_where=text("day_ends_at IS NOT NULL"), postgresql_where=text("day_ends_at IS NOT NULL"),
        ),
    )  # fmt: skip

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    platform_transaction_id: Mapped[str]
    kind: Mapped[str]  # see KINDS in money/queries.py; what is taken back is negative
    gross_cents: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]  # of a payment of which only the day is known: when that began, by its statement's clock
    platform: Mapped[str] = mapped_column(default="onlyfans")
    fan_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("fans.id", ondelete="SET NULL"), default=None)
    message_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("messages.id", ondelete="SET NULL"), default=None)
    platform_message_id: Mapped[str | None] = mapped_column(default=None)  # what was bought, as the platform names it
    net_cents: Mapped[int | None] = mapped_column(BigInteger, default=None)
    # As statements tell them, with gross's sign.
    fee_cents: Mapped[int | None] = mapped_column(BigInteger, default=None)
    tax_cents: Mapped[int | None] = mapped_column(BigInteger, default=None)
    currency: Mapped[str] = mapped_column(default="USD")
    statement_id: Mapped[str | None] = mapped_column(default=None)  # what an event told too; see money/twins.py
    import_id: Mapped[int | None] = mapped_column(BigId, default=None)  # the file it came with; never deleted
    day_ends_at: Mapped[datetime | None] = mapped_column(default=None)  # where only the day is known
    created_at: Mapped[datetime] = mapped_column(default_factory=utcnow)


class Attribution(Base):
    """Who sold it, said by a person: every row that was ever said, of which the last one counts."""

    __tablename__ = "attributions"
    __table_args__ = (Index(None, "transaction_id", "id"), Index(None, "account_id"))

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId, ForeignKey("accounts.id", ondelete="CASCADE"))
    transaction_id: Mapped[int] = mapped_column(BigId, ForeignKey("transactions.id", ondelete="CASCADE"))
    by_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))
    is_by_hand: Mapped[bool]  # False: it is left to the rules again
    seller_id: Mapped[int | None] = mapped_column(BigId, ForeignKey("users.id", ondelete="SET NULL"))  # None: nobody
    at: Mapped[datetime] = mapped_column(default_factory=utcnow)
