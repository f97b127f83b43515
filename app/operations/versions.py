"""What runs here, in which version."""

import platform
from importlib.metadata import version

from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import config
from app.database import db, on_postgresql
from app.extensions import get_redis


def short() -> dict[str, str]:
    """That need not ask anybody."""
    return {"version": config.version(), "python": platform.python_version(), "database": db.engine.dialect.name}


def everything() -> dict[str, str]:
    """By the name that people know."""
    return {
        "Greenroom": config.version(),
        "Python": platform.python_version(),
        "Flask": version("flask"),
        "PostgreSQL" if on_postgresql() else "SQLite": _database(),
        "Redis or Valkey": _redis(),
        "Migration": _migration(),
    }


def _database() -> str:
    return _asked("SHOW server_version" if on_postgresql() else "SELECT sqlite_version()")


def _migration() -> str:
    return _asked("SELECT version_num FROM alembic_version")


def _asked(query: str) -> str:
    try:
        return str(db.session.scalar(text(query)))
    except SQLAlchemyError:
        db.session.rollback()
        return "does not answer"


def _redis() -> str:
    try:
        told: dict[str, str] = get_redis().info("server")  # type: ignore[assignment]
    except RedisError:
        return "does not answer"
    if "valkey_version" in told:
        return f"Valkey {told['valkey_version']}"
    return f"Redis {told.get('redis_version', '')}"
