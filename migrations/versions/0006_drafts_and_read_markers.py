"""What each person has begun to write, and how far they have seen a thread"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "drafts",
        *_whose("drafts"),
        sa.Column("client_message_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.Column("attachments", sa.JSON(), nullable=False),
        sa.Column("is_note", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_drafts_user_id", "drafts", ["user_id"])
    op.create_table(
        "read_markers",
        *_whose("read_markers"),
        sa.Column("message_id", BIG_ID, nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_read_markers_user_id", "read_markers", ["user_id"])


def _whose(table: str) -> list[sa.schema.SchemaItem]:
    owners = (("conversation_id", "conversations"), ("user_id", "users"), ("account_id", "accounts"))
    return [
        *(sa.Column(name, BIG_ID, nullable=False) for name, _ in owners),
        *(
            sa.ForeignKeyConstraint([name], [f"{owner}.id"], name=f"fk_{table}_{name}", ondelete="CASCADE")
            for name, owner in owners
        ),
        sa.PrimaryKeyConstraint("conversation_id", "user_id", name=f"pk_{table}"),
    ]


def downgrade() -> None:
    op.drop_table("read_markers")
    op.drop_table("drafts")
