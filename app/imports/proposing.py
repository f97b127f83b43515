"""What an uploaded file seems to hold, table by table, for a person to confirm."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from app.errors import Invalid
from app.imports import queries
from app.imports.evidence import Choices
from app.imports.mapping import check_usable, look, mapped, propose
from app.imports.models import ImportKind
from app.imports.options import Options, Rules
from app.imports.plan import AnotherTable, Plan, data_rows
from app.imports.questions import NoRows, Question, settle

MOST_TABLES = 20


@dataclass(frozen=True)
class Proposer:
    """Of one file."""

    file: BinaryIO
    account_id: int
    name: str
    zone: str
    encoding: str | None

    def tables(self) -> list[Options]:
        """One for each table that has rows. Raises Invalid."""
        found: list[Options] = []
        first: int | None = 1
        for _ in range(MOST_TABLES):
            options, first = self._table(first)
            found += [options] if options else []
            if not first:
                break
        else:
            raise Invalid(("file", f"The file holds more than {MOST_TABLES} tables. Put each in a file of its own."))
        if not found:
            raise NoRows
        return found

    def _table(self, first: int) -> tuple[Options | None, int | None]:
        """The table that begins here, None where it has no rows; and the row in which the next one begins."""
        try:
            return self._propose(first, None), None
        except AnotherTable as below:
            return self._propose(first, below.row - 1), below.row

    def _propose(self, first: int, last: int | None) -> Options | None:
        """As this header line was mapped before, else as it looks."""
        sheet = look(self.file, self.encoding, first, last)
        plan, rules, answers = propose(sheet, self.name, None, self.zone), Rules(invalid="warn"), {}
        if known := queries.remembered(self.account_id, sheet.header_key):
            fields = {each["index"]: each["field"] for each in known.columns}
            plan = mapped(sheet, ImportKind(known.kind), self.zone, fields)
            answers = {each["index"]: Choices(**each["said"]) for each in known.columns if each.get("said")}
            rules = Rules.from_json(known.options)
        try:
            plan, questions = self._settled(plan, answers)
        except NoRows:
            return None
        return Options(plan, rules, sheet.shown(), questions, answers)

    def _settled(self, plan: Plan, answers: Mapping[int, Choices]) -> tuple[Plan, list[Question]]:
        try:
            check_usable(plan)
        except Invalid:  # a person will say which columns count
            deque(data_rows(self.file, plan), maxlen=0)  # for the tables below
            return plan, []
        return settle(self.file, plan, Choices(), answers)
