"""Fans are found by fields of the account's own in a narrow table, which the database itself keeps"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

VERBS = ("inserted", "updated", "deleted")
# An entry of an index has its limits: of a long value the fan's row alone knows what it is.
LONGEST_NAME, LONGEST_VALUE, LONGEST_NUMBER = 500, 150, 60
VALUE = f"CASE WHEN length(said.value) <= {LONGEST_VALUE} THEN lower(said.value) END"
IS_WANTED = f"coalesce(said.value, '') <> '' AND length(said.key) <= {LONGEST_NAME}"


def upgrade() -> None:
    _on_postgresql() if op.get_bind().dialect.name == "postgresql" else _on_sqlite()


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for verb in VERBS:
            op.execute(f"DROP TRIGGER fan_fields_{verb} ON fans")
            op.execute(f"DROP FUNCTION fan_fields_{verb}()")
    else:
        for verb in VERBS:
            op.execute(f"DROP TRIGGER fan_fields_{verb}")
    op.execute("DROP TABLE fan_fields")


def _on_sqlite() -> None:
    op.execute(
        "CREATE TABLE fan_fields (account_id BIGINT NOT NULL, name TEXT NOT NULL, fan_id BIGINT NOT NULL, value TEXT,"
        " number REAL, PRIMARY KEY (account_id, name, fan_id)) WITHOUT ROWID"
    )
    text = "trim(said.value, ' ' || char(9, 10, 11, 12, 13))"
    digits = f"substr({text}, 1 + ({text} LIKE '-%'))"
    is_number = (
        f"{digits} GLOB '[0-9]*' AND {digits} GLOB '*[0-9]' AND NOT {digits} GLOB '*[^0-9.]*'"
        f" AND NOT {digits} GLOB '*.*.*' AND length(said.value) <= {LONGEST_NUMBER}"
    )
    add = (
        f"INSERT INTO fan_fields SELECT {{fan}}.account_id, said.key, {{fan}}.id, {VALUE},"
        f" CASE WHEN {is_number} THEN CAST({text} AS REAL) END"
        f" FROM {{source}} json_each({{fan}}.custom) said WHERE {IS_WANTED}"
    )
    op.execute(add.format(fan="fans", source="fans,"))
    add_new = add.format(fan="new", source="")
    remove = (
        "DELETE FROM fan_fields WHERE account_id = old.account_id AND fan_id = old.id"
        " AND name IN (SELECT key FROM json_each(old.custom))"
    )
    _trigger_on_sqlite("inserted", "INSERT", "new.custom <> '{}'", add_new)
    _trigger_on_sqlite("updated", "UPDATE OF custom", "old.custom <> new.custom", f"{remove}; {add_new}")
    _trigger_on_sqlite("deleted", "DELETE", "old.custom <> '{}'", remove)


def _trigger_on_sqlite(name: str, when: str, where: str, what: str) -> None:
    op.execute(f"CREATE TRIGGER fan_fields_{name} AFTER {when} ON fans WHEN {where} BEGIN {what}; END")


def _on_postgresql() -> None:
    op.execute(
        "CREATE TABLE fan_fields (account_id bigint NOT NULL, name text NOT NULL, fan_id bigint NOT NULL, value text,"
        " number double precision, PRIMARY KEY (account_id, name, fan_id) INCLUDE (value, number))"
    )
    is_number = f"said.value ~ '^\\s*-?[0-9]+(\\.[0-9]+)?\\s*$' AND length(said.value) <= {LONGEST_NUMBER}"
    of_those = "FROM {source} fan, {each}(fan.custom) said WHERE fan.custom::text <> '{{}}'"
    add = (
        f"INSERT INTO fan_fields SELECT fan.account_id, said.key, fan.id, {VALUE},"
        f" CASE WHEN {is_number} THEN CAST(said.value AS double precision) END"
        f" {of_those.replace('{each}', 'json_each_text')} AND {IS_WANTED}"
    )
    remove = (
        "DELETE FROM fan_fields WHERE (account_id, name, fan_id) IN"
        f" (SELECT fan.account_id, said, fan.id {of_those.replace('{each}', 'json_object_keys')})"
    )
    op.execute(add.format(source="fans"))
    _trigger_on_postgresql(
        "inserted", "INSERT", "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT", add.format(source="new_rows")
    )  # fmt: skip
    _trigger_on_postgresql(
        "deleted", "DELETE", "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT", remove.format(source="old_rows")
    )  # fmt: skip
    _trigger_on_postgresql(
        "updated", "UPDATE OF custom", "FOR EACH ROW WHEN (OLD.custom::text <> NEW.custom::text)",
        f"{remove.format(source='(SELECT OLD.*)')}; {add.format(source='(SELECT NEW.*)')}",
    )  # fmt: skip


def _trigger_on_postgresql(name: str, when: str, each: str, what: str) -> None:
    op.execute(
        f"CREATE FUNCTION fan_fields_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what}; RETURN NULL; END $$"
    )
    op.execute(f"CREATE TRIGGER fan_fields_{name} AFTER {when} ON fans {each} EXECUTE FUNCTION fan_fields_{name}()")
