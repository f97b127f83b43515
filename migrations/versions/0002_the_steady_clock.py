"""The steady clock: the outbox's times in ticks, senders that have names, and what a connection's pace may know"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

CONNECTION_COLUMNS = (
    ("reserve", sa.Integer(), "0"),
    ("daily_cap", sa.Integer(), None),
    ("cap_day", sa.Text(), ""),
    ("cap_count", sa.Integer(), "0"),
    ("due_tick", sa.BigInteger(), None),
    ("wakes_on_answer", sa.Boolean(), sa.false()),
    ("held_tick", sa.BigInteger(), None),
    ("faults_in_a_row", sa.Integer(), "0"),
    ("slow_percent", sa.Integer(), "100"),
    ("slowed_tick", sa.BigInteger(), "0"),
)
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "clocks",
        sa.Column("boot_id", sa.Text(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("boot_id", name=op.f("pk_clocks")),
    )
    op.create_table(
        "senders",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_senders")),
        sqlite_autoincrement=True,
    )
    _upgrade_connections()
    _upgrade_messages()
    _upgrade_attempts()


def _upgrade_connections() -> None:
    for name, kind, default in CONNECTION_COLUMNS:
        op.add_column("connections", sa.Column(name, kind, nullable=default is None, server_default=default))
    op.execute(f"UPDATE connections SET held_tick = {_tick('held_until')} WHERE held_until IS NOT NULL")
    op.drop_column("connections", "held_until")
    _create_partial("ix_connections_due", "connections", ["due_tick"], "status = 'active'")


def _upgrade_messages() -> None:
    op.add_column("messages", sa.Column("due_tick", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("lease_tick", sa.BigInteger(), nullable=True))
    op.execute(
        f"UPDATE messages SET due_tick = {_tick('not_before')}, lease_tick = {_tick('lease_until')} "
        "WHERE not_before IS NOT NULL OR lease_until IS NOT NULL"
    )
    op.drop_index("ix_messages_sending", "messages")
    op.drop_index("ix_messages_queued", "messages")
    op.drop_column("messages", "not_before")
    op.drop_column("messages", "lease_until")
    _create_partial("ix_messages_queued", "messages", ["connection_id", "campaign_id", "id"], "status = 'queued'")
    _create_partial("ix_messages_sending", "messages", ["connection_id", "lease_tick"], "status = 'sending'")
    waits = "status = 'queued' AND due_tick IS NOT NULL"
    _create_partial("ix_messages_retries", "messages", ["connection_id", "due_tick"], waits)


def _upgrade_attempts() -> None:
    op.drop_index(op.f("ix_send_attempts_connection_id_answered_at"), "send_attempts")
    op.drop_index(op.f("ix_send_attempts_connection_id_of_campaign_started_at"), "send_attempts")
    op.add_column("send_attempts", sa.Column("started_tick", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("send_attempts", sa.Column("answered_tick", sa.BigInteger(), nullable=True))
    op.execute(f"UPDATE send_attempts SET started_tick = {_tick('started_at')}, answered_tick = {_tick('answered_at')}")
    op.add_column("send_attempts", sa.Column("sender_id", BIG_ID, nullable=True))
    for columns in (["connection_id", "answered_tick"], ["connection_id", "of_campaign", "started_tick"]):
        op.create_index(op.f(f"ix_send_attempts_{'_'.join(columns)}"), "send_attempts", columns)
    _create_partial("ix_send_attempts_lost", "send_attempts", ["sender_id"], "outcome IS NULL OR outcome = 'lost'")


def downgrade() -> None:
    op.drop_index("ix_send_attempts_lost", "send_attempts")
    for columns in ("connection_id_of_campaign_started_tick", "connection_id_answered_tick"):
        op.drop_index(op.f(f"ix_send_attempts_{columns}"), "send_attempts")
    for name in ("sender_id", "answered_tick", "started_tick"):
        op.drop_column("send_attempts", name)
    for columns in (["connection_id", "of_campaign", "started_at"], ["connection_id", "answered_at"]):
        op.create_index(op.f(f"ix_send_attempts_{'_'.join(columns)}"), "send_attempts", columns)
    for name in ("ix_messages_retries", "ix_messages_sending", "ix_messages_queued"):
        op.drop_index(name, "messages")
    for name in ("due_tick", "lease_tick"):
        op.drop_column("messages", name)
    for name in ("not_before", "lease_until"):
        op.add_column("messages", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    _create_partial("ix_messages_queued", "messages", ["connection_id", "rank", "id"], "status = 'queued'")
    _create_partial("ix_messages_sending", "messages", ["connection_id", "lease_until"], "status = 'sending'")
    op.drop_index("ix_connections_due", "connections")
    for name, _, _ in CONNECTION_COLUMNS:
        op.drop_column("connections", name)
    op.add_column("connections", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.drop_table("senders")
    op.drop_table("clocks")


def _on_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _tick(column: str) -> str:
    """Microseconds since 1970, in the dialect's SQL."""
    if _on_sqlite():
        return f"CAST(ROUND((julianday({column}) - 2440587.5) * 86400000000) AS INTEGER)"
    return f"CAST(extract(epoch FROM {column}) * 1000000 AS BIGINT)"


def _create_partial(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
