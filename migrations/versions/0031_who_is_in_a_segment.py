"""Automatic campaigns remember who is in their segment, to know who comes in again.

Whom one has considered already counts as inside until it looks: nobody is written to again by the upgrade itself.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "stays",
        sa.Column("campaign_id", NUMBER, nullable=False, autoincrement=False),
        sa.Column("fan_id", NUMBER, nullable=False, autoincrement=False),
        sa.Column("account_id", NUMBER, nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], "fk_stays_campaign_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["fan_id"], ["fans.id"], "fk_stays_fan_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], "fk_stays_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("campaign_id", "fan_id", name="pk_stays"),
    )
    op.create_index("ix_stays_fan_id", "stays", ["fan_id"])
    op.create_index("ix_stays_account_id", "stays", ["account_id"])
    op.execute("""
        INSERT INTO stays (campaign_id, fan_id, account_id, began_at)
        SELECT DISTINCT recipients.campaign_id, recipients.fan_id, campaigns.account_id, campaigns.started_at
        FROM campaigns JOIN recipients ON recipients.campaign_id = campaigns.id
        WHERE campaigns.trigger = 'segment' AND campaigns.status IN ('active', 'paused') AND recipients.fan_id IS NOT NULL
    """)


def downgrade() -> None:
    op.drop_table("stays")
