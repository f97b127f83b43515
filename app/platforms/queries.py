from typing import Any

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import defer

from app.database import db
from app.errors import NotFound
from app.platforms.gateway import Endpoint, PlatformGateway
from app.platforms.models import Connection, price_range_cents
from app.platforms.onlyfansapi import OnlyFansAPI

ADAPTERS: dict[str, type[PlatformGateway]] = {"onlyfansapi": OnlyFansAPI}


def connections_of(account_id: int) -> list[Connection]:
    return list(db.session.scalars(_connections(account_id)))


def _connections(account_id: int) -> Select[Connection]:
    return select(Connection).where(Connection.account_id == account_id).order_by(Connection.id)


def find_connection(account_id: int, connection_id: int) -> Connection:
    """Raises NotFound."""
    found = db.session.scalar(_connections(account_id).where(Connection.id == connection_id))
    if found is None:
        raise NotFound
    return found


_FIRST = (
    select(Connection)
    .where(Connection.account_id == bindparam("account_id"), Connection.platform == bindparam("platform"))
    .order_by(Connection.id)
    .limit(1)
)
_WITHOUT_SECRETS = _FIRST.options(defer(Connection.api_key), defer(Connection.webhook_secret))
_PRICES = _FIRST.with_only_columns(Connection.price_min_cents, Connection.price_max_cents)


def first_connection(account_id: int, platform: str) -> Connection | None:
    """Its secrets are read, and decrypted, where they are asked for: pages ask for neither."""
    return db.session.scalar(_WITHOUT_SECRETS, {"account_id": account_id, "platform": platform})


def find_price_range(account_id: int, platform: str) -> tuple[int, int]:
    """As price_range_cents says it of the first connection."""
    found = db.session.execute(_PRICES, {"account_id": account_id, "platform": platform}).one_or_none()
    return (found[0], found[1]) if found else price_range_cents(None)


def gateway_of(connection: Connection | Row[Any]) -> PlatformGateway:
    """connection: or a row with its adapter, base_url, external_account and api_key."""
    endpoint = Endpoint(connection.base_url, connection.external_account, connection.api_key)
    return ADAPTERS[connection.adapter](endpoint)
