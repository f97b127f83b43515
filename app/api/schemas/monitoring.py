"""Watching over it."""

from typing import Any

from app.api.schemas.base import Shape


class ComponentsOut(Shape):
    database: str
    redis: str
    workers: str
    sender: str


class MonitoringOut(Shape):
    status: str
    components: ComponentsOut
    metrics: dict[str, Any]
