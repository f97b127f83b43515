"""One row of a file as it was read: its values, whom it names, and what is wrong with it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.fans.keys import email_key, handle_key
from app.imports.plan import Column


@dataclass(frozen=True)
class Problem:
    column: str | None
    value: str | None
    error: str


class Person(NamedTuple):
    """What names a fan in a row, folded as the database folds it."""

    platform_id: str | None
    handle: str | None
    email: str | None
    name: str | None

    @property
    def only_name(self) -> bool:
        return not (self.platform_id or self.handle or self.email)


def person_of(given: dict[str, Any]) -> Person:
    return Person(
        given.get("platform_fan_id"), handle_key(given.get("handle")), email_key(given.get("email")), given.get("name")
    )


@dataclass(slots=True)
class Reading:
    """`fault` is what keeps the row out whatever the policy; `problems` are bad cells, whose values are left out."""

    row: int
    cells: list[str]
    values: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    fault: Problem | None = None

    def refusal(self, policy: str) -> Problem | None:
        """Why this row is skipped; None where it comes in."""
        if self.problems and policy == "reject":
            first, *more = self.problems
            also = "".join(f" Also {each.column}: {each.error}." for each in more)
            return Problem(first.column, first.value, first.error + (f".{also}" if also else ""))
        return self.fault


def problem_at(column: Column | None, reading: Reading, error: str) -> Problem:
    """What is wrong, with the row's cell in this column."""
    if column is None:
        return Problem(None, None, error)
    cell = reading.cells[column.index].strip() if column.index < len(reading.cells) else None
    return Problem(column.header, cell, error)
