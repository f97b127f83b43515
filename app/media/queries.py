from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select

from app.database import contains, db, fold
from app.errors import NotFound
from app.media.models import Medium
from app.paging import Order

NEWEST_FIRST = Order("-id", Medium.id, Medium.id, descending=True)
TYPES = {"photo": "image/", "video": "video/", "audio": "audio/"}  # how the content types of a kind begin


def media_of(account_id: int, *, kind: str = "", search: str = "") -> Select[Any]:
    """What is kept; `search` is over the names."""
    rows = select(Medium).where(Medium.account_id == account_id, Medium.discard_at.is_(None))
    if kind in TYPES:
        rows = rows.where(Medium.content_type.startswith(TYPES[kind]))
    if search.strip():
        rows = rows.where(contains(Medium.name_key, fold(search.strip())))
    return rows


def find_medium(account_id: int, medium_id: int) -> Medium:
    """Raises NotFound."""
    return find_media(account_id, [medium_id])[medium_id]


def find_media(account_id: int, medium_ids: Iterable[int]) -> dict[int, Medium]:
    """By id. Raises NotFound where one is not the account's."""
    wanted = set(medium_ids)
    if not wanted:
        return {}
    found = {each.id: each for each in db.session.scalars(media_of(account_id).where(Medium.id.in_(wanted)))}
    if len(found) < len(wanted):
        raise NotFound
    return found
