"""Trouble on demand: which trouble a send meets is one draw per attempt, repeatable by its seed."""

from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from random import Random
from typing import Any

KINDS = ("error429", "error500", "error503", "refuse", "dropBefore", "dropAfterAccept")


@dataclass(frozen=True)
class Faults:
    limit: int | None = None
    windowSeconds: float = 60  # noqa: N815 - the field's name on the wire
    delaySeconds: float = 0  # noqa: N815
    error429: float = 0
    error500: float = 0
    error503: float = 0
    refuse: float = 0
    dropBefore: float = 0  # noqa: N815
    dropAfterAccept: float = 0  # noqa: N815
    seed: int | None = None

    def to_json(self) -> dict:
        return asdict(self)


class Dice:
    def __init__(self, faults: Faults):
        self._random = Random(faults.seed)  # noqa: S311 - repeatable on purpose
        self._chances = [(kind, getattr(faults, kind)) for kind in KINDS]

    def draw(self) -> str | None:
        """The fault of this attempt. Chances that add up to more than 1 are cut at 1, the later ones first."""
        point = self._random.random()
        for kind, chance in self._chances:
            if point < chance:
                return kind
            point -= chance
        return None


def parse(body: dict[str, Any]) -> Faults:
    """Faults of a JSON body; ValueError names the first wrong field."""
    unknown = sorted(set(body) - {field.name for field in fields(Faults)})
    if unknown:
        raise ValueError(f"unknown field: {unknown[0]}")
    return Faults(**{name: _parse_field(name, value) for name, value in body.items()})


def _parse_field(name: str, value: Any) -> Any:
    if name in ("limit", "seed"):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise ValueError(f"{name} must be a whole number or null")
        if name == "limit" and value is not None and value < 1:
            raise ValueError("limit must be at least 1")
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{name} must be a number")
    if name == "windowSeconds":
        if not 0 < value <= 86_400:
            raise ValueError("windowSeconds must be more than 0 and at most 86400")
    elif name == "delaySeconds":
        if not 0 <= value <= 600:
            raise ValueError("delaySeconds must be from 0 to 600")
    elif not 0 <= value <= 1:
        raise ValueError(f"{name} must be a probability from 0 to 1")
    return float(value)
