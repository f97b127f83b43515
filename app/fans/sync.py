"""A connection's own fan list, fetched and linked: by platform id, else by handle; unknown ones become fans."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import or_, select, update

from app.background import later
from app.database import db, execute, utcnow, write
from app.fans import actions
from app.fans.keys import clean_handle, handle_key
from app.fans.models import Fan
from app.platforms import queries as platforms
from app.platforms.actions import expire
from app.platforms.gateway import CredentialsExpired, PlatformError, PlatformFan
from app.platforms.models import Connection, ConnectionStatus

log = structlog.get_logger()
PAGES_PER_RUN = 5  # then others have their turn: a worker that fetches ten thousand fans still hears those who write
STALLED_AFTER = timedelta(seconds=30)
SYNC_EVERY = timedelta(hours=1)


def request_sync(connection_id: int) -> None:
    """Has the connection's fans fetched, from the first on."""
    with write():
        _move(connection_id, 0)
    later("sync_fans", connection_id)


def sync_fans(connection_id: int) -> None:
    """Fetches and links a few pages, and rings for the next. Safe to run twice, and to stop anywhere."""
    connection = db.session.get(Connection, connection_id)
    if connection is None or not (_is_under_way(connection) or _is_due_again(connection)):
        return
    for _ in range(PAGES_PER_RUN):
        if not _sync_page(connection):
            return
    later("sync_fans", connection_id)


def _is_under_way(connection: Connection) -> bool:
    return connection.sync_offset is not None


def _is_due_again(connection: Connection) -> bool:
    return connection.last_synced_at is not None and connection.last_synced_at < utcnow() - SYNC_EVERY


def sync_all(connection_id: int) -> None:
    """The whole list, here and now."""
    with write():
        _move(connection_id, 0)
    connection = db.session.get_one(Connection, connection_id)
    while _sync_page(connection):
        pass


def connections_due() -> list[int]:
    """Connections whose sync has stalled, or is due again."""
    now = utcnow()
    rows = select(Connection.id).where(
        Connection.status == ConnectionStatus.ACTIVE,
        or_(
            Connection.sync_offset.is_not(None) & (Connection.sync_moved_at < now - STALLED_AFTER),
            Connection.sync_offset.is_(None) & (Connection.last_synced_at < now - SYNC_EVERY),
        ),
    )
    return list(db.session.scalars(rows))


def _sync_page(connection: Connection) -> bool:
    """Whether there is more to fetch."""
    offset = connection.sync_offset or 0
    gateway = platforms.gateway_of(connection)
    db.session.commit()  # no transaction is held while the platform answers
    try:
        seen, next_offset = gateway.fans_page(offset)
    except CredentialsExpired as error:
        with write():
            expire(connection.id, error.detail)
        return False
    except (PlatformError, KeyError, TypeError, ValueError) as error:  # the latter: an answer that is not understood
        log.warning("sync_stopped", connection=connection.id, detail=repr(error))
        with write():
            _move(connection.id, offset)
        return False
    with write():
        _link(connection, seen)
        _move(connection.id, next_offset)
    return next_offset is not None


def _move(connection_id: int, offset: int | None) -> None:
    values = {"sync_offset": offset, "sync_moved_at": utcnow()}
    if offset is None:
        values["last_synced_at"] = utcnow()
    execute(update(Connection).where(Connection.id == connection_id).values(**values))
    db.session.expire_all()


def _link(connection: Connection, seen: list[PlatformFan]) -> None:
    """Does not commit."""
    known = _known_fans(connection, seen)
    for each in seen:
        link_fan(connection, each, known.get(each.id), known.get(handle_key(clean_handle(each.handle)) or ""))


def _known_fans(connection: Connection, seen: list[PlatformFan]) -> dict[str, Fan]:
    """By platform id and by handle key; a platform id is all digits or a UUID, so that the two do not meet by accident."""
    handles = {handle_key(clean_handle(each.handle)) for each in seen if each.handle}
    rows = select(Fan).where(
        Fan.account_id == connection.account_id,
        Fan.platform == connection.platform,
        or_(Fan.platform_fan_id.in_({each.id for each in seen}), Fan.handle_key.in_(handles)),
    )
    known: dict[str, Fan] = {}
    for fan in db.session.scalars(rows):
        known |= {key: fan for key in (fan.handle_key, fan.platform_fan_id) if key}
    return known


def link_fan(connection: Connection, seen: PlatformFan, fan: Fan | None, holder: Fan | None) -> Fan:
    """The fan of that platform id, else the holder of that handle who has none, else a new one. Does not commit."""
    if fan is None and holder and holder.platform_fan_id is None:
        fan = holder
    if fan is None:
        fan = Fan(account_id=connection.account_id, platform=connection.platform)
        db.session.add(fan)
    # A handle that another one has here stays theirs: it has moved, and the id says who is who.
    _take_over(fan, seen if holder in (None, fan) else replace(seen, handle=""))
    return fan


def _take_over(fan: Fan, seen: PlatformFan) -> None:
    """What the platform knows better than we: the id and the subscription always, the rest where it stands empty here.
    Does not commit."""
    values: dict[str, Any] = {"platform_fan_id": seen.id}
    if seen.handle and not fan.handle:
        values["handle"] = seen.handle
    if seen.name and not fan.name:
        values["name"] = seen.name
    if seen.avatar_url and not fan.avatar_url:
        values["avatar_url"] = seen.avatar_url
    for name in ("subscription_status", "subscribed_at", "subscription_ends_at"):
        if getattr(seen, name):
            values[name] = getattr(seen, name)
    if seen.last_seen_at and (fan.last_seen_at is None or seen.last_seen_at > fan.last_seen_at):
        values["last_seen_at"] = seen.last_seen_at
    if not (fan.name or fan.handle or seen.name or seen.handle):
        values["name"] = f"Fan {seen.id}"
    actions.apply_values(fan, values)
