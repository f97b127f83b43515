"""What rules ask of a fan, and who got or bought from a campaign, is found in indexes alone: no row is read for it."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

BY_VALUE = [
    "account_id", "value_cents", "id", "subscribed_at", "last_purchase_at", "last_seen_at", "created_at", "messages_cents",
    "tips_cents", "subscriptions_cents",
]  # fmt: skip
BY_SUBSCRIPTION = (
    "CREATE INDEX fans_by_subscription ON fans (account_id, lower(subscription_status), value_cents, id{more})"
)


def upgrade() -> None:
    op.create_index("ix_fans_by_value", "fans", BY_VALUE)
    op.drop_index("ix_fans_account_id_value_cents_id", "fans")
    op.execute("DROP INDEX fans_by_subscription")
    op.execute(BY_SUBSCRIPTION.format(more=", subscription_status"))
    op.create_index("ix_messages_campaign_id_status_fan_id", "messages", ["campaign_id", "status", "fan_id"])
    op.drop_index("ix_messages_campaign_id_status", "messages")
    op.create_index(
        "ix_messages_bought", "messages", ["campaign_id", "fan_id"],
        sqlite_where=sa.text("purchased = 1"), postgresql_where=sa.text("purchased"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_messages_bought", "messages")
    op.create_index("ix_messages_campaign_id_status", "messages", ["campaign_id", "status"])
    op.drop_index("ix_messages_campaign_id_status_fan_id", "messages")
    op.execute("DROP INDEX fans_by_subscription")
    op.execute(BY_SUBSCRIPTION.format(more=""))
    op.create_index("ix_fans_account_id_value_cents_id", "fans", ["account_id", "value_cents", "id"])
    op.drop_index("ix_fans_by_value", "fans")
