"""The contract's shapes: what programs send and get. JSON is camelCase; unknown fields are an error."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    model_validator,
)
from pydantic.alias_generators import to_camel

from app.database import LARGEST_ID
from app.fans.keys import LONGEST_TAG, MOST_TAGS, clean_handle


def _storable(value: Any) -> Any:
    """Neither NUL nor half a surrogate pair: no database takes them."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("must not contain NUL characters")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError("must be valid Unicode") from error
    return value


def _email(value: str) -> str:
    if not value:
        return value
    try:
        validate_email(value, check_deliverability=False)
    except EmailNotValidError as error:
        raise ValueError("is not a valid e-mail address") from error
    return value


def _handle(value: str) -> str:
    if value and clean_handle(value) is None:
        raise ValueError("needs more than an @")
    return value


def _address(value: str) -> str:
    if value and not value.startswith(("https://", "http://")):
        raise ValueError("must begin with https:// or http://")
    return value


def _plausible(value: datetime) -> datetime:
    if not datetime(1900, 1, 1, tzinfo=UTC) <= value <= datetime(2999, 1, 1, tzinfo=UTC):
        raise ValueError("must lie between 1900 and 2999")
    return value.astimezone(UTC)


Text = Annotated[str, AfterValidator(_storable)]
Id = Annotated[StrictInt, Field(ge=1, le=LARGEST_ID)]
Cents = Annotated[StrictInt, Field(ge=0, le=10**12)]
PriceCents = Annotated[StrictInt, Field(ge=0, le=10**9)]
Priority = Annotated[StrictInt, Field(ge=1, le=10)]
Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
MediaUrls = Annotated[list[Annotated[Text, Field(max_length=2000, min_length=1)]], Field(max_length=20)]
QueryText = Annotated[Text, Field(max_length=500)]


class Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)


class Body(Shape):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False, extra="forbid")


class Query(Shape):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False, extra="ignore")


class PageQuery(Query):
    limit: int = Field(50, ge=1, le=200)
    cursor: QueryText | None = None


# Signing in


class TokenIn(Body):
    email: Annotated[Text, Field(max_length=320, min_length=1)]
    password: Annotated[Text, Field(max_length=1000, min_length=1)]
    account_id: Id | None = None


class TokenOut(Shape):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the type's name
    expires_in: int


# Fans


class FanIn(Body):
    name: Annotated[Text, Field(max_length=255)] | None = None
    handle: Annotated[Annotated[Text, Field(max_length=255)], AfterValidator(_handle)] | None = None
    email: Annotated[Annotated[Text, Field(max_length=320)], AfterValidator(_email)] | None = None
    phone: Annotated[Text, Field(max_length=50)] | None = None
    avatar_url: Annotated[Annotated[Text, Field(max_length=2000)], AfterValidator(_address)] | None = None
    platform_fan_id: Annotated[Text, Field(max_length=255)] | None = None
    tags: Annotated[list[Annotated[Text, Field(max_length=LONGEST_TAG)]], Field(max_length=MOST_TAGS)] = []
    notes: Annotated[Text, Field(max_length=20000)] = ""
    value_cents: Cents = 0
    subscription_status: Annotated[Text, Field(max_length=100)] | None = None
    last_seen_at: Moment | None = None
    do_not_message: StrictBool = False


class FanOut(Shape):
    id: int
    name: str | None
    handle: str | None
    email: str | None
    phone: str | None
    avatar_url: str | None
    platform: str
    platform_fan_id: str | None
    tags: list[str]
    notes: str
    value_cents: int
    subscription_status: str | None
    last_seen_at: datetime | None
    do_not_message: bool
    created_at: datetime
    updated_at: datetime


class FansQuery(PageQuery):
    search: QueryText = ""
    tag: QueryText = ""
    sort: Literal["-valueCents", "valueCents", "name", "-lastSeenAt", "-createdAt"] = "-valueCents"


class FansOut(Shape):
    fans: list[FanOut]
    total: int
    next_cursor: str | None


# Conversations and messages


class AttachmentIn(Body):
    type: Annotated[Text, Field(max_length=20)] = "file"
    url: Annotated[Text, Field(max_length=2000, min_length=1)]
    name: Annotated[Text, Field(max_length=255)] = ""


class Attachment(Shape):
    type: str
    url: str
    name: str


class MessageIn(Body):
    text: Annotated[Text, Field(max_length=5000)] = ""
    price_cents: PriceCents = 0
    attachments: Annotated[list[AttachmentIn], Field(max_length=20)] = []
    client_message_id: Annotated[Text, Field(max_length=255, min_length=1)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _null_is_default(cls, value: Any) -> Any:
        optional = ("priceCents", "attachments", "text")
        if not isinstance(value, dict):
            return value
        return {name: each for name, each in value.items() if not (each is None and name in optional)}


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


# Sending


class SendIn(Body):
    recipient_id: Id
    content: Annotated[Text, Field(max_length=5000)]
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
    at: datetime = Field(validation_alias="started_at")
    answered_at: datetime | None
    outcome: str | None
    detail: str


class SentMessageOut(MessageOut):
    attempts: list[AttemptOut]


class SettleIn(Body):
    outcome: Literal["sent", "not_sent"]


class BulkIn(Body):
    recipient_ids: Annotated[list[Id], Field(min_length=1, max_length=100)]
    content: Annotated[Text, Field(max_length=5000, min_length=1)]
    media_urls: MediaUrls = []
    campaign_name: Annotated[Text, Field(max_length=255, min_length=1)] | None = None
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


# Campaigns


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


# Connections


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


# Files


class MediumOut(Shape):
    id: int
    url: str
    type: str
    name: str
    size: int


class ImportProblemOut(Shape):
    row: int
    column: str | None
    value: str | None
    error: str


class ImportSummaryOut(Shape):
    total_rows: int
    successful_inserts: int
    updated: int
    unchanged: int
    skipped: int
    errors: list[ImportProblemOut]
    warnings: list[ImportProblemOut]


class ImportOut(Shape):
    import_id: int
    status: str
    kind: str
    summary: ImportSummaryOut


class ImportForm(Query):
    """Multipart, beside `file`. Unknown fields are an error, as in a JSON body."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False, extra="forbid")

    kind: Literal["fans", "transactions", "do-not-message"] | None = None
    invalid: Literal["reject", "warn"] = "reject"
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: QueryText | None = None
    unit: Literal["units", "cents"] | None = None
    currency: QueryText | None = None
    timezone: QueryText | None = None
    encoding: QueryText | None = None


# Watching over it


class ComponentsOut(Shape):
    database: str
    redis: str
    workers: str
    sender: str


class MonitoringOut(Shape):
    status: str
    components: ComponentsOut
    metrics: dict[str, Any]
