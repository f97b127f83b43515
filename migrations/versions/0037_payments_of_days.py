"""A statement may tell days alone: until when the day lasts stands with such a payment, so that its event finds it."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("transactions", sa.Column("day_ends_at", sa.DateTime(timezone=True)))
    is_of_day = sa.text("day_ends_at IS NOT NULL")
    op.create_index(
        "ix_transactions_of_days", "transactions", ["account_id", "gross_cents", "at"],
        sqlite_where=is_of_day, postgresql_where=is_of_day,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_transactions_of_days", "transactions")
    op.drop_column("transactions", "day_ends_at")
