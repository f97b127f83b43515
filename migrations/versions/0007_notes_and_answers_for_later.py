"""Private notes in a thread, and answers that go out later"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "notes",
        *_whose("notes"),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_notes_conversation_id_created_at_id", "notes", ["conversation_id", "created_at", "id"])
    op.create_index("ix_notes_author_id", "notes", ["author_id"])
    op.create_table(
        "later_replies",
        *_whose("later_replies"),
        sa.Column("client_message_id", sa.Text(), nullable=False),
        sa.Column("send_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("unless_answered", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint(
            "conversation_id", "client_message_id", name="uq_later_replies_conversation_id_client_message_id"
        ),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_later_replies_conversation_id_status", "later_replies", ["conversation_id", "status"])
    op.create_index("ix_later_replies_author_id", "later_replies", ["author_id"])
    waiting = sa.text("status = 'waiting'")
    op.create_index(
        "ix_later_replies_waiting", "later_replies", ["send_at"], sqlite_where=waiting, postgresql_where=waiting
    )


def _whose(table: str) -> list[sa.schema.SchemaItem]:
    owners = (
        ("account_id", "accounts", "CASCADE"),
        ("conversation_id", "conversations", "CASCADE"),
        ("author_id", "users", "SET NULL"),
    )
    return [
        sa.Column("id", BIG_ID, primary_key=True),
        *(sa.Column(name, BIG_ID, nullable=name == "author_id") for name, _, _ in owners),
        *(
            sa.ForeignKeyConstraint([name], [f"{owner}.id"], name=f"fk_{table}_{name}", ondelete=on_delete)
            for name, owner, on_delete in owners
        ),
    ]


def downgrade() -> None:
    op.drop_table("later_replies")
    op.drop_table("notes")
