"""Fans are found by the state of their subscription, whatever its case, and by when it ends"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    where = sa.text("subscription_ends_at IS NOT NULL")
    op.create_index(
        "ix_fans_subscription_ends",
        "fans",
        ["account_id", "subscription_ends_at"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.execute("CREATE INDEX fans_by_subscription ON fans (account_id, lower(subscription_status), value_cents, id)")


def downgrade() -> None:
    op.execute("DROP INDEX fans_by_subscription")
    op.drop_index("ix_fans_subscription_ends", "fans")
