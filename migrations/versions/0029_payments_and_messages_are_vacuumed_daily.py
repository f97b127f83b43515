"""PostgreSQL looks after new payments and messages every so many of them, not when a fifth of the table is new.

Until it has, figures look every row of an index up in its table as well.
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

TABLES = ("transactions", "messages")
EVERY = 20_000  # rows: what a busy account takes in within a day or two


def upgrade() -> None:
    _alter(f"SET (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = {EVERY})")


def downgrade() -> None:
    _alter("RESET (autovacuum_vacuum_insert_scale_factor, autovacuum_vacuum_insert_threshold)")


def _alter(how: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} {how}")
