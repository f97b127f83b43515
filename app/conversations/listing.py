"""A page of the inbox, whatever it is filtered and sorted by, at a cost that does not grow with the account.

What many conversations have is met soon among the first of the list: those are looked through first. What few have is
looked up from the fans who have it, and sorted. So neither a common tag nor a rare name reads the whole inbox.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, bindparam, select, true

from app.conversations import filters, queries
from app.conversations.filters import Filter
from app.conversations.models import Conversation
from app.conversations.rows import Row, as_rows
from app.database import db, on_postgresql
from app.fans.models import Fan, FanTag
from app.paging import Order, Page, fetch_page, places_of
from app.rare import Rare, fetch_rare_page

LOOKED_THROUGH = (1500, 6000)  # conversations
LOOKED_THROUGH_FOR_A_NAME = (500, 2000)  # each fan's row must be read for it
FANS_LOOKED_THROUGH = (4000,)  # not each of them has a conversation
HAS_FEW = {"mine", "snoozed"}  # these have an index of their own
MOST_PINNED = 50


def pinned(account_id: int) -> list[Row]:
    return list(db.session.scalars(_PINNED, {"account_id": account_id}))


_ACCOUNT: Any = bindparam("account_id")
_PINNED = as_rows(
    queries.search_conversations(_ACCOUNT)
    .where(queries.IN_SIGHT, Conversation.pinned)
    .order_by(*queries.NEWEST_FIRST.clauses())
    .limit(MOST_PINNED)
)


def page_of_inbox(
    account_id: int, viewer_id: int, wanted: Filter, order: Order, *, limit: int, cursor: str | None, with_pinned: bool
) -> Page:
    """Of `Row`s. Raises Invalid for a cursor that this list did not give."""
    conversations = filters.inbox(account_id, viewer_id, wanted)
    if not with_pinned:
        conversations = conversations.where(~Conversation.pinned)
    every, rows = _all_of(conversations, account_id, viewer_id, wanted, order), as_rows(conversations)
    if order is queries.HIGHEST_SPEND_FIRST:
        fans = select(Fan.id).where(Fan.account_id == account_id)
        nearest = () if HAS_FEW.intersection(wanted.views) else FANS_LOOKED_THROUGH
        rare = Rare(Conversation.fan_id, fans, Conversation.id, every, nearest)
    elif wanted.of_fans:
        threads = select(Conversation.id).where(Conversation.account_id == account_id, wanted.place)
        nearest = LOOKED_THROUGH_FOR_A_NAME if wanted.search.strip() else LOOKED_THROUGH
        rare = Rare(Conversation.id, threads, Conversation.id, every, nearest, (Conversation.fan_id,))
    else:
        return fetch_page(rows, order, limit=limit, cursor=cursor, counted=False)
    return fetch_rare_page(rows, order, rare, limit=limit, cursor=cursor)


def _all_of(
    conversations: Select[Any], account_id: int, viewer_id: int, wanted: Filter, order: Order
) -> Callable[[list[Any]], Any]:
    if not wanted.of_fans or not on_postgresql():
        return lambda behind: places_of(conversations.where(*behind), Conversation.id, order)
    return lambda behind: _from_the_fans(account_id, viewer_id, wanted, order, behind)


def _from_the_fans(account_id: int, viewer_id: int, wanted: Filter, order: Order, behind: list[Any]) -> Any:
    """First the fans, by one thing that few have, then the conversation of each, and only then what else must be true:
    PostgreSQL would rather read all conversations than as many by an index as it takes for costly."""
    about = filters.about_fan(account_id, wanted)
    if wanted.search.strip():
        fans = queries.fans_called(account_id, wanted.search)
        about.append(queries.is_called(wanted.search))
    elif wanted.tag:
        ours = (FanTag.account_id == account_id, FanTag.tag_key == wanted.tag.casefold())
        fans = select(FanTag.fan_id).where(*ours)
    else:
        fans = select(Fan.id).where(Fan.account_id == account_id, *about)
    few = fans.cte("fans_wanted").prefix_with("MATERIALIZED")
    thread = select(Conversation.id, order.column.label("sort_value"), order.id.label("sort_id"))
    thread = thread.join(Conversation.fan).where(Conversation.account_id == account_id, wanted.in_view)
    one = thread.where(Conversation.fan_id == few.c[0], *about, *behind).params(viewer=viewer_id).limit(1)
    found = one.correlate(few).lateral("thread")
    return select(found.c.id, found.c.sort_value, found.c.sort_id).select_from(few).join(found, true())
