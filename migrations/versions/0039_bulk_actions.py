"""What was done about many conversations at once is kept for a day, with how each stood before: it can be taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "bulk_actions",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("account_id", NUMBER, nullable=False),
        sa.Column("user_id", NUMBER, nullable=False),
        sa.Column("set_to", sa.JSON(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], "fk_bulk_actions_account_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], "fk_bulk_actions_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_bulk_actions"),
        sqlite_autoincrement=True,
    )
    for column in ("account_id", "user_id", "done_at"):
        op.create_index(f"ix_bulk_actions_{column}", "bulk_actions", [column])
    op.create_table(
        "bulk_action_rows",
        sa.Column("bulk_action_id", NUMBER, nullable=False),
        sa.Column("conversation_id", NUMBER, nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("snoozed_until", sa.DateTime(timezone=True)),
        sa.Column("unread_count", sa.Integer(), nullable=False),
        sa.Column("assignee_id", NUMBER),
        sa.ForeignKeyConstraint(
            ["bulk_action_id"], ["bulk_actions.id"], "fk_bulk_action_rows_bulk_action_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], "fk_bulk_action_rows_conversation_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], "fk_bulk_action_rows_assignee_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("bulk_action_id", "conversation_id", name="pk_bulk_action_rows"),
    )
    for column in ("conversation_id", "assignee_id"):
        op.create_index(f"ix_bulk_action_rows_{column}", "bulk_action_rows", [column])


def downgrade() -> None:
    op.drop_table("bulk_action_rows")
    op.drop_table("bulk_actions")
