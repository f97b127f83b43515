"""The fans of the demo account, read from the CSV that the product's own demo imports."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.money import cents_of_text
from sandbox.state import FIRST_FAN_ID

LAPSED = {"", "none", "expired", "cancelled", "canceled", "inactive"}


def load(path: Path) -> list[dict[str, Any]]:
    """One fan per row; the row's number makes the id, so the same file always means the same fans."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [_fan(FIRST_FAN_ID + number, row) for number, row in enumerate(csv.DictReader(file))]


def _fan(fan_id: int, row: dict[str, str | None]) -> dict[str, Any]:
    cell = {(name or "").strip().lower(): (value or "").strip() for name, value in row.items() if name}
    username = cell.get("username", "").removeprefix("@") or f"fan{fan_id}"
    return {
        "id": fan_id,
        "username": username,
        "name": cell.get("display name") or username,
        "active": cell.get("subscription tier", "active").lower() not in LAPSED,
        "last_seen": _moment(cell.get("last seen", "")),
        "spent": {"subscribes": cents_of_text(cell.get("total spent", "")), "messages": 0, "tips": 0},
    }


def _moment(text: str) -> str | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat(timespec="seconds")
