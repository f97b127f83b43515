"""Campaigns by rules: guards, texts that are filled in, and recipients whose messages are still to be made"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

UNPREPARED = sa.text("message_id IS NULL AND skip_reason IS NULL")


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("guards", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("campaigns", sa.Column("is_template", sa.Boolean(), nullable=False, server_default=sa.false()))
    # A message that was deleted with its fan left its recipient behind: there is nothing to prepare any more.
    op.execute("UPDATE recipients SET skip_reason = 'fan_deleted' WHERE message_id IS NULL AND skip_reason IS NULL")
    op.create_index(
        "ix_recipients_unprepared",
        "recipients",
        ["campaign_id", "id"],
        sqlite_where=UNPREPARED,
        postgresql_where=UNPREPARED,
    )


def downgrade() -> None:
    op.drop_index("ix_recipients_unprepared", "recipients")
    op.drop_column("campaigns", "is_template")
    op.drop_column("campaigns", "guards")
