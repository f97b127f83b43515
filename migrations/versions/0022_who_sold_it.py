"""Who sold what, said by people"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLE = "attributions"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("transaction_id", BIG_ID, nullable=False),
        sa.Column("by_id", BIG_ID, nullable=True),
        sa.Column("is_by_hand", sa.Boolean(), nullable=False),
        sa.Column("seller_id", BIG_ID, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        _belongs_to("account_id", "accounts.id", "CASCADE"),
        _belongs_to("transaction_id", "transactions.id", "CASCADE"),
        _belongs_to("by_id", "users.id", "SET NULL"),
        _belongs_to("seller_id", "users.id", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_attributions"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attributions_transaction_id_id", TABLE, ["transaction_id", "id"])
    op.create_index("ix_attributions_account_id", TABLE, ["account_id"])


def downgrade() -> None:
    op.drop_table(TABLE)


def _belongs_to(column: str, target: str, ondelete: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{TABLE}_{column}", ondelete=ondelete)
