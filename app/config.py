"""Settings: read once from the environment, checked before anything starts. README lists those that are for people to set."""

import hashlib
import re
import secrets
import tempfile
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LONGEST_SOCKET_PATH = 107  # bytes; a Unix socket's address has room for no more
DEMO = {"email": "ada@example.com", "password": "greenroom-demo"}  # the launcher's; printed for everyone to see
S3_ADDRESS = re.compile(r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()/-]*)?$")
RATE = re.compile(r"^[1-9]\d{0,8}/(second|minute|hour|day)$")


@cache
def version() -> str:
    """This Greenroom's own."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


class BadSetting(ValueError):
    """A setting that cannot be meant; the text names it."""


def read_settings(environ: Mapping[str, str]) -> dict[str, Any]:
    """Flask's configuration from the environment.

    Raises BadSetting where a value is unusable, or where production lacks a real SECRET_KEY.
    """
    instance = Path(environ.get("GREENROOM_INSTANCE") or ROOT / "instance").resolve()
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    production = environ.get("GREENROOM_ENV", "local") == "production"
    max_upload_mb = _whole(environ, "GREENROOM_MAX_UPLOAD_MB", 10)
    lease = _whole(environ, "GREENROOM_SEND_LEASE", 90)
    pace_limit, pace_window = _pace(environ.get("GREENROOM_PACE", "10/60"))
    return {
        "PRODUCTION": production,
        "INSTANCE": instance,
        "DEMO": DEMO if environ.get("GREENROOM_DEMO") and not production else None,
        "PORT": _whole(environ, "PORT", 8000),
        "SANDBOX_PORT": _whole(environ, "SANDBOX_PORT", 8001),
        "SECRET_KEY": _secret_key(environ, instance, production),
        "SQLALCHEMY_DATABASE_URI": _database_url(environ, instance),
        "REDIS_URL": environ.get("REDIS_URL") or f"unix://{redis_socket(instance)}",
        "LIMIT_WRITES": _rate(environ, "GREENROOM_LIMIT_WRITES", "60/minute"),
        "LIMIT_IMPORTS": _rate(environ, "GREENROOM_LIMIT_IMPORTS", "10/hour"),
        "LIMIT_BULK": _rate(environ, "GREENROOM_LIMIT_BULK", "5/hour"),
        "LIMIT_SIGN_IN": _rate(environ, "GREENROOM_LIMIT_SIGN_IN", "10/minute"),
        "LIMIT_CODES": _rate(environ, "GREENROOM_LIMIT_CODES", "20/hour"),
        "MAX_UPLOAD_BYTES": max_upload_mb * 1024 * 1024,
        "MOST_SOCKETS": _whole(environ, "GREENROOM_SOCKETS", 200),
        "METRICS_TOKEN": environ.get("GREENROOM_METRICS_TOKEN", ""),
        "MEDIA_HOSTS": _hosts(environ.get("GREENROOM_MEDIA_HOSTS", "")),
        "MEDIA_STORE": _media_store(environ.get("GREENROOM_MEDIA_STORE", "")),
        **_s3(environ),
        "SENDERS": _whole(environ, "GREENROOM_SENDERS", 1),
        "SEND_LEASE_SECONDS": lease,
        "CALL_SECONDS": min(15, lease / 4),  # a delivery is some calls, uploads included: the lease outlives them
        "SEND_BACKOFF_SECONDS": _backoff(environ.get("GREENROOM_SEND_BACKOFF", "2/120")),
        "PACE_LIMIT": pace_limit,
        "PACE_WINDOW_SECONDS": pace_window,
        "ARGON2": {},  # the library's defaults, which follow RFC 9106
        "TOKEN_LIFETIME": timedelta(hours=12),
        "MAX_CONTENT_LENGTH": max_upload_mb * 1024 * 1024 + 64 * 1024,  # the file, and the form around it
        "MAX_FORM_MEMORY_SIZE": 1024 * 1024,
        "SESSION_COOKIE_NAME": "greenroom",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": production,
        "PERMANENT_SESSION_LIFETIME": timedelta(days=14),
        "WTF_CSRF_CHECK_DEFAULT": False,  # the guard asks for it, after it knows who is there
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session: a tab left open over night must still send
        "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
        "RATELIMIT_HEADERS_ENABLED": False,  # app/errors.py says when to try again
    }


def redis_socket(instance: Path) -> Path:
    """Where the embedded Valkey listens: in the instance folder, or in a private temporary one if that path is too long."""
    inside = instance / "valkey.sock"
    if len(bytes(inside)) <= LONGEST_SOCKET_PATH:
        return inside
    digest = hashlib.sha256(bytes(instance)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"greenroom-{digest}" / "valkey.sock"


def _secret_key(environ: Mapping[str, str], instance: Path, production: bool) -> str:
    given = environ.get("SECRET_KEY", "")
    if production and len(given) < 32:
        raise BadSetting("SECRET_KEY must be set to at least 32 random characters when GREENROOM_ENV=production.")
    return given or _kept_secret(instance / "secret.key")


def _kept_secret(file: Path) -> str:
    if not file.exists():
        draft = file.with_suffix(f".{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        try:
            file.hardlink_to(draft)  # fails if another process was first: then theirs is the key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return file.read_text().strip()


def _database_url(environ: Mapping[str, str], instance: Path) -> str:
    url = environ.get("DATABASE_URL") or f"sqlite:///{instance / 'greenroom.sqlite'}"
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)


def _rate(environ: Mapping[str, str], name: str, default: str) -> str:
    value = environ.get(name) or default
    if not RATE.match(value):
        raise BadSetting(f"{name} must look like 60/minute, not {value!r}.")
    return value


def _whole(environ: Mapping[str, str], name: str, default: int) -> int:
    value = environ.get(name) or str(default)
    if not value.isdecimal() or int(value) < 1:
        raise BadSetting(f"{name} must be a whole number above 0, not {value!r}.")
    return int(value)


def _pace(value: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", value)
    if not found:
        raise BadSetting(f"GREENROOM_PACE must look like 10/60 (messages/seconds), not {value!r}.")
    return int(found[1]), int(found[2])


def _backoff(value: str) -> tuple[float, float]:
    found = re.fullmatch(r"(\d{1,4}(?:\.\d+)?)/(\d{1,5}(?:\.\d+)?)", value)
    if not found or not 0 < float(found[1]) <= float(found[2]):
        raise BadSetting(f"GREENROOM_SEND_BACKOFF must look like 2/120 (first/longest seconds), not {value!r}.")
    return float(found[1]), float(found[2])


def _hosts(value: str) -> frozenset[str]:
    """Names and addresses; a port beside one says nothing more."""
    words = re.split(r"[,\s]+", value.lower())
    return frozenset(re.sub(r"^([^:]+):\d+$", r"\1", word) for word in words if word)


def _media_store(value: str) -> str:
    if value and not S3_ADDRESS.match(value):
        raise BadSetting(f"GREENROOM_MEDIA_STORE must be empty or look like s3://bucket/prefix, not {value!r}.")
    return value.rstrip("/") or "folder"


def _s3(environ: Mapping[str, str]) -> dict[str, str]:
    """Also where files go into the folder now: older ones may lie in a bucket."""
    endpoint = environ.get("GREENROOM_S3_ENDPOINT", "").rstrip("/")
    if endpoint and not re.match(r"^https?://[^/\s@]+$", endpoint):
        raise BadSetting(f"GREENROOM_S3_ENDPOINT must look like https://storage.example.com, not {endpoint!r}.")
    key_id, secret = environ.get("GREENROOM_S3_KEY_ID", ""), environ.get("GREENROOM_S3_SECRET", "")
    if bool(key_id) != bool(secret):
        raise BadSetting("GREENROOM_S3_KEY_ID and GREENROOM_S3_SECRET are set both or neither.")
    region = environ.get("GREENROOM_S3_REGION") or "us-east-1"
    return {"S3_ENDPOINT": endpoint, "S3_REGION": region, "S3_KEY_ID": key_id, "S3_SECRET": secret}
