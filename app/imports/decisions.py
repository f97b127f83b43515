"""What was decided about rows, on its way into `import_rows`: plain JSON, in which values stand as the database keeps them."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from app.bulk import insert_many
from app.database import table_of
from app.imports.models import SKIPPED, ImportRow, Outcome
from app.imports.row import Problem, Reading

_NAMES = (
    "import_id", "account_id", "outcome", "row", "fan_id", "label", "after", "before", "column", "value", "error", "cells",
    "warnings",
)  # fmt: skip


def _encode(value: Any) -> str:
    return orjson.dumps(value).decode()


@dataclass
class Decisions:
    """Of one set of rows."""

    account_id: int
    import_id: int
    counts: Counter[str] = field(default_factory=Counter)
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def skip(self, reading: Reading, outcome: Outcome, problem: Problem) -> None:
        cells = [cell.replace("\0", "\ufffd") for cell in reading.cells]
        said = (problem.column, problem.value, problem.error)
        self._add(reading, outcome, None, label_of(reading.values), None, None, said, _encode(cells))

    def take(
        self,
        reading: Reading,
        outcome: Outcome,
        fan_id: int | None,
        after: dict | None = None,
        before: dict | None = None,
    ) -> None:
        self._add(reading, outcome, fan_id, label_of(reading.values), after, before, (None, None, None), None)

    def _add(
        self, reading: Reading, outcome: Outcome, fan_id: int | None, label: str, after: dict | None, before: dict | None,
        said: tuple[str | None, str | None, str | None], cells: str | None,
    ) -> None:  # fmt: skip
        warnings = None
        if reading.problems and outcome not in SKIPPED:
            self.counts["warned"] += 1
            warnings = _encode([{"column": p.column, "value": p.value, "error": p.error} for p in reading.problems])
        self.counts[outcome] += 1
        self.rows.append(
            (
                self.import_id, self.account_id, outcome.value, reading.row, fan_id, label, after and _encode(after),
                before and _encode(before), *said, cells, warnings,
            )
        )  # fmt: skip

    def store(self) -> None:
        """Does not commit."""
        insert_many(table_of(ImportRow), _NAMES, self.rows)


def label_of(given: dict[str, Any]) -> str:
    """Whom a row is about, in a word."""
    return (
        given.get("handle") or given.get("name") or given.get("email") or given.get("platform_fan_id")
        or given.get("transaction_id") or ""
    )  # fmt: skip


def text_of(moment: datetime | None) -> str | None:
    """As SQLite keeps it: in UTC, without saying so."""
    return None if moment is None else moment.astimezone(UTC).isoformat(" ", "microseconds").removesuffix("+00:00")


def moment_of(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)
