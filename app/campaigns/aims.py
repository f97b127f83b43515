"""Whom a campaign can be for, as the composer names it: all fans, a segment, a tag."""

from dataclasses import dataclass

from app.errors import NotFound
from app.fans import queries as fans
from app.segments import queries as segments
from app.segments.models import Segment
from app.segments.ready_made import READY_MADE, ReadyMade
from app.segments.rules import EVERYBODY, LONGEST_TEXT, Condition, Group, parse

ALL = "all"
NOBODY = Group("none", (EVERYBODY,))


@dataclass(frozen=True)
class Aim:
    key: str  # the form's word for it, like segment:7
    rule: Group
    words: str  # as in "It went to …"
    label: str
    group: str = ""
    wrong: str = ""  # why nothing can be sent to it: then it is nobody, never more fans than were chosen


def find_aim(account_id: int, key: str) -> Aim:
    """Looked up by itself, whether it is offered or not: of more tags than are offered, in any spelling."""
    kind, _, name = key.partition(":")
    if key == ALL:
        return _everybody()
    if kind == "tag" and name.strip() and len(name) <= LONGEST_TEXT and "\0" not in name:
        return _tagged(name)
    if kind == "ready" and name in READY_MADE:
        return _ready_made(READY_MADE[name])
    if kind == "segment" and name.isdecimal() and len(name) < 19:
        try:
            return _saved(segments.find_segment(account_id, int(name)))
        except NotFound:
            return _gone(key, "A segment")
    return _gone(key, "An audience") if kind == "ready" and name.isascii() and name.isprintable() else _unchosen()


def aims_offered(account_id: int, chosen: Aim) -> list[Aim]:
    """The chosen one stands among them whatever it is."""
    offered = [
        _everybody(),
        *map(_saved, segments.segments_of(account_id)),
        *map(_ready_made, READY_MADE.values()),
        *map(_tagged, fans.tags_of_account(account_id)),
    ]
    same = chosen.key.casefold()
    place = next((n for n, each in enumerate(offered) if each.key.casefold() == same), len(offered))
    return [*offered[:place], chosen, *offered[place + 1 :]]


def _everybody() -> Aim:
    return Aim(ALL, EVERYBODY, "all fans", "All fans")


def _saved(segment: Segment) -> Aim:
    words = f"the segment {segment.name}"
    return Aim(f"segment:{segment.id}", parse(segment.rule), words, segment.name, "Your segments")


def _ready_made(ready: ReadyMade) -> Aim:
    return Aim(f"ready:{ready.key}", ready.rule, ready.name, ready.name, "Ready-made")


def _tagged(tag: str) -> Aim:
    rule = Group("all", (Condition("tag", "is", tag),))
    return Aim(f"tag:{tag}", rule, f"all tagged {tag}", f"Tagged {tag}", "Tags")


def _gone(key: str, what: str) -> Aim:
    wrong = "This audience is no longer there. Choose another."
    return Aim(key, NOBODY, "nobody", f"{what} that is no longer there", wrong=wrong)


def _unchosen() -> Aim:
    return Aim("", NOBODY, "nobody", "Nobody is chosen yet", wrong="Choose who gets it.")
