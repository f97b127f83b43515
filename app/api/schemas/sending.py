"""Sending: single messages, bulk messages, how the sender stands."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AliasChoices, Field

from app.api.schemas.base import STORABLE, Body, Id, MediaUrls, PriceCents, Priority, Relaxed, Shape
from app.api.schemas.conversations import MessageOut


class SendIn(Relaxed):
    recipient_id: Id
    content: Annotated[str, Field(max_length=5000), STORABLE]
    media_urls: MediaUrls = []
    price_cents: PriceCents = 0
    priority: Priority = 5


class SendOut(Shape):
    message_id: int
    status: str
    queued_at: datetime
    estimated_send_time: datetime | None


class RateLimitOut(Shape):
    limit: int
    window_seconds: int
    available: int


class SenderStatusOut(Shape):
    queue_depth: int
    messages_in_flight: int
    failed: int
    unknown: int
    last_processed_at: datetime | None
    estimated_completion_time: datetime | None
    rate_limit: RateLimitOut
    health: Literal["healthy", "degraded", "down"]


class AttemptOut(Shape):
    at: datetime = Field(validation_alias=AliasChoices("at", "started_at"))
    answered_at: datetime | None
    outcome: str | None
    detail: str


class SentMessageOut(MessageOut):
    attempts: list[AttemptOut]


class SettleIn(Body):
    outcome: Literal["sent", "not_sent"]


class BulkIn(Relaxed):
    recipient_ids: Annotated[list[Id], Field(min_length=1, max_length=100)]
    content: Annotated[str, Field(max_length=5000, min_length=1), STORABLE]
    media_urls: MediaUrls = []
    campaign_name: Annotated[str, Field(max_length=255, min_length=1, pattern=r"\S"), STORABLE] | None = None
    priority: Priority = 5
    price_cents: PriceCents = 0


class SkippedOut(Shape):
    fan_id: int
    reason: str


class BulkOut(Shape):
    campaign_id: int
    total_recipients: int
    queued: int
    failed: int
    skipped: list[SkippedOut]
    estimated_completion_time: datetime | None
    status: str
