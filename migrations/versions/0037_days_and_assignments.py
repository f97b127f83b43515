"""Until when the day lasts of a payment whose statement tells the day alone, so that its event finds it. And to whom threads
were given, and when: it begins with whose they are, from now on, as nobody has noted since when they are.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("transactions", sa.Column("day_ends_at", sa.DateTime(timezone=True)))
    is_of_day = sa.text("day_ends_at IS NOT NULL")
    op.create_index(
        "ix_transactions_of_days", "transactions", ["account_id", "gross_cents", "at"],
        sqlite_where=is_of_day, postgresql_where=is_of_day,
    )  # fmt: skip
    op.create_table(
        "assignments",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("account_id", NUMBER, nullable=False),
        sa.Column("conversation_id", NUMBER, nullable=False),
        sa.Column("assignee_id", NUMBER),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], "fk_assignments_account_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], "fk_assignments_conversation_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"], "fk_assignments_assignee_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_assignments"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_assignments_conversation_id_at_id_assignee_id",
        "assignments",
        ["conversation_id", "at", "id", "assignee_id"],
    )
    op.create_index("ix_assignments_account_id", "assignments", ["account_id"])
    now = sa.bindparam(
        "now", datetime.now(UTC).replace(tzinfo=None if _is_sqlite() else UTC), sa.DateTime(timezone=True)
    )
    op.execute(
        sa.text("""
        INSERT INTO assignments (account_id, conversation_id, assignee_id, at)
        SELECT account_id, id, assignee_id, :now FROM conversations WHERE assignee_id IS NOT NULL
    """).bindparams(now)
    )


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def downgrade() -> None:
    op.drop_table("assignments")
    op.drop_index("ix_transactions_of_days", "transactions")
    op.drop_column("transactions", "day_ends_at")
