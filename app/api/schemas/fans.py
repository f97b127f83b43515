"""Fans."""

from datetime import datetime
from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, StrictBool

from app.api.schemas.base import STORABLE, Body, Cents, Moment, PageQuery, QueryText, Shape
from app.fans.keys import LONGEST_TAG, MOST_TAGS, clean_handle


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


class FanIn(Body):
    name: Annotated[str, Field(max_length=255), STORABLE] | None = None
    handle: Annotated[Annotated[str, Field(max_length=255), STORABLE], AfterValidator(_handle)] | None = None
    email: Annotated[Annotated[str, Field(max_length=320), STORABLE], AfterValidator(_email)] | None = None
    phone: Annotated[str, Field(max_length=50), STORABLE] | None = None
    avatar_url: Annotated[Annotated[str, Field(max_length=2000), STORABLE], AfterValidator(_address)] | None = None
    platform_fan_id: Annotated[str, Field(max_length=255), STORABLE] | None = None
    tags: Annotated[list[Annotated[str, Field(max_length=LONGEST_TAG), STORABLE]], Field(max_length=MOST_TAGS)] = []
    notes: Annotated[str, Field(max_length=20000), STORABLE] = ""
    value_cents: Cents = 0
    subscription_status: Annotated[str, Field(max_length=100), STORABLE] | None = None
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
