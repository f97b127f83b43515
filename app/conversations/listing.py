"""A page of the inbox, whatever it is filtered and sorted by, at a cost that does not grow with the account.

What many conversations have is met soon among the first of the list: those are looked through first. What few have is
looked up from the fans who have it, and sorted. So neither a common tag nor a rare name reads the whole inbox.
"""

from typing import Any

from sqlalchemy import Select, select

from app.conversations import queries
from app.conversations.models import Conversation
from app.conversations.queries import Filter
from app.fans.models import Fan
from app.paging import Order, Page, Rare, fetch_page

PUT_AWAY = ("archived", "snoozed")  # views of what the other ones leave out


def page_of_inbox(
    account_id: int, viewer_id: int, wanted: Filter, order: Order, *, limit: int, cursor: str | None, with_pinned: bool
) -> Page:
    """Raises Invalid for a cursor that this list did not give."""
    rows = queries.inbox(account_id, viewer_id, wanted)
    if not with_pinned:
        rows = rows.where(~Conversation.pinned)
    by_spend = order is queries.HIGHEST_SPEND_FIRST
    is_of_few = wanted.search or wanted.tag or wanted.online or wanted.spent_cents is not None
    rare = None
    if by_spend:
        fans = select(Fan.id).where(Fan.account_id == account_id)
        rare = Rare(Conversation.fan_id, fans, Conversation.id, _looked_up(rows, account_id, wanted))
    elif is_of_few:
        view = queries.VIEWS[wanted.view if wanted.view in PUT_AWAY else ""]
        threads = select(Conversation.id).where(Conversation.account_id == account_id, view)
        rare = Rare(Conversation.id, threads, Conversation.id, _looked_up(rows, account_id, wanted))
    return fetch_page(rows, order, limit=limit, cursor=cursor, counted=False, rare=rare)


def _looked_up(rows: Select[Any], account_id: int, wanted: Filter) -> Select[Any]:
    """The same conversations, from the fans' side."""
    found = rows.where(Fan.account_id == account_id)
    if wanted.search.strip():
        found = found.where(Conversation.fan_id.in_(queries.fans_called(account_id, wanted.search)))
    return found
