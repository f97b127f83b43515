"""What figures are summed from is kept, by stretches of six hours; the database itself notes which of them changed since.

By triggers: a payment that comes late, a statement taken back, a fan or a person deleted, an answer to what a fan asked last
night. Whatever writes, and by whichever release, no figure stays behind.
"""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
STRETCH = 6 * 3600  # seconds, as in app/analytics/stretches.py
YOUNG = "30 minutes"  # no stretch is kept whose rows are younger: what is written as it happens is not noted
YOUNG_ON_SQLITE = f"strftime('%Y-%m-%d %H:%M:%f', 'now', '-{YOUNG}')"

OF_PAYMENTS = ("account_id", "at", "kind", "currency", "gross_cents", "net_cents", "fan_id", "message_id")
OF_MESSAGES = (
    "account_id", "conversation_id", "direction", "created_at", "sent_at", "fan_id", "price_cents", "purchased",
    "campaign_id", "author_id",
)  # fmt: skip
ANSWERS = "sent_at IS NOT NULL AND campaign_id IS NULL AND direction = 'out'"  # of messages: what a person wrote
IS_TALK = "({0}.direction = 'in' OR {0}.sent_at IS NOT NULL AND {0}.campaign_id IS NULL)"


def upgrade() -> None:
    op.create_table(
        "kept_stretches",
        sa.Column("account_id", NUMBER, nullable=False, autoincrement=False),
        sa.Column("number", NUMBER, nullable=False, autoincrement=False),
        sa.Column("tally", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], "fk_kept_stretches_account_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("account_id", "number", name="pk_kept_stretches"),
    )
    op.create_table(
        "changed_stretches",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("account_id", NUMBER, nullable=False),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.current_timestamp()),
        sa.PrimaryKeyConstraint("id", name="pk_changed_stretches"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_changed_stretches_account_id_number", "changed_stretches", ["account_id", "number"])
    is_known = sa.text("message_id IS NOT NULL")  # a message that goes is looked up in the payments
    op.create_index(
        "ix_transactions_of_message", "transactions", ["message_id"],
        sqlite_where=is_known, postgresql_where=is_known,
    )  # fmt: skip
    _on_postgresql() if op.get_bind().dialect.name == "postgresql" else _on_sqlite()


def downgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    for table in ("transactions", "messages"):
        for verb in ("inserted", "updated", "deleted"):
            op.execute(f"DROP TRIGGER {table}_stretch_{verb}" + (f" ON {table}" if on_postgresql else ""))
            if on_postgresql:
                op.execute(f"DROP FUNCTION {table}_stretch_{verb}()")
    if on_postgresql:
        op.execute("DROP FUNCTION note_message_changed(messages)")
        op.execute("DROP FUNCTION note_talk_changed(bigint, bigint, timestamptz, bigint)")
        op.execute("DROP FUNCTION note_changed(bigint, timestamptz)")
    op.drop_index("ix_transactions_of_message", "transactions")
    op.drop_table("changed_stretches")
    op.drop_table("kept_stretches")


def _on_postgresql() -> None:
    _function("note_changed(account bigint, moment timestamptz)", f"""
        INSERT INTO changed_stretches (account_id, number)
            SELECT account, floor(date_part('epoch', moment) / {STRETCH})
            WHERE moment < clock_timestamp() - interval '{YOUNG}'""")  # fmt: skip
    in_thread = "SELECT created_at, id FROM messages WHERE conversation_id = thread"
    _function("note_talk_changed(account bigint, thread bigint, moment timestamptz, message bigint)", f"""
        {in_thread} AND (created_at, id) < (moment, message) AND {ANSWERS}
            ORDER BY created_at DESC, id DESC LIMIT 1 INTO answer;
        {in_thread} AND (created_at, id) < (moment, message) AND direction = 'in'
            AND (created_at, id) > (coalesce(answer.created_at, '-infinity'), coalesce(answer.id, 0))
            ORDER BY created_at, id LIMIT 1 INTO wait;
        PERFORM note_changed(account, wait.created_at);
        {in_thread} AND (created_at, id) > (moment, message) AND direction = 'in'
            ORDER BY created_at, id LIMIT 1 INTO wait;
        PERFORM note_changed(account, wait.created_at)""", declare="answer record; wait record;")  # fmt: skip
    _function("note_message_changed(message messages)", f"""
        IF message.direction = 'in' THEN
            PERFORM note_changed(message.account_id, message.created_at);
        END IF;
        PERFORM note_changed(message.account_id, message.sent_at);
        IF {IS_TALK.format("message")} THEN
            PERFORM note_talk_changed(message.account_id, message.conversation_id, message.created_at, message.id);
        END IF""")  # fmt: skip
    _payments_on_postgresql()
    _messages_on_postgresql()


def _payments_on_postgresql() -> None:
    changed = f"""
        INSERT INTO changed_stretches (account_id, number)
            SELECT DISTINCT account_id, floor(date_part('epoch', at) / {STRETCH})::bigint FROM changed
            WHERE at < clock_timestamp() - interval '{YOUNG}'"""
    _trigger("transactions", "inserted", "INSERT", "REFERENCING NEW TABLE AS changed FOR EACH STATEMENT", changed)
    _trigger("transactions", "deleted", "DELETE", "REFERENCING OLD TABLE AS changed FOR EACH STATEMENT", changed)
    differs = f"({_of('OLD', OF_PAYMENTS)}) IS DISTINCT FROM ({_of('NEW', OF_PAYMENTS)})"
    _trigger("transactions", "updated", f"UPDATE OF {', '.join(OF_PAYMENTS)}", f"FOR EACH ROW WHEN ({differs})", """
        PERFORM note_changed(OLD.account_id, OLD.at);
        PERFORM note_changed(NEW.account_id, NEW.at)""")  # fmt: skip


def _messages_on_postgresql() -> None:
    matters = _matters("NEW", f"clock_timestamp() - interval '{YOUNG}'")
    _trigger("messages", "inserted", "INSERT", f"FOR EACH ROW WHEN ({matters})", "PERFORM note_message_changed(NEW)")
    _trigger(
        "messages",
        "deleted",
        "DELETE",
        f"FOR EACH ROW WHEN ({matters.replace('NEW', 'OLD')})",
        "PERFORM note_message_changed(OLD)",
    )
    differs = f"({_of('OLD', OF_MESSAGES)}) IS DISTINCT FROM ({_of('NEW', OF_MESSAGES)})"
    matters = f"({matters} OR {matters.replace('NEW', 'OLD')})"
    _trigger("messages", "updated", f"UPDATE OF {', '.join(OF_MESSAGES)}", f"FOR EACH ROW WHEN ({differs} AND {matters})", """
        PERFORM note_message_changed(OLD);
        PERFORM note_message_changed(NEW);
        PERFORM note_changed(account_id, at) FROM transactions WHERE message_id = NEW.id""")  # fmt: skip


def _function(name: str, what: str, *, returns: str = "void", declare: str = "") -> None:
    declared = f"DECLARE {declare}" if declare else ""
    op.execute(f"CREATE FUNCTION {name} RETURNS {returns} LANGUAGE plpgsql AS $$ {declared} BEGIN {what}; END $$")


def _trigger(table: str, verb: str, event: str, each: str, what: str) -> None:
    name = f"{table}_stretch_{verb}"
    _function(f"{name}()", f"{what}; RETURN NULL", returns="trigger")
    op.execute(f"CREATE TRIGGER {name} AFTER {event} ON {table} {each} EXECUTE FUNCTION {name}()")


def _of(row: str, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{row}.{each}" for each in columns)


def _matters(row: str, young: str) -> str:
    """Whether a message may be one of a stretch that has ended, or be the answer to one."""
    return (
        f"({row}.direction = 'in' AND {row}.created_at < {young}"
        f" OR {row}.sent_at IS NOT NULL AND ({row}.sent_at < {young} OR {row}.campaign_id IS NULL))"
    )


def _on_sqlite() -> None:
    payment, message = (lambda row: _note(row, f"{row}.at")), _note_message
    _triggers("transactions", OF_PAYMENTS, payment, "{0}.at IS NOT NULL")
    _triggers("messages", OF_MESSAGES, message, _matters("{0}", YOUNG_ON_SQLITE))


def _triggers(table: str, columns: tuple[str, ...], note: Callable[[str], str], matters: str) -> None:
    name, old, new = f"{table}_stretch", matters.format("old"), matters.format("new")
    differs = f"({_of('old', columns)}) IS NOT ({_of('new', columns)})"
    sold = _note("new", "at", "FROM transactions WHERE message_id = new.id") if table == "messages" else ""
    for verb, event, when, what in (
        ("inserted", "INSERT", new, note("new")),
        ("deleted", "DELETE", old, note("old")),
        (
            "updated",
            f"UPDATE OF {', '.join(columns)}",
            f"{differs} AND ({old} OR {new})",
            note("old") + note("new") + sold,
        ),
    ):
        op.execute(f"CREATE TRIGGER {name}_{verb} AFTER {event} ON {table} WHEN {when} BEGIN {what} END")


def _note_message(row: str) -> str:
    in_thread = (
        f"SELECT created_at, id FROM messages WHERE conversation_id = {row}.conversation_id AND (created_at, id)"
    )
    here = f"({row}.created_at, {row}.id)"
    answer = f"{in_thread} < {here} AND {ANSWERS} ORDER BY created_at DESC, id DESC LIMIT 1"
    since = f"(coalesce((SELECT created_at FROM ({answer})), ''), coalesce((SELECT id FROM ({answer})), 0))"
    begun = f"{in_thread} < {here} AND direction = 'in' AND (created_at, id) > {since}"
    begins = f"{in_thread} > {here} AND direction = 'in'"
    written = _note(row, f"CASE {row}.direction WHEN 'in' THEN {row}.created_at END") + _note(row, f"{row}.sent_at")
    return written + "".join(
        _note(row, "created_at", f"FROM ({wait} ORDER BY created_at, id LIMIT 1) WHERE {IS_TALK.format(row)}")
        for wait in (begun, begins)
    )


def _note(row: str, moment: str, source: str = "") -> str:
    """One writes at a time: so a stretch that is noted need not be noted again."""
    number = f"CAST(strftime('%s', moment) AS integer) / {STRETCH}"
    known = f"SELECT 1 FROM changed_stretches WHERE account_id = {row}.account_id AND number = {number}"
    return (
        f"INSERT INTO changed_stretches (account_id, number) SELECT DISTINCT {row}.account_id, {number}"
        f" FROM (SELECT {moment} AS moment {source}) WHERE moment < {YOUNG_ON_SQLITE} AND NOT EXISTS ({known});"
    )
