from typing import Any

from sqlalchemy import Select, case, or_, select
from sqlalchemy.orm import joinedload

from app.database import LARGEST_ID, contains, db, fold, held, utcnow
from app.errors import NotFound
from app.fans.models import Fan
from app.fans.placeholders import Rendered, parse
from app.paging import Order
from app.quick_replies.models import QuickReply

BY_CODE = Order("code", QuickReply.code, QuickReply.id)
MOST_FOLDERS = 200


def replies_of(account_id: int, user_id: int, *, search: str = "", folder: str = "") -> Select[Any]:
    """The shared ones and the person's own, with `search` in code, title or text, whatever its case and accents."""
    rows = _replies(account_id, user_id).where(QuickReply.deleted_at.is_(None))
    if sought := clean_search(search):
        rows = rows.where(contains(QuickReply.search_text, sought))
    if folder:
        rows = rows.where(QuickReply.folder == folder)
    return rows


def with_authors(rows: Select[Any]) -> Select[Any]:
    return rows.options(joinedload(QuickReply.author))


def clean_search(search: str) -> str:
    """`/Hi` and `hi` look for the same."""
    return fold(search.strip().removeprefix("/"))


def _replies(account_id: int, user_id: int) -> Select[Any]:
    mine = or_(QuickReply.owner_id.is_(None), QuickReply.owner_id == user_id)
    return select(QuickReply).where(QuickReply.account_id == account_id, mine)


def offered(account_id: int, user_id: int, search: str, limit: int) -> list[QuickReply]:
    """For an answer: whose code begins so first, then by code."""
    rows = replies_of(account_id, user_id, search=search)
    if sought := clean_search(search):
        rows = rows.order_by(case((QuickReply.code.startswith(sought, autoescape=True), 0), else_=1))
    return list(db.session.scalars(rows.order_by(QuickReply.code).limit(limit)))


def filled_in(reply: QuickReply, fan: Fan) -> Rendered:
    return parse(reply.text).render(fan, utcnow())


def find_reply(
    account_id: int, user_id: int, reply_id: int, *, deleted: bool = False, to_change: bool = False
) -> QuickReply:
    """Shared, or the person's own. to_change: as it stands by now, and held until the commit. Raises NotFound."""
    rows = _replies(account_id, user_id).where(QuickReply.id == reply_id)
    rows = rows if deleted else rows.where(QuickReply.deleted_at.is_(None))
    found = db.session.scalar(held(rows) if to_change else rows) if reply_id <= LARGEST_ID else None
    if found is None:
        raise NotFound
    return found


def folders_of(account_id: int, user_id: int) -> list[str]:
    rows = replies_of(account_id, user_id).with_only_columns(QuickReply.folder, maintain_column_froms=True)
    rows = rows.where(QuickReply.folder != "").distinct().order_by(QuickReply.folder).limit(MOST_FOLDERS)
    return list(db.session.scalars(rows))
