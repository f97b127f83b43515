"""Drafts, schedules, automatic campaigns, wordings that rotate, shares held back; forbidden words of a platform"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
CAMPAIGN_COLUMNS = {
    "draft_key": (sa.Text(), None),
    "aim": (sa.Text(), ""),
    "wordings": (sa.JSON(), "[]"),
    "holdout_percent": (sa.Integer(), "0"),
    "at_most": (sa.Integer(), None),
    "stop_at": (MOMENT, None),
    "scheduled_at": (MOMENT, None),
    "late_policy": (sa.Text(), "ask"),
    "late_hours": (sa.Integer(), "6"),
    "note": (sa.Text(), ""),
    "trigger": (sa.Text(), ""),
    "delay_minutes": (sa.JSON(), "[0, 0]"),
    "again_after_days": (sa.Integer(), None),
    "looked_at": (MOMENT, None),
}
UNIQUE = "uq_recipients_campaign_id_fan_id"


AWAITED = "status = 'scheduled' OR (status = 'active' AND (trigger != '' OR stop_at IS NOT NULL))"
SUBSCRIBED = "subscribed_at IS NOT NULL"


def upgrade() -> None:
    for name, (type_, default) in CAMPAIGN_COLUMNS.items():
        op.add_column("campaigns", sa.Column(name, type_, nullable=default is None, server_default=default))
    op.create_index("ix_campaigns_draft_key", "campaigns", ["account_id", "draft_key"], unique=True)
    _create_partial("ix_campaigns_awaited", "campaigns", ["id"], AWAITED)
    with op.batch_alter_table("recipients", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.add_column(sa.Column("wording", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("nth", sa.Integer(), nullable=False, server_default="1"))
        batch.drop_constraint(UNIQUE, type_="unique")
        batch.create_unique_constraint(f"{UNIQUE}_nth", ["campaign_id", "fan_id", "nth"])
    _create_partial("ix_fans_subscribed", "fans", ["account_id", "subscribed_at"], SUBSCRIBED)
    op.add_column("connections", sa.Column("forbidden_words", sa.Text(), nullable=False, server_default=""))


def _create_partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_column("connections", "forbidden_words")
    op.drop_index("ix_fans_subscribed", "fans")
    op.execute("DELETE FROM recipients WHERE nth > 1")
    with op.batch_alter_table("recipients", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_constraint(f"{UNIQUE}_nth", type_="unique")
        batch.create_unique_constraint(UNIQUE, ["campaign_id", "fan_id"])
        batch.drop_column("nth")
        batch.drop_column("wording")
    op.drop_index("ix_campaigns_awaited", "campaigns")
    op.drop_index("ix_campaigns_draft_key", "campaigns")
    for name in CAMPAIGN_COLUMNS:
        op.drop_column("campaigns", name)
