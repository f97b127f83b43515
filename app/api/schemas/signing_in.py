"""Signing in."""

from typing import Annotated, Literal

from pydantic import Field

from app.api.schemas.base import Body, Id, Shape, Text


class TokenIn(Body):
    email: Annotated[Text, Field(max_length=320, min_length=1)]
    password: Annotated[Text, Field(max_length=1000, min_length=1)]
    account_id: Id | None = None


class TokenOut(Shape):
    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  the type's name
    expires_in: int
