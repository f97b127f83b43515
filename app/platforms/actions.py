"""Connecting to a platform, and taking in what it tells us."""

import ipaddress
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import inspect, select, update

from app import restored
from app.accounts import auditing
from app.accounts.auditing import Act
from app.background import later
from app.database import db, insert, utcnow, write
from app.errors import DomainError, Invalid, NotFound
from app.platforms import queries, signatures, wire
from app.platforms.gateway import CredentialsExpired, PlatformError
from app.platforms.models import Connection, ConnectionStatus, StoredEvent

LONGEST_WINDOW_SECONDS = 86400


class BadSignature(DomainError):
    def __init__(self) -> None:
        super().__init__("The signature is wrong or too old.", 401, {"WWW-Authenticate": "Signature"})


def connect(
    account_id: int,
    *,
    base_url: str,
    external_account: str,
    api_key: str,
    pace_limit: int,
    pace_window_seconds: int,
    price_min_cents: int = 300,
    price_max_cents: int = 20000,
    reserve: int = 0,
    daily_cap: int | None = None,
    forbidden_words: str = "",
    platform: str = "onlyfans",
) -> Connection:
    """Makes the account's link to the platform, or changes it; an empty key keeps the one that stands. Raises Invalid."""
    check_base_url(base_url)
    check_pace(pace_limit, pace_window_seconds, reserve, daily_cap)
    check_prices(price_min_cents, price_max_cents)
    with write() as session:
        connection = queries.first_connection(account_id, platform)
        if connection is None:
            if not api_key:
                raise Invalid(("apiKey", "Enter the key that the platform gave you."))
            connection = Connection(
                account_id=account_id,
                platform=platform,
                base_url=base_url,
                external_account=external_account,
                api_key=api_key,
                webhook_secret=secrets.token_hex(32),
                pace_limit=pace_limit,
                pace_window_seconds=pace_window_seconds,
            )
            session.add(connection)
        is_new = connection.id is None
        _check_key_stays_home(connection, base_url, api_key)
        connection.base_url, connection.external_account = base_url, external_account
        connection.api_key = api_key or connection.api_key
        connection.pace_limit, connection.pace_window_seconds = pace_limit, pace_window_seconds
        connection.price_min_cents, connection.price_max_cents = price_min_cents, price_max_cents
        connection.reserve, connection.daily_cap, connection.due_tick = reserve, daily_cap, 0
        connection.forbidden_words = forbidden_words
        changed = _changed_fields(connection)
        session.flush()
        act = Act.CONNECTION_MADE if is_new else Act.CONNECTION_CHANGED
        auditing.record(account_id, act, "connection", connection.id, external_account if is_new else changed)
    return connection


def _changed_fields(connection: Connection) -> str:
    """Their names, for the audit log; never what they hold: one is the key."""
    names = [each.key for each in inspect(connection).attrs if each.key != "due_tick" and each.history.has_changes()]
    return ", ".join(name.replace("_", " ") for name in names) or "nothing"


def _check_key_stays_home(connection: Connection, base_url: str, api_key: str) -> None:
    if base_url != connection.base_url and not api_key:
        raise Invalid(("apiKey", "Enter the key again: it is not sent to another address unasked."))


def check_base_url(url: str) -> None:
    """Public addresses over HTTPS; on a developer's own machine also this machine. Raises Invalid."""
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.scheme not in ("http", "https"):
        raise Invalid(("baseUrl", "Enter an address like https://app.onlyfansapi.com."))
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if local and not current_app.config["PRODUCTION"]:
        return
    if parts.scheme != "https" or local or _is_private_address(parts.hostname):
        raise Invalid(("baseUrl", "The address must be public and begin with https://."))


