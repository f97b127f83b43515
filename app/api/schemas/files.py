"""Uploads and imports."""

from typing import Any, Literal

from app.api.schemas.base import Body, PageQuery, QueryText, Relaxed, Shape


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


class QuestionOut(Shape):
    """What the file leaves open about a column, and the name of the answer that settles it."""

    column: int
    field: str
    words: str


class ImportColumnOut(Shape):
    index: int
    header: str
    field: str | None
    samples: list[str]


class ImportRulesIn(Relaxed):
    invalid: Literal["reject", "warn"] = "reject"
    mode: Literal["both", "create", "update"] = "both"
    match: list[Literal["platform_fan_id", "handle", "email"]] = ["platform_fan_id", "handle", "email"]
    empty: Literal["keep", "clear"] = "keep"
    tags: Literal["add", "replace"] = "add"


class ImportRulesOut(Shape):
    invalid: str
    mode: str
    match: list[str]
    empty: str
    tags: str


class ImportMappingOut(Shape):
    import_id: int
    status: str
    kind: str
    exporter: str
    encoding: str
    delimiter: str
    header_row: int
    timezone: str
    columns: list[ImportColumnOut]
    questions: list[QuestionOut]
    fields: list[str]
    rules: ImportRulesOut
    other_tables: list[int] = []


class ImportColumnIn(Relaxed):
    index: int
    field: QueryText = ""
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    decimal: QueryText | None = None
    unit: Literal["units", "cents"] | None = None
    currency: QueryText | None = None


class ImportMappingIn(Relaxed):
    kind: Literal["fans", "transactions", "do-not-message"] | None = None
    timezone: QueryText | None = None
    encoding: QueryText | None = None
    columns: list[ImportColumnIn]
    rules: ImportRulesIn = ImportRulesIn()


class RehearsalOut(Shape):
    """What applying would do, and what it did: rows of each list."""

    import_id: int
    status: str
    total_rows: int
    new_rows: int
    changed_rows: int
    unchanged: int
    conflict_rows: int
    rejected_rows: int
    warned_rows: int
    not_applied: int
    undone: int
    not_undone: int
    doubt: str | None = None  # that times were read in the zone they are of; PUT the mapping anew with `timezone`


class ImportRowOut(Shape):
    row: int
    outcome: str
    label: str
    fan_id: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    column: str | None
    value: str | None
    error: str | None
    warnings: list[dict[str, Any]] | None
    not_applied: str | None
    not_undone: str | None


class ImportRowsOut(Shape):
    rows: list[ImportRowOut]
    total: int
    next_cursor: str | None


class ImportRowsQuery(PageQuery):
    list: Literal[
        "new", "changed", "unchanged", "conflicts", "rejected", "skipped", "warnings", "not-applied", "not-undone"
    ] = "changed"


class UploadForm(Body):
    """Multipart, beside `file`."""

    encoding: QueryText | None = None


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
