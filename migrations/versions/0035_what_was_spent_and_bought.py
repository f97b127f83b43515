"""What a fan has spent is the sum of dollars alone, as figures are, and what was taken back is no purchase: of those who paid in
other currencies too, or had something taken back, it is counted anew. And a payment keeps what the platform calls the message
that was bought, since that may come in later, and the fee and the tax that its statement tells.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

SUMS = """
    sum(gross_cents) FILTER (WHERE currency = 'USD') AS earned,
    sum(gross_cents) FILTER (WHERE currency = 'USD' AND kind = 'message') AS messages,
    sum(gross_cents) FILTER (WHERE currency = 'USD' AND kind = 'tip') AS tips,
    sum(gross_cents) FILTER (WHERE currency = 'USD' AND kind IN ('subscription', 'renewal')) AS subscriptions,
    max(at) FILTER (WHERE currency = 'USD' AND gross_cents > 0) AS paid_at
"""


def upgrade() -> None:
    op.add_column("transactions", sa.Column("platform_message_id", sa.Text()))
    for name in ("fee_cents", "tax_cents"):
        op.add_column("transactions", sa.Column(name, sa.BigInteger()))
    is_unlinked = sa.text("message_id IS NULL AND platform_message_id IS NOT NULL")
    op.create_index(
        "ix_transactions_unlinked", "transactions", ["account_id", "platform_message_id", "created_at"],
        sqlite_where=is_unlinked, postgresql_where=is_unlinked,
    )  # fmt: skip
    op.execute(f"""
        UPDATE fans SET
            earned_cents = found.earned, value_cents = coalesce(found.earned, fans.stated_value_cents),
            messages_cents = found.messages, tips_cents = found.tips, subscriptions_cents = found.subscriptions,
            last_paid_at = found.paid_at
        FROM (
            SELECT fan_id, {SUMS} FROM transactions
            WHERE fan_id IN (SELECT fan_id FROM transactions WHERE fan_id IS NOT NULL AND currency <> 'USD')
            GROUP BY fan_id
        ) AS found WHERE fans.id = found.fan_id
    """)
    op.execute("""
        UPDATE fans SET last_purchase_at = found.bought_at FROM (
            SELECT fan_id, max(at) FILTER (WHERE kind IN ('message', 'tip', 'other') AND gross_cents > 0) AS bought_at
            FROM transactions
            WHERE fan_id IN (
                SELECT fan_id FROM transactions
                WHERE fan_id IS NOT NULL AND kind IN ('message', 'tip', 'other') AND gross_cents <= 0
            )
            GROUP BY fan_id
        ) AS found WHERE fans.id = found.fan_id
    """)


def downgrade() -> None:
    """What was added up before is not wanted back."""
    op.drop_index("ix_transactions_unlinked", "transactions")
    for name in ("tax_cents", "fee_cents", "platform_message_id"):
        op.drop_column("transactions", name)
