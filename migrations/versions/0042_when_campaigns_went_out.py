"""When a campaign's messages went out stands in an index: the latest of them is found without reading the others."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

NAME = "ix_messages_out_of_campaign"
WENT_OUT = sa.text("campaign_id IS NOT NULL AND sent_at IS NOT NULL")


def upgrade() -> None:
    op.create_index(NAME, "messages", ["campaign_id", "sent_at"], sqlite_where=WENT_OUT, postgresql_where=WENT_OUT)


def downgrade() -> None:
    op.drop_index(NAME, "messages")
