"""Media: in which store each lies, found by name; and which of them a message carried to whom"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
CARRIED = """
    INSERT INTO message_media (message_id, medium, account_id, fan_id, is_preview)
    SELECT DISTINCT messages.id, {url}, messages.account_id, messages.fan_id, {no}
    FROM messages, {each}
    WHERE messages.direction = 'out' AND messages.fan_id IS NOT NULL AND {array}
        AND ({url} LIKE '/media/%' OR {url} LIKE 'platform:%')
"""
SQLITE = {
    "url": "json_extract(each.value, '$.url')",
    "each": "json_each(messages.attachments) AS each",
    "array": "messages.attachments <> '[]'",
    "no": "0",
}
POSTGRESQL = {
    "url": "(each.value ->> 'url')",
    "each": "json_array_elements(messages.attachments) AS each(value)",
    "array": "messages.attachments::text <> '[]'",
    "no": "false",
}


def upgrade() -> None:
    with op.batch_alter_table("media") as table:
        table.add_column(sa.Column("name_key", sa.Text(), nullable=False, server_default=""))
        table.add_column(sa.Column("store", sa.Text(), nullable=False, server_default="folder"))
        table.add_column(sa.Column("discard_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("media") as table:
        table.alter_column("name_key", server_default=None)
        table.alter_column("store", server_default=None)
    due = sa.text("discard_at IS NOT NULL")
    op.create_index("ix_media_discard", "media", ["discard_at"], sqlite_where=due, postgresql_where=due)
    _fold_names()
    op.create_table(
        "message_media",
        sa.Column("message_id", BIG_ID, nullable=False, autoincrement=False),
        sa.Column("medium", sa.Text(), nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("fan_id", BIG_ID, nullable=False),
        sa.Column("is_preview", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name="fk_message_media_message_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name="fk_message_media_account_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["fan_id"], ["fans.id"], name="fk_message_media_fan_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("message_id", "medium", name="pk_message_media"),
    )
    words = POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE
    op.get_bind().exec_driver_sql(CARRIED.format(**words).replace("%", "%%" if words is POSTGRESQL else "%"))
    op.create_index("ix_message_media_account_id_medium_fan_id", "message_media", ["account_id", "medium", "fan_id"])
    op.create_index("ix_message_media_fan_id", "message_media", ["fan_id"])


def _fold_names() -> None:
    media = sa.table("media", sa.column("id"), sa.column("name"), sa.column("name_key"))
    change = media.update().where(media.c.id == sa.bindparam("of")).values(name_key=sa.bindparam("key"))
    rows = [
        {"of": row.id, "key": _fold(row.name)} for row in op.get_bind().execute(sa.select(media.c.id, media.c.name))
    ]
    if rows:
        op.get_bind().execute(change, rows)


def _fold(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words.casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))


def downgrade() -> None:
    op.drop_table("message_media")
    op.drop_index("ix_media_discard", "media")
    with op.batch_alter_table("media") as table:
        for name in ("discard_at", "store", "name_key"):
            table.drop_column(name)
