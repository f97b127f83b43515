"""Uploads and imports."""

from typing import Literal

from app.api.schemas.base import Body, QueryText, Shape


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


class ImportForm(Body):
    """Multipart, beside `file`."""

    kind: Literal["fans", "transactions", "do-not-message"] | None = None
    invalid: Literal["reject", "warn"] = "reject"
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: QueryText | None = None
    unit: Literal["units", "cents"] | None = None
    currency: QueryText | None = None
    timezone: QueryText | None = None
    encoding: QueryText | None = None
