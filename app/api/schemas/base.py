"""What all shapes are made of: checked texts, ids, moments; bodies, in which an unknown field is an error."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StrictInt,
    model_validator,
)
from pydantic.alias_generators import to_camel

from app.database import LARGEST_ID, Base

RFC3339 = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)$")


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


def _rfc3339(value: Any) -> Any:
    if not isinstance(value, str) or not RFC3339.match(value):
        raise ValueError("must be a time like 2026-11-01T12:05:00Z")
    return value


def _plausible(value: datetime) -> datetime:
    if not datetime(1900, 1, 1, tzinfo=UTC) <= value <= datetime(2999, 1, 1, tzinfo=UTC):
        raise ValueError("must lie between 1900 and 2999")
    return value.astimezone(UTC)


STORABLE = AfterValidator(_storable)
Id = Annotated[StrictInt, Field(ge=1, le=LARGEST_ID)]
Cents = Annotated[StrictInt, Field(ge=0, le=10**12)]
PriceCents = Annotated[StrictInt, Field(ge=0, le=10**9)]
Priority = Annotated[StrictInt, Field(ge=1, le=10)]
Moment = Annotated[AwareDatetime, BeforeValidator(_rfc3339), AfterValidator(_plausible)]
MediaUrls = Annotated[list[Annotated[str, Field(max_length=2000, min_length=1), STORABLE]], Field(max_length=20)]
QueryText = Annotated[str, Field(max_length=500), STORABLE]


class Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True)

    @model_validator(mode="before")
    @classmethod
    def _is_still_there(cls, value: Any) -> Any:
        """A row that somebody deleted meanwhile says so itself: from within, it would look like fields that are wrong."""
        if isinstance(value, Base):
            getattr(value, "id", None)
        return value


class Body(Shape):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False, extra="forbid")


class Relaxed(Body):
    """A body in which null says: as if it were not there."""

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any) -> Any:
        return {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Says so: what need not be there may be null."""
        reference = handler(core_schema)
        shape = handler.resolve_ref_schema(reference)
        for name, each in shape.get("properties", {}).items():
            if name not in shape.get("required", ()) and {"type": "null"} not in each.get("anyOf", ()):
                shape["properties"][name] = {"anyOf": [each, {"type": "null"}]}
        return reference


class Query(Shape):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=False, extra="ignore")


class PageQuery(Query):
    limit: int = Field(50, ge=1, le=200)
    cursor: QueryText | None = None
