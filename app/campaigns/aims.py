"""Whom a campaign can be for, as the composer names it: all fans, a segment, a tag."""

from dataclasses import dataclass

from app.errors import Invalid
from app.fans import queries as fans
from app.segments import queries as segments
from app.segments.ready_made import READY_MADE
from app.segments.rules import EVERYBODY, Condition, Group, parse

ALL = "all"


@dataclass(frozen=True)
class Aim:
    rule: Group
    words: str  # as in "It went to …"
    label: str
    group: str = ""


def aims_of(account_id: int) -> dict[str, Aim]:
    """By the form's word for it, like segment:7."""
    saved, tags = segments.segments_of(account_id), fans.tags_of_account(account_id)
    aims = {ALL: Aim(EVERYBODY, "all fans", "All fans")}
    for each in saved:
        aims[f"segment:{each.id}"] = Aim(parse(each.rule), f"the segment {each.name}", each.name, "Your segments")
    for key, ready in READY_MADE.items():
        aims[f"ready:{key}"] = Aim(ready.rule, ready.name, ready.name, "Ready-made")
    for tag in tags:
        rule = Group("all", (Condition("tag", "is", tag),))
        aims[f"tag:{tag}"] = Aim(rule, f"all tagged {tag}", f"Tagged {tag}", "Tags")
    return aims


def find_aim(account_id: int, key: str) -> Aim:
    """Raises Invalid where it is no longer there."""
    found = aims_of(account_id).get(key)
    if found is None:
        raise Invalid(("audience", "This audience is no longer there. Choose another."))
    return found
