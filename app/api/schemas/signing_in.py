"""Signing in."""

from typing import Annotated, Literal

from pydantic import Field

from app.api.schemas.base import STORABLE, Body, Id, Shape


class TokenIn(Body):
    email: Annotated[str, Field(max_length=320, min_length=1), STORABLE]
    password: Annotated[str, Field(max_length=1000, min_length=1), STORABLE]
    account_id: Id | None = None
    code: Annotated[str | None, Field(max_length=40), STORABLE] = None


class TokenOut(Shape):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the type's name
    expires_in: int
