"""What segments ask of a fan, kept where it is asked: subscription dates, the last purchase, who wrote last and when"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
FAN_COLUMNS = ("last_purchase_at", "subscribed_at", "subscription_ends_at")
CONVERSATION_COLUMNS = {"fan_wrote_at": "in", "we_wrote_at": "out"}


def upgrade() -> None:
    for name in FAN_COLUMNS:
        op.add_column("fans", sa.Column(name, MOMENT, nullable=True))
    for name in CONVERSATION_COLUMNS:
        op.add_column("conversations", sa.Column(name, MOMENT, nullable=True))
    op.execute(
        "UPDATE fans SET last_purchase_at = (SELECT max(at) FROM transactions"
        " WHERE transactions.account_id = fans.account_id AND transactions.fan_id = fans.id)"
        " WHERE earned_cents IS NOT NULL"
    )
    for name, direction in CONVERSATION_COLUMNS.items():
        op.execute(
            f"UPDATE conversations SET {name} = (SELECT max(created_at) FROM messages"
            f" WHERE messages.conversation_id = conversations.id AND direction = '{direction}')"
            " WHERE last_message_id IS NOT NULL"
        )


def downgrade() -> None:
    for name in CONVERSATION_COLUMNS:
        op.drop_column("conversations", name)
    for name in FAN_COLUMNS:
        op.drop_column("fans", name)
