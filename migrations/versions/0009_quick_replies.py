"""Quick replies: texts under a short code"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INDEXES = (
    ("code", ["account_id", "code"], True, "deleted_at IS NULL"),
    ("deleted", ["deleted_at"], False, "deleted_at IS NOT NULL"),
)


def upgrade() -> None:
    op.create_table(
        "quick_replies",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("author_id", BIG_ID, nullable=True),
        sa.Column("owner_id", BIG_ID, nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_quick_replies_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_quick_replies_author_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name="fk_quick_replies_owner_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_quick_replies"),
        sqlite_autoincrement=True,
    )
    for name, columns, unique, rows in INDEXES:
        op.create_index(
            f"ix_quick_replies_{name}",
            "quick_replies",
            columns,
            unique=unique,
            sqlite_where=sa.text(rows),
            postgresql_where=sa.text(rows),
        )


def downgrade() -> None:
    op.drop_table("quick_replies")
