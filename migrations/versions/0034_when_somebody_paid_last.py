"""When a fan paid last stands with the fan: who has paid something in some days, and who has not, is found without a sum."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

BY_VALUE = [
    "account_id", "value_cents", "id", "subscribed_at", "last_purchase_at", "last_seen_at", "created_at", "messages_cents",
    "tips_cents", "subscriptions_cents",
]  # fmt: skip


def upgrade() -> None:
    op.add_column("fans", sa.Column("last_paid_at", sa.DateTime(timezone=True)))
    op.execute("""
        UPDATE fans SET last_paid_at = found.last_paid_at FROM (
            SELECT fan_id, max(at) AS last_paid_at FROM transactions WHERE fan_id IS NOT NULL AND gross_cents > 0
            GROUP BY fan_id
        ) AS found WHERE fans.id = found.fan_id
    """)
    op.drop_index("ix_fans_by_value", "fans")
    op.create_index("ix_fans_by_value", "fans", [*BY_VALUE, "last_paid_at"])
    op.create_index(
        "ix_transactions_taken_back", "transactions", ["account_id", "at", "fan_id"],
        sqlite_where=sa.text("gross_cents < 0"), postgresql_where=sa.text("gross_cents < 0"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_transactions_taken_back", "transactions")
    op.drop_index("ix_fans_by_value", "fans")
    op.create_index("ix_fans_by_value", "fans", BY_VALUE)
    op.drop_column("fans", "last_paid_at")
