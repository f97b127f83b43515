"""What of the inbox is looked at, and who in it is next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, bindparam, select

from app.conversations.models import Conversation
from app.conversations.queries import IN_SIGHT, LONGEST_WAITING_FIRST, search_conversations
from app.database import db, plain, utcnow
from app.fans.models import Fan
from app.fans.queries import tagged

ONLINE = timedelta(minutes=5)  # platforms say when a fan was last seen, not whether they are there
WHERE: dict[str, Any] = {  # they lie: in one place
    "": IN_SIGHT,
    "snoozed": ~Conversation.archived & Conversation.snoozed_until.is_not(None),
    "archived": Conversation.archived,
}
WHOSE: dict[str, Any] = {  # they are: one person's at most
    "mine": Conversation.assignee_id == bindparam("viewer"),
    "unassigned": Conversation.assignee_id.is_(None),
}
STATES: dict[str, Any] = {  # any of them at once
    "unread": Conversation.unread_count > plain(0),
    "unanswered": Conversation.waiting_since.is_not(None),
}
VIEWS = (*WHERE, *WHOSE, *STATES)


def view_of(words: Sequence[str]) -> str:
    """What of them can be true at once, in an order that is always the same."""
    one_of_each = (next((each for each in words if each in kind), "") for kind in (WHERE, WHOSE))
    return " ".join(each for each in (*one_of_each, *(state for state in STATES if state in words)) if each)


@dataclass(frozen=True)
class Filter:
    """What of the inbox is looked at: all of it is in the page's address."""

    view: str = ""  # words of VIEWS, as view_of joins them
    search: str = ""
    tag: str = ""
    spent_cents: int | None = None
    online: bool = False

    @property
    def is_plain(self) -> bool:
        return self == Filter()

    @property
    def views(self) -> list[str]:
        return self.view.split()

    @property
    def place(self) -> Any:
        """Where the conversations lie, whatever else must be true of them."""
        return WHERE[next((each for each in self.views if each in WHERE), "")]

    @property
    def in_view(self) -> Any:
        return and_(self.place, *((WHOSE | STATES)[each] for each in self.views if each not in WHERE))

    @property
    def of_fans(self) -> bool:
        """Whether something is said about the fan."""
        return bool(self.search.strip() or self.tag or self.online or self.spent_cents is not None)


def inbox(account_id: int, viewer_id: int, wanted: Filter) -> Select[Any]:
    rows = search_conversations(account_id, search=wanted.search)
    rows = rows.where(wanted.in_view).params(viewer=viewer_id)
    return rows.where(*about_fan(account_id, wanted))


def about_fan(account_id: int, wanted: Filter) -> list[Any]:
    about = [tagged(account_id, wanted.tag.casefold())] if wanted.tag else []
    if wanted.spent_cents is not None:
        about += [Fan.account_id == account_id, Fan.value_cents >= wanted.spent_cents]
    if wanted.online:
        about += [Fan.account_id == account_id, Fan.last_seen_at >= utcnow() - ONLINE]
    return about


def next_waiting(account_id: int, viewer_id: int, after: int, since: datetime | None = None) -> int | None:
    """The id of the conversation, of nobody or of the viewer, that waits longest of those behind one, which waited `since`
    then, or else waits by now; behind the last, and where that one does not wait, of all others."""
    free = Conversation.assignee_id.is_(None) | (Conversation.assignee_id == viewer_id)
    rows = select(Conversation.id).where(Conversation.account_id == account_id, Filter("unanswered").in_view, free)
    rows = rows.where(Conversation.id != after).order_by(*LONGEST_WAITING_FIRST.clauses()).limit(1)
    here = select(Conversation.waiting_since).where(Conversation.account_id == account_id, Conversation.id == after)
    since = since or db.session.scalar(here)
    behind = db.session.scalar(rows.where(LONGEST_WAITING_FIRST.behind(since, after))) if since else None
    return behind or db.session.scalar(rows)
