"""Indexes from which a period's figures are counted, without a look at the rows themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOVED = ["account_id", "at", "id", "currency", "kind", "fan_id", "gross_cents", "net_cents", "message_id"]
WENT_OUT = ["account_id", "sent_at", "id", "campaign_id", "author_id", "price_cents", "purchased"]


def upgrade() -> None:
    op.create_index("ix_transactions_moved", "transactions", MOVED)
    op.drop_index("ix_transactions_account_id_at_id", "transactions")
    _index("ix_messages_came_in", ["account_id", "created_at", "id", "fan_id"], "direction = 'in'")
    _index("ix_messages_went_out", WENT_OUT, "sent_at IS NOT NULL")


def downgrade() -> None:
    op.drop_index("ix_messages_went_out", "messages")
    op.drop_index("ix_messages_came_in", "messages")
    op.create_index("ix_transactions_account_id_at_id", "transactions", ["account_id", "at", "id"])
    op.drop_index("ix_transactions_moved", "transactions")


def _index(name: str, columns: list[str], where: str) -> None:
    op.create_index(name, "messages", columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
