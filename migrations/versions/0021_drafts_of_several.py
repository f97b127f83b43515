"""Drafts know who wrote in them last"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaigns", sa.Column("draft_window", sa.Text()))


def downgrade() -> None:
    op.drop_column("campaigns", "draft_window")
