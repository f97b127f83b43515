"""A connection's own fan list, fetched and linked: by platform id, else by handle; unknown ones become fans."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import structlog
from sqlalchemy import or_, select

from app.database import db, utcnow, write
from app.fans import actions
from app.fans.keys import clean_handle, handle_key
from app.fans.models import Fan
from app.platforms import queries as platforms
from app.platforms.actions import expire
from app.platforms.gateway import CredentialsExpired, PlatformError, PlatformFan
from app.platforms.models import Connection

log = structlog.get_logger()
FANS_PER_COMMIT = 100


def sync_fans(connection_id: int) -> None:
    """Safe to run twice, and to stop anywhere: what is linked stays linked."""
    connection = db.session.get(Connection, connection_id)
    if connection is None:
        return
    try:
        for batch in _batches(platforms.gateway_of(connection).fans()):
            _link(connection, batch)
    except CredentialsExpired as error:
        with write():
            expire(connection_id, error.detail)
        return
    except PlatformError as error:
        log.warning("sync_stopped", connection=connection_id, detail=error.detail)
        return
    with write():
        connection.last_synced_at = utcnow()


def _batches(fans: Iterator[PlatformFan]) -> Iterator[list[PlatformFan]]:
    while batch := list(islice(fans, FANS_PER_COMMIT)):
        db.session.commit()  # no transaction is held while the platform answers
        yield batch


def _link(connection: Connection, seen: list[PlatformFan]) -> None:
    with write() as session:
        known = _known_fans(connection, seen)
        for each in seen:
            fan = known.get(each.id) or known.get(handle_key(clean_handle(each.handle)) or "")
            if fan is None:
                fan = Fan(account_id=connection.account_id, platform=connection.platform)
                session.add(fan)
            elif fan.platform_fan_id not in (None, each.id):
                continue  # a handle that moved to another person: the id says who is who
            take_over(fan, each)


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


def take_over(fan: Fan, seen: PlatformFan) -> None:
    """What the platform knows better than we: the id always, the rest where it stands empty here. Does not commit."""
    values: dict[str, Any] = {"platform_fan_id": seen.id}
    if seen.handle and not fan.handle:
        values["handle"] = seen.handle
    if seen.name and not fan.name:
        values["name"] = seen.name
    if seen.avatar_url and not fan.avatar_url:
        values["avatar_url"] = seen.avatar_url
    if seen.subscription_status and not fan.subscription_status:
        values["subscription_status"] = seen.subscription_status
    if seen.last_seen_at and (fan.last_seen_at is None or seen.last_seen_at > fan.last_seen_at):
        values["last_seen_at"] = seen.last_seen_at
    if not (fan.name or fan.handle or seen.name or seen.handle):
        values["name"] = f"Fan {seen.id}"
    actions.apply_values(fan, values)
