"""Which fans the newest conversations are of stands in their index: whoever is looked for among them is found without
reading the conversations themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

IS_OPEN = sa.text("NOT archived AND snoozed_until IS NULL")


def upgrade() -> None:
    _make_anew("account_id", "last_message_at", "id", "fan_id")


def _make_anew(*columns: str) -> None:
    op.drop_index("ix_conversations_open", "conversations")
    op.create_index(
        "ix_conversations_open", "conversations", columns, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN
    )  # fmt: skip


def downgrade() -> None:
    _make_anew("account_id", "last_message_at", "id")
