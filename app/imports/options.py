"""What a person or program chose for an import; kept as JSON in Import.options."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from app.imports.evidence import Choices
from app.imports.plan import Plan
from app.imports.questions import Question
from app.money.shifted import Doubt

POLICIES = ("reject", "warn")
MODES = ("both", "create", "update")
NAMES_TO_MATCH = ("platform_fan_id", "handle", "email")


@dataclass(frozen=True)
class Rules:
    """What to do with rows."""

    invalid: str = "reject"  # a row with a bad cell: left out, or taken without that cell (warn)
    mode: str = "both"  # which rows come in: new fans, known fans, both
    match: tuple[str, ...] = NAMES_TO_MATCH  # by what a row finds its fan, the first that is there
    empty: str = "keep"  # an empty cell: keep what stands, or clear it
    tags: str = "add"  # or replace

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Rules":
        known = {each.name for each in fields(cls)}
        values: dict[str, Any] = {name: value for name, value in kept.items() if name in known}
        values["match"] = tuple(values.get("match", NAMES_TO_MATCH))
        return cls(**values)


@dataclass
class Options:
    plan: Plan
    rules: Rules = field(default_factory=Rules)
    samples: list[list[str]] = field(default_factory=list)  # of each column
    questions: list[Question] = field(default_factory=list)  # that the file leaves open
    answers: dict[int, Choices] = field(default_factory=dict)  # what a person said of single columns
    apply_at_once: bool = False  # nobody looks at the rehearsal
    zone_is_said: bool = False  # by a person or program; else it is the account's
    has_bare_clocks: bool = False  # times that name no zone, of payments
    doubt: Doubt | None = None  # of the zone, as the rehearsal found

    def to_json(self) -> dict[str, Any]:
        return {
            "plan": self.plan.to_json(),
            "rules": asdict(self.rules),
            "samples": self.samples,
            "questions": [each.to_json() for each in self.questions],
            "answers": {str(index): asdict(each) for index, each in self.answers.items()},
            "apply_at_once": self.apply_at_once,
            "zone_is_said": self.zone_is_said,
            "has_bare_clocks": self.has_bare_clocks,
            "doubt": self.doubt and asdict(self.doubt),
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Options":
        return cls(
            Plan.from_json(kept["plan"]),
            Rules.from_json(kept.get("rules", {"invalid": kept.get("invalid", "reject")})),
            kept.get("samples", []),
            [Question(**each) for each in kept.get("questions", [])],
            {int(index): Choices(**each) for index, each in kept.get("answers", {}).items()},
            kept.get("apply_at_once", False),
            kept.get("zone_is_said", False),
            kept.get("has_bare_clocks", False),
            Doubt(**kept["doubt"]) if kept.get("doubt") else None,
        )
