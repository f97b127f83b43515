"""Conversations as work: who waits since when, who answers, what is snoozed, what is pinned"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INDEXES = (
    ("open", ["account_id", "last_message_at", "id"], "NOT archived AND snoozed_until IS NULL"),
    ("waiting", ["account_id", "waiting_since", "id"], "waiting_since IS NOT NULL"),
    ("snoozed", ["snoozed_until"], "snoozed_until IS NOT NULL"),
    ("pinned", ["account_id"], "pinned"),
)
OTHERS = (("unread", ["account_id"], "unread_count > 0"),)
BY_ASSIGNEE = "ix_conversations_account_id_assignee_id_last_message_at_id"


def upgrade() -> None:
    _without_indexes(OTHERS)
    with op.batch_alter_table("conversations") as table:
        table.add_column(sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("assignee_id", BIG_ID, nullable=True))
        table.create_foreign_key("fk_conversations_assignee_id", "users", ["assignee_id"], ["id"], ondelete="SET NULL")
    with op.batch_alter_table("conversations") as table:
        table.alter_column("pinned", server_default=None)
    _with_indexes(OTHERS + INDEXES)
    op.create_index(BY_ASSIGNEE, "conversations", ["account_id", "assignee_id", "last_message_at", "id"])
    op.execute(
        "UPDATE conversations SET waiting_since = last_message_at WHERE EXISTS"
        " (SELECT 1 FROM messages WHERE messages.id = conversations.last_message_id AND messages.direction = 'in')"
    )


def downgrade() -> None:
    op.drop_index(BY_ASSIGNEE, "conversations")
    _without_indexes(OTHERS + INDEXES)
    with op.batch_alter_table("conversations") as table:
        table.drop_constraint("fk_conversations_assignee_id", type_="foreignkey")
        for name in ("waiting_since", "snoozed_until", "pinned", "assignee_id"):
            table.drop_column(name)
    _with_indexes(OTHERS)


def _without_indexes(indexes) -> None:
    """SQLite writes the table anew, and would forget which rows an index is about."""
    for name, _, _ in indexes:
        op.drop_index(f"ix_conversations_{name}", "conversations")


def _with_indexes(indexes) -> None:
    for name, columns, rows in indexes:
        op.create_index(
            f"ix_conversations_{name}",
            "conversations",
            columns,
            sqlite_where=sa.text(rows),
            postgresql_where=sa.text(rows),
        )
