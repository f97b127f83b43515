"""The migration check: on both databases the migrations lead from nothing to exactly the models, and back."""

import sys
import tempfile
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import Connection, text

from app import create_app
from app.database import Base, db
from tests import servers

BY_HAND = ("message_words", "fan_names", "fan_fields", "fans_by_")  # what no model describes


def app_on(url: str) -> Flask:
    """An application on an empty database."""
    url = url.replace("postgresql://", "postgresql+psycopg://")
    return create_app({"SQLALCHEMY_DATABASE_URI": url, "INSTANCE": Path(tempfile.mkdtemp(prefix="gr-migrations-"))})


def differences(url: str) -> list[object]:
    with app_on(url).app_context():
        upgrade()
        downgrade(revision="base")
        upgrade()
        with db.engine.connect() as connection:
            options = {"include_name": lambda name, _kind, _names: not (name or "").startswith(BY_HAND)}
            changes = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
            return [*changes, *_numbered_anew(connection)]


def _numbered_anew(connection: Connection) -> list[str]:
    """Tables of SQLite that would give the id of a deleted row to the next one: alembic does not compare that."""
    if connection.dialect.name != "sqlite":
        return []
    once = [name for name, table in Base.metadata.tables.items() if table.dialect_options["sqlite"]["autoincrement"]]
    rows = text("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%AUTOINCREMENT%'")
    return sorted(set(once) - set(connection.scalars(rows)))


def main() -> int:
    found = {"sqlite": differences(f"sqlite:///{tempfile.mkdtemp(prefix='gr-migrations-')}/check.sqlite")}
    with servers.running_postgres() as url:
        found["postgresql"] = differences(servers.make_database(url, "check"))
    for name, changes in found.items():
        print(f"Migrations on {name}: {changes or 'equal to the models'}")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
