from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, BigId, Id, utcnow


class KeptStretch(Base):
    """What figures are summed from, of one stretch of an account's time: see stretches.py. Drawn from the rows, which
    alone are the truth."""

    __tablename__ = "kept_stretches"

    account_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    tally: Mapped[bytes] = mapped_column(LargeBinary)


class ChangedStretch(Base):
    """A stretch some of whose rows were written, changed or deleted after it had ended. Triggers write these, in the
    transaction of the change itself; no key leads to the account, which may be going in that transaction."""

    __tablename__ = "changed_stretches"
    __table_args__ = (Index(None, "account_id", "number"),)

    id: Mapped[Id] = mapped_column(init=False)
    account_id: Mapped[int] = mapped_column(BigId)
    number: Mapped[int] = mapped_column(BigId)
    noted_at: Mapped[datetime] = mapped_column(default_factory=utcnow)
