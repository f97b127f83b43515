"""Helpers for tests that need neither database nor web."""

import io
from typing import Any

from app.imports.evidence import Choices
from app.imports.options import Rules
from app.imports.plan import Plan, data_rows
from app.imports.questions import inspect
from app.imports.reading import RowReader
from app.imports.row import Reading


def plan_of(
    content: str | bytes, name: str = "a.csv", *, encoding: str | None = None, zone: str = "UTC", **choices: Any
) -> Plan:
    raw = content.encode() if isinstance(content, str) else content
    kind = choices.pop("kind", None)
    return inspect(io.BytesIO(raw), name, kind=kind, choices=Choices(**choices), encoding=encoding, zone=zone)


def read(content: str | bytes, name: str = "a.csv", **options: Any) -> list[Reading]:
    raw = content.encode() if isinstance(content, str) else content
    plan = plan_of(raw, name, **options)
    reader = RowReader(plan, Rules())
    rows = [reader.read(row, cells) for row, cells in data_rows(io.BytesIO(raw), plan)]
    assert len(rows) == plan.total_rows
    return rows
