"""Segments: a rule over fans, as app/segments/rules.py describes it."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from app.api.schemas.base import STORABLE, Body, Shape

Rule = Annotated[
    dict[str, Any],
    Field(
        description="A group: match (all, any or none) and rules, which are conditions (field, op, value) or groups.",
        examples=[{"match": "all", "rules": [{"field": "spend", "op": "atLeast", "value": 50000}]}],
    ),
]
Name = Annotated[str, Field(min_length=1, max_length=100), STORABLE]


class SegmentIn(Body):
    name: Name
    rule: Rule


class SegmentChange(Body):
    name: Name | None = None
    rule: Rule | None = None


class RuleIn(Body):
    rule: Rule


class SegmentOut(Shape):
    id: int
    name: str
    rule: dict[str, Any]
    created_at: datetime
    updated_at: datetime


class SegmentsOut(Shape):
    segments: list[SegmentOut]


class CountOut(Shape):
    count: int