def _is_private_address(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def check_pace(limit: int, window_seconds: int, reserve: int = 0, daily_cap: int | None = None) -> None:
    """Raises Invalid."""
    errors = []
    if not 1 <= limit <= 100_000:
        errors.append(("pace.limit", "A pace has 1 to 100,000 messages."))
    if not 1 <= window_seconds <= LONGEST_WINDOW_SECONDS:
        errors.append(("pace.windowSeconds", "A window has 1 to 86,400 seconds."))
    if not 0 <= reserve < limit:
        errors.append(("reserve", "Campaigns need at least one message of the pace: keep back fewer."))
    if daily_cap is not None and not 1 <= daily_cap <= 10_000_000:
        errors.append(("dailyCap", "A day has at least 1 message, or no cap at all."))
    if errors:
        raise Invalid(*errors)


def check_prices(min_cents: int, max_cents: int) -> None:
    if not 1 <= min_cents <= max_cents <= 10_000_000:
        raise Invalid(("priceRange", "The lowest price is at least 1 cent and not above the highest."))


def change_pace_and_prices(
    connection: Connection,
    pace: tuple[int, int] | None,
    price_range_cents: tuple[int, int] | None,
) -> None:
    """pace: (messages, seconds). Raises Invalid."""
    if pace:
        check_pace(*pace, connection.reserve, connection.daily_cap)
    if price_range_cents:
        check_prices(*price_range_cents)
    with write():
        if pace:
            connection.pace_limit, connection.pace_window_seconds = pace
        if price_range_cents:
            connection.price_min_cents, connection.price_max_cents = price_range_cents
        connection.due_tick = 0
        words = _changed_fields(connection)
        auditing.record(connection.account_id, Act.CONNECTION_CHANGED, "connection", connection.id, words)
    later("drain")


def open_up(connection: Connection, webhook_url: str) -> None:
    """Tries the key, asks the platform to tell us what happens, and has its fans fetched. Raises PlatformError.

    Where sending is paused it stays so: only `resume` says that it may go on.
    """
    gateway = queries.gateway_of(connection)
    try:
        gateway.check()
        gateway.register_webhook(webhook_url, connection.webhook_secret)
    except PlatformError as error:
        with write():
            connection.status_detail = error.detail
            if isinstance(error, CredentialsExpired) and connection.status != ConnectionStatus.PAUSED:
                connection.status = ConnectionStatus.EXPIRED
        raise
    with write():
        connection.status_detail = ""
        if connection.status != ConnectionStatus.PAUSED:
            _go_on(connection)
        connection.sync_offset, connection.sync_moved_at = 0, utcnow()
    later("sync_fans", connection.id)
    later("drain")


def pause(connection: Connection) -> None:
    with write():
        connection.status, connection.status_detail = ConnectionStatus.PAUSED, "Paused by hand."
        auditing.record(connection.account_id, Act.SENDING_PAUSED, "connection", connection.id)


def resume(connection: Connection) -> None:
    with write():
        _go_on(connection)
        auditing.record(connection.account_id, Act.SENDING_RESUMED, "connection", connection.id)
    later("drain")


def _go_on(connection: Connection) -> None:
    """A person says that all is well: nothing of before holds it up, but what a restored database does not know of."""
    connection.status, connection.status_detail = ConnectionStatus.ACTIVE, ""
    connection.held_tick = restored.quiet_until(connection.pace_window_seconds)
    connection.faults_in_a_row, connection.slow_percent = 0, 100
    connection.due_tick = 0


def expire(connection_id: int, detail: str) -> None:
    """The platform no longer takes the key: what waits stays, and the connection's page says so. Does not commit.

    What is paused stays so, and nothing else: with a new key it must not go on by itself.
    """
    db.session.execute(
        update(Connection)
        .where(Connection.id == connection_id, Connection.status != ConnectionStatus.PAUSED)
        .values(status=ConnectionStatus.EXPIRED, status_detail=detail)
    )


def store_event(connection_id: int, headers: Mapping[str, str], body: bytes) -> None:
    """Keeps a signed webhook, once, for a worker to handle. Raises NotFound, BadSignature or Invalid."""
    connection = db.session.get(Connection, connection_id)
    if connection is None:
        raise NotFound
    scheme = signatures.SCHEMES[connection.adapter]
    if not signatures.is_signed(scheme, connection.webhook_secret, headers, body):
        raise BadSignature
    content = _read_object(body)
    row = {
        "account_id": connection.account_id,
        "connection_id": connection.id,
        "event_key": signatures.event_key(scheme, headers, body),
        "body": content,
    }
    event_id = _insert_once(row)
    if event_id:
        later("handle_event", event_id)


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
        text = json.dumps(content, allow_nan=False)
        readable = wire.readable(content)
    except (ValueError, RecursionError) as error:
        raise Invalid(("body", "This is not JSON.")) from error
    if not isinstance(content, dict) or "\\u0000" in text:
        raise Invalid(("body", "A webhook is a JSON object without NUL characters."))
    return readable


def _insert_once(row: dict[str, Any]) -> int | None:
    with write() as session:
        session.execute(
            insert(StoredEvent).values(**row, tries=0, fault="", received_at=utcnow()).on_conflict_do_nothing()
        )
        found = select(StoredEvent.id).where(
            StoredEvent.connection_id == row["connection_id"],
            StoredEvent.event_key == row["event_key"],
            StoredEvent.handled_at.is_(None),
        )
        return session.scalar(found)
