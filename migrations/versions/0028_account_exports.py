"""Files of whole accounts that owners asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
AT_WORK = sa.text("state IN ('queued', 'running')")
KEPT = sa.text("state IN ('queued', 'running', 'done')")


def upgrade() -> None:
    op.create_table(
        "account_exports",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("total_rows", sa.BigInteger(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("total_files", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("stored_file", sa.Text(), nullable=False),
        sa.Column("lease_until", MOMENT, nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("finished_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_account_exports_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_account_exports_user_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_account_exports"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_account_exports_account_id_id", "account_exports", ["account_id", "id"])
    op.create_index(
        "ix_account_exports_one", "account_exports", ["account_id"], unique=True,
        sqlite_where=AT_WORK, postgresql_where=AT_WORK,
    )  # fmt: skip
    op.create_index("ix_account_exports_kept", "account_exports", ["id"], sqlite_where=KEPT, postgresql_where=KEPT)


def downgrade() -> None:
    op.drop_table("account_exports")
