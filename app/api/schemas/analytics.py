"""A period's figures and their rows."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from app.api.schemas.base import Query, QueryText, Shape

DATE_OR_NOTHING: Any = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "maxLength": 0}]}


class PeriodQuery(Query):
    first: Annotated[QueryText, WithJsonSchema(DATE_OR_NOTHING)] | None = Field(None, alias="from")
    after: Annotated[QueryText, WithJsonSchema(DATE_OR_NOTHING)] | None = Field(None, alias="to")
    timezone: QueryText | None = None


class ExportQuery(PeriodQuery):
    report: QueryText | None = Field(None, description="transactions, fans, messages or campaigns")
    which: QueryText | None = Field(None, description="Only the rows of one figure, as its page's address says")
    kind: QueryText | None = None
    fan: QueryText | None = None
    campaign: QueryText | None = None
    author: QueryText | None = None
    hour: QueryText | None = Field(
        None, description="Of the week, by the zone's clock: 1-09 is Monday from nine to ten"
    )
    sent_by: QueryText | None = None
    last_writer: QueryText | None = None
    assignee: QueryText | None = None


class KpisOut(Shape):
    revenue_cents: int | None
    net_cents: int | None
    new_fans: int
    active_fans: int
    messages_in: int
    messages_out: int
    answer_rate: float | None
    median_answer_seconds: int | None
    paid_messages_sold: int
    unlock_rate: float | None
    average_per_paying_fan_cents: int | None


class TrendOut(Shape):
    start: date
    revenue_cents: int
    by_kind: dict[str, int]


class TopFanOut(Shape):
    fan_id: int
    name: str | None
    handle: str | None
    revenue_cents: int


class CampaignEarningsOut(Shape):
    campaign_id: int
    name: str
    sent: int
    purchased: int
    revenue_cents: int


class AnalyticsOut(Shape):
    first: date = Field(alias="from")
    after: date = Field(alias="to")
    timezone: str
    as_of: datetime
    kpis: KpisOut
    previous: KpisOut
    trend: list[TrendOut]
    top_fans: list[TopFanOut]
    campaigns: list[CampaignEarningsOut]
