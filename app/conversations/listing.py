"""A page of the inbox, whatever it is filtered and sorted by, at a cost that does not grow with the account.

What many conversations have is met soon among the first of the list: those are looked through first. What few have is
looked up from the fans who have it, and sorted. So neither a common tag nor a rare name reads the whole inbox.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, select, true

from app.conversations import queries
from app.conversations.models import Conversation
from app.conversations.queries import Filter
from app.database import on_postgresql
from app.fans.models import Fan, FanTag
from app.paging import Order, Page, Rare, fetch_page, places_of

FANS_LOOKED_THROUGH = 4000  # not each of them has a conversation
HAS_FEW = ("mine", "snoozed")  # these have an index of their own
PUT_AWAY = ("archived", "snoozed")  # views of what the other ones leave out


def page_of_inbox(
    account_id: int, viewer_id: int, wanted: Filter, order: Order, *, limit: int, cursor: str | None, with_pinned: bool
) -> Page:
    """Raises Invalid for a cursor that this list did not give."""
    rows = queries.inbox(account_id, viewer_id, wanted)
    if not with_pinned:
        rows = rows.where(~Conversation.pinned)
    rare = None
    if order is queries.HIGHEST_SPEND_FIRST:
        fans = select(Fan.id).where(Fan.account_id == account_id)
        every = _all_of(rows, account_id, viewer_id, wanted, order)
        rare = Rare(
            Conversation.fan_id,
            fans,
            Conversation.id,
            every,
            nearest=0 if wanted.view in HAS_FEW else FANS_LOOKED_THROUGH,
        )
    elif wanted.of_fans:
        view = queries.VIEWS[wanted.view if wanted.view in PUT_AWAY else ""]
        threads = select(Conversation.id).where(Conversation.account_id == account_id, view)
        rare = Rare(Conversation.id, threads, Conversation.id, _all_of(rows, account_id, viewer_id, wanted, order))
    return fetch_page(rows, order, limit=limit, cursor=cursor, counted=False, rare=rare)


def _all_of(
    rows: Select[Any], account_id: int, viewer_id: int, wanted: Filter, order: Order
) -> Callable[[list[Any]], Any]:
    if not wanted.of_fans or not on_postgresql():
        return lambda behind: places_of(rows.where(*behind), Conversation.id, order)
    return lambda behind: _from_the_fans(account_id, viewer_id, wanted, order, behind)


def _from_the_fans(account_id: int, viewer_id: int, wanted: Filter, order: Order, behind: list[Any]) -> Any:
    """First the fans, then the conversation of each: PostgreSQL would rather read all conversations than as many by an
    index as it takes for costly."""
    fans = select(Fan.id, Fan.value_cents).where(Fan.account_id == account_id, *queries.about_fan(account_id, wanted))
    if wanted == Filter(view=wanted.view, tag=wanted.tag) and order is not queries.HIGHEST_SPEND_FIRST:
        fans = select(FanTag.fan_id.label("id")).where(  # what else there is to know of a fan is not asked for
            FanTag.account_id == account_id, FanTag.tag_key == wanted.tag.casefold()
        )
    if wanted.search.strip():
        called = queries.fans_called(account_id, wanted.search)
        fans = fans.where(queries.is_called(wanted.search), Fan.id.in_(called))
    by_spend = order is queries.HIGHEST_SPEND_FIRST
    few = (fans.where(*behind) if by_spend else fans).cte("fans_wanted").prefix_with("MATERIALIZED")
    place = (few.c.value_cents, few.c.id) if by_spend else (order.column, order.id)
    ours = [Conversation.account_id == account_id, Conversation.fan_id == few.c.id, queries.VIEWS[wanted.view]]
    thread = select(Conversation.id, place[0].label("sort_value"), place[1].label("sort_id")).where(*ours)
    thread = thread if by_spend else thread.where(*behind)
    one = thread.params(viewer=viewer_id).limit(1).correlate(few).lateral("thread")
    return select(one.c.id, one.c.sort_value, one.c.sort_id).select_from(few).join(one, true())
