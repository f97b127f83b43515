"""Messages deleted on the platform, and how far a connection has caught up with it"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("connections", sa.Column("last_caught_up_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("connections", sa.Column("heard_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("connections", "heard_until")
    op.drop_column("connections", "last_caught_up_at")
    op.drop_column("messages", "deleted_at")
