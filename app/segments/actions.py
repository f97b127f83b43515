from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from app.database import utcnow, write
from app.errors import Conflict, Invalid
from app.segments import queries
from app.segments.models import Segment
from app.segments.rules import Group, as_json

LONGEST_NAME = 100


def save_segment(account_id: int, author_id: int | None, name: str, rule: Group) -> Segment:
    """Raises Invalid, Conflict where the name is taken."""
    name = _clean_name(name)
    segment = Segment(
        account_id=account_id, name=name, name_key=name.casefold(), rule=as_json(rule), author_id=author_id
    )
    with _taken_is_conflict(), write() as session:
        session.add(segment)
    return segment


def change_segment(
    account_id: int, segment_id: int, *, name: str | None = None, rule: Group | None = None, version: int | None = None
) -> Segment:
    """A name or rule that is None stays as it stands. version: the one that the person looked at; None: whatever stands.

    Raises NotFound, Invalid, Conflict where the name is taken, or somebody changed it meanwhile.
    """
    name = None if name is None else _clean_name(name)
    with _taken_is_conflict(), write():
        segment = queries.find_segment(account_id, segment_id, to_change=True)
        if version is not None and version != segment.version:
            raise Conflict("Somebody changed this segment while you had it open. Open it anew, then change it.")
        if name is not None:
            segment.name, segment.name_key = name, name.casefold()
        if rule is not None:
            segment.rule = as_json(rule)
        segment.version, segment.updated_at = segment.version + 1, utcnow()
    return segment


def remove_segment(account_id: int, segment_id: int) -> Segment:
    """Campaigns that were sent to it keep their rule. Raises NotFound."""
    with write() as session:
        segment = queries.find_segment(account_id, segment_id, to_change=True)
        session.delete(segment)
    return segment


def _clean_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise Invalid(("name", f"A name has 1 to {LONGEST_NAME} characters."))
    return name


@contextmanager
def _taken_is_conflict() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise Conflict("Another segment has this name already.") from error
