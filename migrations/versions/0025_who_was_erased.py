"""Who was erased is known again by a hash: a file does not bring them back unseen"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "erased_names",
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], "fk_erased_names_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "digest", name="pk_erased_names"),
    )


def downgrade() -> None:
    op.drop_table("erased_names")
