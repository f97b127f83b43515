"""Pinned conversations in their order, or SQLite walks through all conversations in that order."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _index_pinned(["account_id", "last_message_at", "id"])


def downgrade() -> None:
    _index_pinned(["account_id"])


def _index_pinned(columns: list[str]) -> None:
    where = sa.text("pinned")
    op.drop_index("ix_conversations_pinned", "conversations")
    op.create_index("ix_conversations_pinned", "conversations", columns, sqlite_where=where, postgresql_where=where)
