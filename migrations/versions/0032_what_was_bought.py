"""A subscription that is paid for is no purchase: who never bought anything else has never bought."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

LAST = """
    UPDATE fans SET last_purchase_at = (
        SELECT max(transactions.at) FROM transactions
        WHERE transactions.account_id = fans.account_id AND transactions.fan_id = fans.id {which}
    )
    WHERE fans.earned_cents IS NOT NULL
"""


def upgrade() -> None:
    op.execute(LAST.format(which="AND transactions.kind IN ('message', 'tip', 'other')"))


def downgrade() -> None:
    op.execute(LAST.format(which=""))
