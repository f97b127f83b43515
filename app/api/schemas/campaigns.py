"""Campaigns and their ledger."""

from datetime import datetime
from typing import Any, Literal

from app.api.schemas.base import PageQuery, Shape


class TemplateOut(Shape):
    content: str
    media_urls: list[str]
    price_cents: int


class MetricsOut(Shape):
    recipients: int
    queued: int
    sending: int
    sent: int
    failed: int
    unknown: int
    skipped: int
    cancelled: int
    delivered: int
    opened: int
    clicked: int
    purchased: int
    revenue_cents: int


class CampaignOut(Shape):
    id: int
    name: str
    type: str
    status: str
    template: TemplateOut
    target_audience: dict[str, Any]
    metrics: MetricsOut
    scheduled_at: datetime | None
    started_at: datetime | None
    completed_at: datetime | None
    estimated_completion_time: datetime | None


class CampaignsOut(Shape):
    campaigns: list[CampaignOut]
    total: int
    next_cursor: str | None


class RecipientsQuery(PageQuery):
    status: Literal[
        "", "queued", "sending", "sent", "failed", "unknown", "skipped", "cancelled", "delivered", "read"
    ] = ""


class RecipientOut(Shape):
    fan_id: int | None
    name: str | None
    handle: str | None
    status: str
    reason: str | None
    message_id: int | None
    updated_at: datetime


class RecipientsOut(Shape):
    recipients: list[RecipientOut]
    total: int
    next_cursor: str | None
