"""Ids inside values: where they stand in what is kept as JSON or as an address, and how they are rewritten."""

import re
from collections.abc import Callable
from typing import Any

Map = Callable[[str, int], int]  # a table's name and an id there: the id in its place

OWN_MEDIUM = re.compile(r"/media/(\d{1,18})")
SEGMENT = re.compile(r"segment:(\d{1,18})")


def in_medium(address: str, new: Map) -> str:
    """`/media/3`; what lies in the platform's vault or on the web stays as it is."""
    own = OWN_MEDIUM.fullmatch(address)
    return f"/media/{new('media', int(own[1]))}" if own else address


def in_attachments(attachments: list[dict[str, Any]], new: Map) -> list[dict[str, Any]]:
    return [each | {"url": in_medium(each["url"], new)} for each in attachments]


def in_aim(aim: str, new: Map) -> str:
    own = SEGMENT.fullmatch(aim)
    return f"segment:{new('segments', int(own[1]))}" if own else aim


def in_rule(rule: dict[str, Any], new: Map) -> dict[str, Any]:
    """As segments/rules.py reads it: groups within groups, and conditions that may name a campaign or a file."""
    if "rules" in rule:
        return rule | {"rules": [in_rule(each, new) for each in rule["rules"]]}
    table = {"campaign": "campaigns", "file": "imports"}.get(rule.get("field", ""))
    return rule | {"value": new(table, rule["value"])} if table and isinstance(rule.get("value"), int) else rule


def in_audience(audience: dict[str, Any], new: Map) -> dict[str, Any]:
    changed = dict(audience)
    if "fanIds" in audience:
        changed["fanIds"] = [new("fans", each) for each in audience["fanIds"]]
    if "rule" in audience:
        changed["rule"] = in_rule(audience["rule"], new)
    return changed


def in_import_row(said: dict[str, Any], new: Map) -> dict[str, Any]:
    """What a row writes: for a payment, its fan, and the payer who is made with it."""
    changed = dict(said)
    if said.get("fan_id") is not None:
        changed["fan_id"] = new("fans", said["fan_id"])
    if isinstance(said.get("payer"), dict) and said["payer"].get("id") is not None:
        changed["payer"] = said["payer"] | {"id": new("fans", said["payer"]["id"])}
    return changed
