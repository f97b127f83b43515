"""On SQLite, the id of a deleted conversation or file is given to no other again: an old link, and an answer that is being
written, must not reach a stranger. Migrations 0005 and 0008 had written both tables anew without that.

What is stored stays as it is, so the definition alone is changed, as SQLite's manual says for that (lang_altertable.html, "Making
Other Kinds Of Table Schema Changes"): to write the tables anew would delete all that points at them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

KEY, ONCE = "id INTEGER NOT NULL", "id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT"
AT_THE_END = "PRIMARY KEY (id), "
NAMED_ELSEWHERE = {  # also those that are gone
    "conversations": "SELECT max(CAST(substr(room, 8) AS INTEGER)) FROM room_events WHERE room LIKE 'thread:%'",
    "media": "SELECT max(CAST(substr(medium, 8) AS INTEGER)) FROM message_media WHERE medium LIKE '/media/%'",
}


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":
        return
    for table, seen in NAMED_ELSEWHERE.items():
        definition = _definition(table)
        if "AUTOINCREMENT" not in definition:
            _redefine(table, definition.replace(AT_THE_END, "", 1).replace(KEY, ONCE, 1))
            op.execute(
                f"INSERT INTO sqlite_sequence (name, seq) SELECT '{table}',"
                f" max(coalesce((SELECT max(id) FROM {table}), 0), coalesce(({seen}), 0))"
            )


def _definition(table: str) -> str:
    found = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name")
    return str(op.get_bind().execute(found, {"name": table}).scalar_one())


def _redefine(table: str, definition: str) -> None:
    if definition.count("PRIMARY KEY") != 1 or ONCE not in definition:
        raise RuntimeError(f"The table {table} is not defined as it is known: {definition}")
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    changed = sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = :name")
    connection.execute(changed, {"sql": definition, "name": table})
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
    if (found := connection.exec_driver_sql("PRAGMA quick_check").scalar_one()) != "ok":
        raise RuntimeError(found)


def downgrade() -> None:
    """Nothing: the tables hold the same either way."""
