"""Conversations and the messages in them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from app.api.schemas.base import STORABLE, Body, Id, PageQuery, PriceCents, Query, QueryText, Relaxed, Shape
from app.database import LARGEST_ID


class AttachmentIn(Body):
    type: Annotated[str, Field(max_length=20), STORABLE] = "file"
    url: Annotated[str, Field(max_length=2000, min_length=1), STORABLE]
    name: Annotated[str, Field(max_length=255), STORABLE] = ""
    preview: StrictBool = False  # shown before a paid message is bought

    def as_said(self) -> dict[str, Any]:
        return self.model_dump(exclude=set() if self.preview else {"preview"})


class Attachment(Shape):
    type: str
    url: str
    name: str
    preview: Literal[True] | None = Field(None, exclude_if=lambda value: value is None)


class MessageIn(Relaxed):
    text: Annotated[str, Field(max_length=5000), STORABLE] = ""
    price_cents: PriceCents = 0
    attachments: Annotated[list[AttachmentIn], Field(max_length=20)] = []
    client_message_id: Annotated[str, Field(max_length=255, min_length=1), STORABLE] | None = None


class MessageOut(Shape):
    id: int
    conversation_id: int | None
    fan_id: int | None
    direction: Literal["in", "out"]
    text: str
    price_cents: int
    attachments: list[Attachment]
    status: str
    status_reason: str | None
    campaign_id: int | None
    client_message_id: str | None
    platform_message_id: str | None
    purchased: bool
    created_at: datetime
    sent_at: datetime | None


class QueuedMessageOut(MessageOut):
    estimated_send_time: datetime | None


class MessagesQuery(Query):
    limit: int = Field(100, ge=1, le=200)
    offset: int = Field(0, ge=0, le=LARGEST_ID)
    before: int | None = Field(None, ge=1, le=LARGEST_ID)
    after: int | None = Field(None, ge=1, le=LARGEST_ID)
    latest: bool = False


class ThreadOut(Shape):
    messages: list[MessageOut]
    total: int


class MessageSearchQuery(PageQuery):
    search: QueryText = ""


class MessagesOut(ThreadOut):
    next_cursor: str | None


class FanInList(Shape):
    id: int
    name: str | None
    handle: str | None
    avatar_url: str | None
    value_cents: int


class ConversationOut(Shape):
    id: int
    fan_id: int
    platform: str
    last_message_at: datetime | None
    unread_count: int
    archived: bool
    fan: FanInList
    last_message: MessageOut | None


class ConversationsQuery(PageQuery):
    search: QueryText = ""
    unread: bool | None = None


class ConversationsOut(Shape):
    conversations: list[ConversationOut]
    total: int
    next_cursor: str | None


class ConversationIn(Body):
    fan_id: Id


class ConversationChange(Body):
    archived: StrictBool
