"""Fans are found by any part of their names, by an index that the database itself keeps; indexes that the inbox is read by"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

ARCHIVED = ["account_id", "last_message_at", "id"]
WAITING = "ix_conversations_account_id_waiting_since_id"
CHANGES = "account_id, search_text"


def upgrade() -> None:
    op.create_index(
        "ix_conversations_archived",
        "conversations",
        ARCHIVED,
        sqlite_where=sa.text("archived"),
        postgresql_where=sa.text("archived"),
    )
    op.create_index(WAITING, "conversations", ["account_id", "waiting_since", "id"])
    _on_postgresql() if op.get_bind().dialect.name == "postgresql" else _on_sqlite()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for verb in ("inserted", "updated", "deleted"):
            op.execute(f"DROP TRIGGER fan_names_{verb} ON fans")
            op.execute(f"DROP FUNCTION fan_names_{verb}()")
        op.execute("DROP TABLE fan_names")
        op.execute("DROP FUNCTION name_grams(bigint, text, text)")
    else:
        for verb in ("inserted", "updated", "deleted"):
            op.execute(f"DROP TRIGGER fan_names_{verb}")
        op.execute("DROP TABLE fan_names")
    op.drop_index(WAITING, "conversations")
    op.drop_index("ix_conversations_archived", "conversations")


def _on_sqlite() -> None:
    """A search looks at the fan too: so the index knows no places, and keeps no text."""
    op.execute(
        "CREATE VIRTUAL TABLE fan_names USING fts5(words, content='', columnsize=0, detail=none,"
        " tokenize='trigram case_sensitive 1')"
    )
    add = "INSERT INTO fan_names (rowid, words) SELECT {0}.id, {0}.search_text {1}"
    remove = "INSERT INTO fan_names (fan_names, rowid, words) SELECT 'delete', old.id, old.search_text"
    op.execute(add.format("fans", "FROM fans"))
    add_new = add.format("new", "")
    op.execute(f"CREATE TRIGGER fan_names_inserted AFTER INSERT ON fans BEGIN {add_new}; END")
    op.execute(
        "CREATE TRIGGER fan_names_updated AFTER UPDATE OF search_text ON fans WHEN old.search_text <> new.search_text"
        f" BEGIN {remove}; {add_new}; END"
    )
    op.execute(f"CREATE TRIGGER fan_names_deleted AFTER DELETE ON fans BEGIN {remove}; END")


def _on_postgresql() -> None:
    """Beside the fans, not on them: what they spent and when they were seen changes often, and each time all their indexes.

    Three letters each, and at the end two and one: a search for less than three looks for what begins so. Those of the
    e-mail carry a mark, for not every search is for it. The account is a word too.
    """
    op.execute("""
        CREATE FUNCTION name_grams(account bigint, names text, email text) RETURNS tsvector
        LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10000 AS $$
            SELECT array_to_tsvector(
                array_agg(DISTINCT substr(names, place, 3)) FILTER (WHERE place <= length(names))
                || array_agg(DISTINCT '>' || substr(email, place, 3)) FILTER (WHERE place <= length(email))
                || ARRAY['account' || account]
            ) FROM generate_series(1, greatest(length(names), length(email), 1)) place
        $$""")
    op.execute(
        "CREATE TABLE fan_names"
        " (fan_id bigint PRIMARY KEY, account_id bigint NOT NULL, names text NOT NULL, email text NOT NULL)"
    )
    # The e-mail, where there is one, is the last line of what is searched.
    has_email = "coalesce(said.email, '') <> ''"
    names = f"CASE WHEN {has_email} THEN regexp_replace(said.search_text, E'[^\\n]*$', '') ELSE said.search_text END"
    email = f"CASE WHEN {has_email} THEN substring(said.search_text FROM E'[^\\n]*$') ELSE '' END"
    add = f"INSERT INTO fan_names SELECT said.id, said.account_id, {names}, {email} FROM {{}} said"
    op.execute(add.format("fans"))
    op.execute(
        "CREATE INDEX ix_fan_names_grams ON fan_names USING gin (name_grams(account_id, names, email))"
        " WITH (gin_pending_list_limit = 512)"
    )
    _trigger(
        "inserted", "INSERT", "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT", add.format("new_rows")
    )  # fmt: skip
    _trigger(
        "deleted", "DELETE", "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
        "DELETE FROM fan_names WHERE fan_id IN (SELECT id FROM old_rows)",
    )  # fmt: skip
    _trigger(
        "updated", f"UPDATE OF {CHANGES}", "FOR EACH ROW WHEN (OLD.search_text <> NEW.search_text)",
        "DELETE FROM fan_names WHERE fan_id = OLD.id; " + add.format("(SELECT NEW.*)"),
    )  # fmt: skip


def _trigger(name: str, when: str, each: str, what: str) -> None:
    op.execute(
        f"CREATE FUNCTION fan_names_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what}; RETURN NULL; END $$"
    )
    op.execute(f"CREATE TRIGGER fan_names_{name} AFTER {when} ON fans {each} EXECUTE FUNCTION fan_names_{name}()")
