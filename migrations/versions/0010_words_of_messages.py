"""Words of messages are found by an index that the database itself keeps; views of the inbox are saved under a name"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
ROWS_AT_ONCE = 5000

# What is looked up by its words, and marks beside them that no text can hold: a sign with letters behind it is no word.
# The account is one, and so is the account's month: so neither others nor years gone by are read through.
DOCUMENT = """'#a' || {0}.account_id || ' #a' || {0}.account_id || 'm' || {month}
    || CASE WHEN {0}.price_cents > 0 THEN ' #ppv' ELSE '' END
    || CASE WHEN {0}.purchased THEN ' #bought' ELSE '' END
    || CASE WHEN CAST({0}.attachments AS TEXT) <> '[]' THEN ' #media' ELSE '' END
    || CASE WHEN {0}.author_id IS NULL THEN '' ELSE ' #u' || {0}.author_id END
    || ' ' || {0}.search_text"""
CHANGES = "account_id, conversation_id, price_cents, purchased, attachments, author_id, search_text, created_at"


def upgrade() -> None:
    op.create_index("ix_messages_account_id_created_at_id", "messages", ["account_id", "created_at", "id"])
    _split_words()
    _on_postgresql() if op.get_bind().dialect.name == "postgresql" else _on_sqlite()
    op.create_table(
        "saved_views",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("account_id", BIG_ID, nullable=False),
        sa.Column("owner_id", BIG_ID, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("address", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], "fk_saved_views_account_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], "fk_saved_views_owner_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_saved_views"),
        sa.UniqueConstraint("account_id", "owner_id", "name_key", name="uq_saved_views_account_id_owner_id_name_key"),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("saved_views")
    if op.get_bind().dialect.name == "postgresql":
        for verb in ("inserted", "updated", "deleted"):
            op.execute(f"DROP TRIGGER message_words_{verb} ON messages")
            op.execute(f"DROP FUNCTION message_words_{verb}()")
    else:
        for verb in ("inserted", "updated", "deleted"):
            op.execute(f"DROP TRIGGER message_words_{verb}")
    op.execute("DROP TABLE message_words")
    op.drop_index("ix_messages_account_id_created_at_id", "messages")


def _split_words() -> None:
    """Words with a space between each two, as app/conversations/words.py writes them from now on."""
    bind = op.get_bind()
    rows = sa.text("SELECT id, text FROM messages WHERE id > :after AND text <> '' ORDER BY id LIMIT :many")
    change = sa.text("UPDATE messages SET search_text = :words WHERE id = :id")
    after = 0
    while found := bind.execute(rows, {"after": after, "many": ROWS_AT_ONCE}).all():
        bind.execute(change, [{"id": row.id, "words": _search_text(row.text)} for row in found])
        after = found[-1].id


UNPARTED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
PARTS = r"_.,;:!?'\"()\[\]{}/\\|*~`^<>=\-–—…‘’‚“”„«»¡¿·"
WORD = re.compile(rf"(?:(?![{UNPARTED}])[^\W_])+|[^\s{PARTS}]")


def _search_text(text: str) -> str:
    folded = unicodedata.normalize("NFKD", text.replace("\0", "").casefold())
    return " ".join(each[0][:100] for each in WORD.finditer("".join(c for c in folded if not unicodedata.combining(c))))


def _document(row: str) -> str:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    month = (
        "to_char({0}.created_at AT TIME ZONE 'UTC', 'YYYYMM')" if on_postgresql else "strftime('%Y%m', {0}.created_at)"
    )
    return DOCUMENT.format(row, month=month.format(row))


def _on_sqlite() -> None:
    """A search looks at the message itself too: so the index knows no places of words, and keeps no text."""
    op.execute(
        "CREATE VIRTUAL TABLE message_words USING fts5(words, content='', columnsize=0, detail=none,"
        " tokenize=\"unicode61 remove_diacritics 0 categories 'L* M* N* P* S* C*'\")"
    )
    add = "INSERT INTO message_words (rowid, words) SELECT {0}.id, {1} {2} WHERE {0}.conversation_id IS NOT NULL"
    remove = (
        "INSERT INTO message_words (message_words, rowid, words)"
        f" SELECT 'delete', old.id, {_document('old')} WHERE old.conversation_id IS NOT NULL"
    )
    add_new = add.format("new", _document("new"), "")
    op.execute(add.format("messages", _document("messages"), "FROM messages"))
    op.execute(f"CREATE TRIGGER message_words_inserted AFTER INSERT ON messages BEGIN {add_new}; END")
    op.execute(
        f"CREATE TRIGGER message_words_updated AFTER UPDATE OF {CHANGES} ON messages BEGIN {remove}; {add_new}; END"
    )
    op.execute(f"CREATE TRIGGER message_words_deleted AFTER DELETE ON messages BEGIN {remove}; END")


def _on_postgresql() -> None:
    """Beside the messages, not on them: a message changes its state several times, and each time all of its indexes."""
    op.execute("CREATE TABLE message_words (message_id bigint PRIMARY KEY, words tsvector NOT NULL)")
    words = f"array_to_tsvector(array_remove(string_to_array({_document('said')}, ' '), ''))"
    add = f"INSERT INTO message_words SELECT said.id, {words} FROM {{}} said WHERE said.conversation_id IS NOT NULL"
    op.execute(add.format("messages"))
    op.execute(
        "CREATE INDEX ix_message_words_words ON message_words USING gin (words) WITH (gin_pending_list_limit = 512)"
    )
    _trigger("inserted", "INSERT", "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT", add.format("new_rows"))
    _trigger(
        "deleted", "DELETE", "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
        "DELETE FROM message_words WHERE message_id IN (SELECT id FROM old_rows)",
    )  # fmt: skip
    _trigger(
        "updated", f"UPDATE OF {CHANGES}", "FOR EACH ROW",
        "DELETE FROM message_words WHERE message_id = OLD.id; " + add.format("(SELECT NEW.*)"),
    )  # fmt: skip


def _trigger(name: str, when: str, each: str, what: str) -> None:
    op.execute(
        f"CREATE FUNCTION message_words_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what}; RETURN NULL; END $$"
    )
    op.execute(
        f"CREATE TRIGGER message_words_{name} AFTER {when} ON messages {each} EXECUTE FUNCTION message_words_{name}()"
    )
