"""Rows of imports refer to nothing: PostgreSQL looked the reference up for every row of a file"""

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

LEFT = text("not_applied IS NOT NULL OR not_undone IS NOT NULL OR warnings IS NOT NULL")


def upgrade() -> None:
    _change(lambda table: table.drop_constraint("fk_import_rows_import_id", type_="foreignkey"))


def downgrade() -> None:
    reference = ("fk_import_rows_import_id", "imports", ["import_id"], ["id"])
    _change(lambda table: table.create_foreign_key(*reference, ondelete="CASCADE"))


def _change(change) -> None:
    """SQLite writes the table anew, and would forget which rows its index is about."""
    op.drop_index("ix_import_rows_left", "import_rows")
    with op.batch_alter_table("import_rows") as table:
        change(table)
    op.create_index(
        "ix_import_rows_left", "import_rows", ["import_id", "row"], sqlite_where=LEFT, postgresql_where=LEFT
    )
