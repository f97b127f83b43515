"""What each fan paid lately stands with the fan: who has paid so much in some days is looked for among these few."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fans", sa.Column("lately_cents", sa.BigInteger()))
    since = datetime.now(UTC) - timedelta(days=92)
    lately = sa.bindparam("since", since.replace(tzinfo=None) if _is_sqlite() else since, sa.DateTime(timezone=True))
    op.execute(
        sa.text("""
        UPDATE fans SET lately_cents = found.cents FROM (
            SELECT fan_id, CAST(sum(gross_cents) AS BIGINT) AS cents FROM transactions
            WHERE fan_id IS NOT NULL AND gross_cents > 0 AND currency = 'USD' AND at >= :since GROUP BY fan_id
        ) AS found WHERE fans.id = found.fan_id
    """).bindparams(lately)
    )
    is_known = sa.text("lately_cents IS NOT NULL")
    op.create_index(
        "ix_fans_lately", "fans", ["account_id", "lately_cents", "last_paid_at", "id"],
        sqlite_where=is_known, postgresql_where=is_known,
    )  # fmt: skip


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def downgrade() -> None:
    op.drop_index("ix_fans_lately", "fans")
    op.drop_column("fans", "lately_cents")
