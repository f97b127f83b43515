"""A run of ids that belongs to one import alone."""

from sqlalchemy import Table, func, select, text

from app.database import db, on_postgresql, run

APART = 1000  # between others' newest and ours: what they insert in between has room


def reserve_span(table: Table, highest: int) -> int:
    """By how much ids from 1 to `highest` are moved up to be free here: by nothing where there were none yet.
    Inside `with write():`."""
    taken = {"name": table.name}
    if on_postgresql():
        return _on_postgresql(table, highest, taken)
    shift = run(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), taken).scalar() or 0
    run(text("DELETE FROM sqlite_sequence WHERE name = :name"), taken)
    run(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :last)"), taken | {"last": shift + highest})
    return shift


def _on_postgresql(table: Table, highest: int, taken: dict[str, str]) -> int:
    following = db.session.scalar(text("SELECT nextval(pg_get_serial_sequence(:name, 'id'))"), taken) or 1
    is_empty = following == 1 and not db.session.scalar(select(func.count()).select_from(table))
    shift = 0 if is_empty else following + APART
    last = {"last": max(1, shift + highest)}
    db.session.execute(text("SELECT setval(pg_get_serial_sequence(:name, 'id'), :last)"), taken | last)
    return shift
