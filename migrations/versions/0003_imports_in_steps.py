"""Imports in steps: each row's decision with what it needs to be undone, remembered mappings, fields of one's own on fans"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
COUNTERS = (
    "new_rows", "changed_rows", "conflict_rows", "rejected_rows", "warned_rows", "not_applied", "undone", "not_undone",
)  # fmt: skip
AT_WORK = sa.text("status IN ('rehearsing', 'applying', 'undoing')")
LEFT = sa.text("not_applied IS NOT NULL OR not_undone IS NOT NULL OR warnings IS NOT NULL")


def upgrade() -> None:
    _upgrade_imports()
    _upgrade_rows()
    op.create_table(
        "remembered_mappings",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("header_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_remembered_mappings_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remembered_mappings")),
        sa.UniqueConstraint(
            "account_id", "header_key", name=op.f("uq_remembered_mappings_account_id_header_key")
        ),
        sqlite_autoincrement=True,
    )  # fmt: skip
    op.add_column("fans", sa.Column("custom", sa.JSON(), nullable=False, server_default="{}"))
    for table in ("fans", "transactions"):
        op.add_column(table, sa.Column("import_id", BIG_ID, nullable=True))


def _upgrade_imports() -> None:
    op.drop_index("ix_imports_unfinished", "imports")
    for name in COUNTERS:
        op.add_column("imports", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("imports", sa.Column("exporter", sa.Text(), nullable=False, server_default=""))
    op.add_column("imports", sa.Column("cursor", sa.Text(), nullable=False, server_default=""))
    op.execute(
        "UPDATE imports SET new_rows = inserted, changed_rows = updated, rejected_rows = skipped,"
        " warned_rows = (SELECT count(DISTINCT row) FROM import_rows"
        " WHERE import_id = imports.id AND severity = 'warning')"
    )
    words = "Greenroom was upgraded while this import ran. What came in before stands; upload the file again."
    op.execute(f"UPDATE imports SET status = 'failed', failure = '{words}' WHERE status IN ('queued', 'running')")
    op.drop_column("imports", "last_row")
    op.drop_column("imports", "skipped")
    op.create_index(
        "ix_imports_at_work", "imports", ["id"], sqlite_where=AT_WORK, postgresql_where=AT_WORK, unique=False
    )


def _upgrade_rows() -> None:
    """Skipped rows of before are kept, with their reasons; warnings are kept as their number alone."""
    op.rename_table("import_rows", "old_import_rows")
    if op.get_bind().dialect.name == "postgresql":
        for kind, name in (("pk", "import_rows"), ("fk", "import_rows_account_id"), ("fk", "import_rows_import_id")):
            op.execute(f'ALTER TABLE old_import_rows RENAME CONSTRAINT "{kind}_{name}" TO "{kind}_old_{name}"')
    op.create_table(
        "import_rows",
        sa.Column("import_id", BIG_ID, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("fan_id", BIG_ID, nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=True),
        sa.Column("before", sa.JSON(), nullable=True),
        sa.Column("column", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("cells", sa.JSON(), nullable=True),
        sa.Column("warnings", sa.JSON(), nullable=True),
        sa.Column("not_applied", sa.Text(), nullable=True),
        sa.Column("not_undone", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_rows_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "outcome", "row", name=op.f("pk_import_rows")),
    )
    op.execute(
        'INSERT INTO import_rows (import_id, outcome, "row", account_id, label, "column", value, error, cells)'
        " SELECT import_id, 'rejected', \"row\", account_id, '', \"column\", value, error, cells FROM old_import_rows AS old"
        " WHERE severity = 'error' AND NOT EXISTS (SELECT 1 FROM old_import_rows AS first WHERE first.import_id = old.import_id"
        ' AND first."row" = old."row" AND first.severity = \'error\' AND first.id < old.id)'
    )
    op.drop_table("old_import_rows")
    op.create_index(
        "ix_import_rows_left", "import_rows", ["import_id", "row"], sqlite_where=LEFT, postgresql_where=LEFT
    )


def downgrade() -> None:
    """Imports in steps cannot be told in the tables of before: their rows go, the imports stay as history."""
    for table in ("transactions", "fans"):
        op.drop_column(table, "import_id")
    op.drop_column("fans", "custom")
    op.drop_table("remembered_mappings")
    op.drop_table("import_rows")
    op.create_table(
        "import_rows",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("import_id", BIG_ID, nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("column", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("cells", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_import_rows_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name=op.f("fk_import_rows_import_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_rows")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_import_rows_import_id_severity_row_id", "import_rows", ["import_id", "severity", "row", "id"])
    op.drop_index("ix_imports_at_work", "imports")
    op.add_column("imports", sa.Column("skipped", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("imports", sa.Column("last_row", sa.Integer(), nullable=False, server_default="0"))
    op.execute("UPDATE imports SET skipped = conflict_rows + rejected_rows + not_applied")
    op.execute("UPDATE imports SET status = 'failed' WHERE status NOT IN ('completed', 'failed')")
    for name in (*COUNTERS, "exporter", "cursor"):
        op.drop_column("imports", name)
    op.create_index(
        "ix_imports_unfinished", "imports", ["id"],
        sqlite_where=sa.text("status IN ('queued', 'running')"), postgresql_where=sa.text("status IN ('queued', 'running')"),
    )  # fmt: skip
