"""Two-step sign-in: a secret shared with an app on the person's phone, and recovery codes."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("users", sa.Column("totp_secret", sa.Text(), nullable=True))
    op.add_column("users", sa.Column("totp_step", BIG_ID, nullable=True))
    op.create_table(
        "recovery_codes",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("user_id", BIG_ID, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_recovery_codes_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_recovery_codes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recovery_codes_user_id_digest", "recovery_codes", ["user_id", "digest"], unique=True)


def downgrade() -> None:
    op.drop_table("recovery_codes")
    op.drop_column("users", "totp_step")
    op.drop_column("users", "totp_secret")
