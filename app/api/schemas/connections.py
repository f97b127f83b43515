"""Connections to platforms."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictInt

from app.api.schemas.base import Body, Shape


class PaceBody(Body):
    limit: Annotated[StrictInt, Field(ge=1, le=100_000)]
    window_seconds: Annotated[StrictInt, Field(ge=1, le=86_400)]


class PriceRangeBody(Body):
    min_cents: Annotated[StrictInt, Field(ge=1, le=10_000_000)]
    max_cents: Annotated[StrictInt, Field(ge=1, le=10_000_000)]


class ConnectionChange(Body):
    pace: PaceBody | None = None
    price_range: PriceRangeBody | None = None


class PaceOut(Shape):
    limit: int
    window_seconds: int


class PriceRangeOut(Shape):
    min_cents: int
    max_cents: int


class ConnectionOut(Shape):
    id: int
    platform: str
    adapter: str
    status: str
    pace: PaceOut
    price_range: PriceRangeOut
    last_synced_at: datetime | None


class ConnectionsOut(Shape):
    connections: list[ConnectionOut]
