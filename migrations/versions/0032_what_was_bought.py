"""What fans spent on each kind is summed up, for rules that ask for it; and a subscription that is paid for is no purchase: who
never bought anything else has never bought.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

KINDS = {
    "messages_cents": "'message'",
    "tips_cents": "'tip'",
    "subscriptions_cents": "'subscription', 'renewal'",
}
PURCHASES = "'message', 'tip', 'other'"
OF_EACH = """
    SELECT fan_id, {sums} FROM transactions WHERE fan_id IS NOT NULL GROUP BY fan_id
"""


def upgrade() -> None:
    for column in KINDS:
        op.add_column("fans", sa.Column(column, sa.BigInteger()))
    sums = [f"sum(gross_cents) FILTER (WHERE kind IN ({kinds})) AS {column}" for column, kinds in KINDS.items()]
    sums.append(f"max(at) FILTER (WHERE kind IN ({PURCHASES})) AS last_purchase_at")
    _set(sums, [*KINDS, "last_purchase_at"])


def downgrade() -> None:
    for column in KINDS:
        op.drop_column("fans", column)
    _set(["max(at) AS last_purchase_at"], ["last_purchase_at"])


def _set(sums: list[str], columns: list[str]) -> None:
    values = ", ".join(f"{each} = found.{each}" for each in columns)
    of_each = OF_EACH.format(sums=", ".join(sums))
    op.execute(f"UPDATE fans SET {values} FROM ({of_each}) AS found WHERE fans.id = found.fan_id")
