"""What a file leaves open about its columns is asked for, with its own examples; never guessed row by row."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, BinaryIO

from app.errors import Invalid
from app.imports import headers
from app.imports.evidence import Choices, DateEvidence, MoneyEvidence
from app.imports.mapping import check_usable, look, propose
from app.imports.models import ImportKind
from app.imports.plan import Column, Plan, clean, code_in, data_rows

NO_ANSWERS: Mapping[int, Choices] = {}


@dataclass(frozen=True)
class Question:
    """About one column. `field` is what settles it: dateOrder, decimal, unit or currency."""

    column: int
    field: str
    words: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class NoRows(Invalid):
    def __init__(self) -> None:
        super().__init__(("file", "The file has a header but no rows below it."))


def inspect(
    file: BinaryIO, file_name: str, *, kind: ImportKind | None, choices: Choices, encoding: str | None, zone: str
) -> Plan:
    """The whole way for a program. Raises Invalid: no rows, no usable column, or something the whole file leaves open."""
    plan = propose(look(file, encoding), file_name, kind, zone)
    plan, open_questions = settle(file, plan, choices)
    if open_questions:
        raise Invalid((open_questions[0].field, open_questions[0].words))
    return plan


def settle(
    file: BinaryIO, plan: Plan, choices: Choices, answers: Mapping[int, Choices] = NO_ANSWERS
) -> tuple[Plan, list[Question]]:
    """Looks at the whole file, once and streaming: how each column is written, and what is still open.

    choices: for every column; answers: for single ones, by their place. Raises Invalid for a file that cannot be taken.
    """
    check_usable(plan)
    dates = {column.index: DateEvidence() for column in plan.columns if column.field in headers.MOMENTS}
    sums = {column.index: MoneyEvidence() for column in plan.columns if column.field in headers.MONEY}
    total = _look_at_all(file, plan, dates, sums)
    columns, questions = [], []
    for column in plan.columns:
        said = answers.get(column.index, choices)
        settled, asked = _settled(column, dates.get(column.index), sums.get(column.index), said)
        columns.append(settled)
        questions += asked
    return replace(plan, columns=columns, total_rows=total), questions


def _look_at_all(file: BinaryIO, plan: Plan, dates: dict[int, DateEvidence], sums: dict[int, MoneyEvidence]) -> int:
    code = plan.fields.get("currency")
    total = 0
    for _, cells in data_rows(file, plan):
        total += 1
        for index, evidence in dates.items():
            if index < len(cells):
                evidence.add(clean(cells[index]))
        for index, evidence in sums.items():
            if index < len(cells):
                evidence.add(clean(cells[index]), code_in(cells, code))
    if not total:
        raise NoRows
    return total


def _settled(
    column: Column, dates: DateEvidence | None, sums: MoneyEvidence | None, said: Choices
) -> tuple[Column, list[Question]]:
    values: dict[str, Any] = {}
    questions: list[Question] = []
    steps = []
    if dates:
        steps = [("order", lambda: dates.settle(column.header, said))]
    if sums:
        steps = [
            ("mark", lambda: sums.settle_mark(column.header, said)),
            ("unit", lambda: said.unit or column.unit or sums.settle_unit(column.header, said)),
            ("currency", lambda: said.currency or column.currency or sums.settle_currency(column.header, said)),
        ]
    for name, find in steps:
        try:
            values[name] = find()
        except Invalid as open_question:
            questions += [Question(column.index, field, words) for field, words in open_question.errors]
    return replace(column, **values), questions
