"""What all shapes are made of: checked texts, ids, moments; bodies, in which an unknown field is an error."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
)
from pydantic.alias_generators import to_camel

from app.database import LARGEST_ID


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
