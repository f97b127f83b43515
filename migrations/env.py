"""How migrations run, on SQLite and on PostgreSQL: `flask --app wsgi db upgrade`."""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy.types import TypeDecorator

from app.database import Base, BigId, db


def render_item(kind: str, item: Any, _context: Any) -> str | bool:
    """Plain types in the migrations: a migration must not change when the application's code does."""
    if kind != "type":
        return False
    if item is BigId or getattr(item, "_variant_mapping", None):
        return 'sa.BigInteger().with_variant(sa.Integer(), "sqlite")'
    if isinstance(item, TypeDecorator):
        name = type(item).__name__
        return {"UTCDateTime": "sa.DateTime(timezone=True)", "Encrypted": "sa.Text()"}[name]
    return False


def is_by_hand(name: str | None) -> bool:
    """What each database keeps in its own way is in no model: migrations 0010, 0016, 0019 and 0036."""
    return (name or "").startswith(("message_words", "fan_names", "fan_fields", "fans_by_"))


def run() -> None:
    with db.engine.connect() as connection:
        options = current_app.extensions["migrate"].configure_args | {
            "render_item": render_item,
            "include_name": lambda name, _kind, _names: not is_by_hand(name),
            "render_as_batch": connection.dialect.name == "sqlite",  # SQLite changes a table by copying it
        }
        context.configure(connection=connection, target_metadata=Base.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()
