"""Indexes from which a period's figures are counted, without a look at the rows themselves; what a statement calls a payment
that an event told"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOVED = ["account_id", "at", "id", "currency", "kind", "fan_id", "gross_cents", "net_cents", "message_id"]
OF_STATEMENT = "ix_transactions_of_statement"
TOLD = "import_id IS NULL AND statement_id IS NULL"
WENT_OUT = ["account_id", "sent_at", "id", "campaign_id", "author_id", "price_cents", "purchased"]


def upgrade() -> None:
    op.add_column("transactions", sa.Column("statement_id", sa.Text()))
    _index(
        OF_STATEMENT,
        "transactions",
        ["account_id", "platform", "statement_id"],
        "statement_id IS NOT NULL",
        unique=True,
    )
    _index("ix_transactions_told", "transactions", ["account_id", "gross_cents", "at"], TOLD)
    op.create_index("ix_transactions_moved", "transactions", MOVED)
    op.drop_index("ix_transactions_account_id_at_id", "transactions")
    _index("ix_messages_came_in", "messages", ["account_id", "created_at", "id", "fan_id"], "direction = 'in'")
    _index("ix_messages_went_out", "messages", WENT_OUT, "sent_at IS NOT NULL")


def downgrade() -> None:
    op.drop_index("ix_messages_went_out", "messages")
    op.drop_index("ix_messages_came_in", "messages")
    op.create_index("ix_transactions_account_id_at_id", "transactions", ["account_id", "at", "id"])
    op.drop_index("ix_transactions_moved", "transactions")
    op.drop_index("ix_transactions_told", "transactions")
    op.drop_index(OF_STATEMENT, "transactions")
    op.drop_column("transactions", "statement_id")


def _index(name: str, table: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    of = {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
    op.create_index(name, table, columns, unique=unique, **of)
