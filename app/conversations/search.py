"""Finding messages, in two ways that find the same, newest first.

What many messages have is met soon among the newest of the account: those are looked through first. What few have is
looked up in `message_words`, an index that the database keeps by itself (FTS5 on SQLite, GIN on PostgreSQL; see the
migration that makes it), from month to month back, each time four times as far. So neither a common word nor a rare one
costs with the length of the account's history. What is common in itself and rare with all that is wanted of its fan costs
in both ways: whoever waits for a page has patience for so long, and what lies further back comes with the next. So the
first page is soon there; what follows it may look longer, nobody waits for that.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, exists, func, select, true
from sqlalchemy.orm import joinedload, lazyload

from app.conversations.matching import holds, in_time, said_of, such_threads
from app.conversations.models import Conversation, Message
from app.conversations.operators import Wanted
from app.conversations.queries import NEWEST_MESSAGES_FIRST, OLDEST_FIRST
from app.conversations.whose import about_fan, are_many, few_threads, is_by_such_a_fan, messages_of_such_fans
from app.conversations.word_index import in_index, with_words
from app.conversations.words import Phrase
from app.database import db, on_postgresql, planned_anew
from app.fans.models import Fan
from app.fans.queries import SORTS, rare_fans, search_fans
from app.paging import Order, Page, cursor_at, cut_page, fetch_page, in_order, place_of
from app.rare import fetch_rare_counted

NEWEST_LOOKED_THROUGH = 10_000
SAMPLE = 2000  # of the newest
COMMON = 10  # of these have the words: in a month of the index there are thousands
COMMON_BEGINNING = 20  # of these have a word that begins so: the index would gather all of these words, of all months
QUICK_SECONDS = 0.015  # a step that may be followed by one four times as long
LOOKED_AT = (  # of a message, to know whether it is wanted
    Message.id, Message.created_at, Message.conversation_id, Message.fan_id, Message.direction, Message.author_id,
    Message.search_text, Message.price_cents, Message.purchased, Message.attachments,
)  # fmt: skip
MOST_COUNTED = 1000
FEW_FANS = 5000  # with a tag, or such a spend: their names are read, and not looked up

Place = tuple[datetime, int]  # of a message in the order of time


@dataclass(frozen=True)
class Found(Page):
    looked_back_to: datetime | None = None  # where patience ended before the page was full; the cursor leads on


NOTHING = Found(rows=[], total=0, next_cursor=None)


@dataclass(frozen=True)
class Search:
    account_id: int
    viewer_id: int
    wanted: Wanted
    limit: int  # one more is looked for: it shows that there is a next page


def find_messages(
    account_id: int,
    viewer_id: int,
    wanted: Wanted,
    *,
    limit: int,
    cursor: str | None = None,
    counted: bool = False,
    patience: float = math.inf,
) -> Found:
    """Messages in threads, with their fans and authors. To count them all costs the more the more there are.

    patience: seconds into which another step, as long as the last, must fit to be taken; a page may then hold less than
    the limit, or nothing.
    Raises Invalid for a cursor that this list did not give.
    """
    if wanted.words and not wanted.phrases:  # signs that are no words stand in no index
        return NOTHING
    if wanted.is_nothing:
        rows = _with_fan(_messages_of(account_id))
        page = fetch_page(rows, NEWEST_MESSAGES_FIRST, limit=limit, cursor=cursor, counted=counted)
        return Found(page.rows, page.total, page.next_cursor)
    search = Search(account_id, viewer_id, wanted, limit)
    found = _find_in_steps(search, place_of(cursor, NEWEST_MESSAGES_FIRST), patience)
    total = _count(search) if counted else found.total
    return Found(found.rows, total, found.next_cursor, found.looked_back_to)


def find_fans(account_id: int, wanted: Wanted, *, limit: int) -> tuple[list[Fan], int, bool]:
    """The most valuable fans who are called so, or of whom the rest is true; how many there are at least, and
    whether these are all."""
    if wanted.is_about_messages or wanted.is_nothing:
        return [], 0, True
    said, order = " ".join(wanted.words), SORTS["-valueCents"]
    rows = search_fans(account_id, search=said).where(*about_fan(account_id, wanted)).options(lazyload(Fan.tag_rows))
    rare = rare_fans(account_id, rows, order, said if are_many(account_id, wanted, FEW_FANS) else "")
    page, number, are_all = fetch_rare_counted(rows, order, rare, limit=limit, most=MOST_COUNTED)
    return page.rows, number, are_all


def _messages_of(account_id: int) -> Select[Any]:
    return select(Message).where(Message.account_id == account_id, Message.conversation_id.is_not(None))


def _with_fan(rows: Select[Any]) -> Select[Any]:
    return rows.options(joinedload(Message.fan).lazyload(Fan.tag_rows), joinedload(Message.author))


def _find_in_steps(search: Search, place: Place | None, patience: float) -> Found:
    began_at, found, reached = time.monotonic(), list[Any](), place
    ends_at = began_at + patience
    for more, reached in _steps(search, place, may_walk=place is None and patience < math.inf):
        found += more
        ended_at = time.monotonic()
        if len(found) > search.limit or reached is None or ended_at + (ended_at - began_at) > ends_at:
            break
        began_at = ended_at
    else:
        reached = None
    page = cut_page(found, NEWEST_MESSAGES_FIRST, search.limit)
    if page.next_cursor or reached is None:
        return Found(page.rows, page.total, page.next_cursor)
    return Found(page.rows, page.total, cursor_at(NEWEST_MESSAGES_FIRST, *reached), looked_back_to=reached[0])


# What was found, up to one more than the limit; and down to where it was looked for, None for all.
Step = tuple[list[Any], Place | None]


def _steps(search: Search, place: Place | None, *, may_walk: bool) -> Iterator[Step]:
    """may_walk: through the newest, further and further, where the index would be slower to begin with."""
    found, place = _look_through_newest(search, place)
    yield found, place
    if place is None:
        return
    threads = few_threads(search.account_id, search.wanted)
    if threads is not None:
        yield _newest_found(_found(search, [], threads=threads), search, place), None
        return
    marks, is_dear = _marks(search, place)
    while may_walk and is_dear:
        found, place = _look_through_newest(search, place)
        yield found, place
        if place is None:
            return
    for months, end in _months_back(search, place) if marks else [([], None)]:
        yield _newest_found(_found(search, marks, months), search, place), end


def _newest(search: Search, place: Place | None) -> Select[Any]:
    """Also those in no thread: so an index alone knows where they end."""
    newest = select(Message).where(Message.account_id == search.account_id, *in_time(search.wanted))
    newest = newest.order_by(*NEWEST_MESSAGES_FIRST.clauses())
    return newest.where(NEWEST_MESSAGES_FIRST.behind(*place)) if place else newest


def _look_through_newest(search: Search, place: Place | None) -> Step:
    newest = _newest(search, place).limit(NEWEST_LOOKED_THROUGH)
    message = newest.with_only_columns(*LOOKED_AT).subquery("newest").c
    rows = select(message.id, message.created_at).where(*said_of(message, search.viewer_id, search.wanted))
    rows = rows.where(message.conversation_id.is_not(None))
    rows = rows.where(*is_by_such_a_fan(search.account_id, search.wanted, message.fan_id))
    for threads in such_threads(search.account_id, search.wanted):
        rows = rows.where(exists(threads.where(Conversation.id == message.conversation_id)))
    few = rows.order_by(*_newest_first(message).clauses()).limit(search.limit + 1).subquery("few")
    found = list(db.session.execute(planned_anew(_whole(few))).all())
    return found, (place if len(found) > search.limit else _end_of_newest(search, place))


def _end_of_newest(search: Search, place: Place | None) -> Place | None:
    ends = _newest(search, place).with_only_columns(Message.created_at, Message.id)
    last = db.session.execute(planned_anew(ends.offset(NEWEST_LOOKED_THROUGH - 1).limit(1))).one_or_none()
    return (last.created_at, last.id) if last else None


def _marks(search: Search, place: Place | None) -> tuple[list[Phrase], bool]:
    """What is looked up in the index, and whether that gives so many that it is dear to ask which are wanted.

    A common beginning of a word is left out where there is more by which to find: the index would gather all words that
    begin so, of all months.
    """
    marks = in_index(search.viewer_id, search.wanted)
    wanted, others, last = search.wanted, search.wanted.phrases[:-1], search.wanted.phrases[-1:]
    may_do_without = len(marks) > 1 and any(each.is_beginning and len(each.words) == 1 for each in last)
    is_about_more = bool(wanted.states or wanted.fan or about_fan(search.account_id, wanted))
    if not last or not (may_do_without or is_about_more):
        return marks, False
    with_all, without_last, with_last = _in_sample(search, place, wanted.phrases, others, last)
    if may_do_without and with_last >= COMMON_BEGINNING:
        return marks[:-1], without_last >= COMMON
    return marks, is_about_more and with_all >= COMMON


def _in_sample(search: Search, place: Place | None, *each: Sequence[Phrase]) -> Sequence[int]:
    """How many of the newest have these words, by each set of them."""
    message = _newest(search, place).with_only_columns(*LOOKED_AT).limit(SAMPLE).subquery("sample")
    others = replace(search.wanted, phrases=())
    numbers = [func.count().filter(*(holds(message.c, phrase) for phrase in phrases), true()) for phrases in each]
    rows = select(*numbers).where(*said_of(message.c, search.viewer_id, others))
    return db.session.execute(planned_anew(rows)).one()


def _months_back(search: Search, place: Place) -> Iterator[tuple[list[str], Place | None]]:
    """The months up to that place, the newest first, down to the first there are messages of; and where each portion ends:
    one month, and as long as that is quick four times as many."""
    oldest = _newest(search, None).order_by(None).order_by(*OLDEST_FIRST).with_only_columns(Message.created_at)
    first = db.session.scalar(oldest.limit(1))
    if first is None:
        return
    last = place[0].astimezone(UTC)
    month, earliest, at_once = last.year * 12 + last.month - 1, first.year * 12 + first.month - 1, 1
    while month >= earliest:
        begun_at, behind = time.monotonic(), max(month - at_once, earliest - 1)
        end = None if behind < earliest else (datetime((behind + 1) // 12, (behind + 1) % 12 + 1, 1, tzinfo=UTC), 0)
        yield [f"{each // 12:04}{each % 12 + 1:02}" for each in range(month, behind, -1)], end
        month, at_once = behind, at_once * (4 if time.monotonic() - begun_at < QUICK_SECONDS else 1)


def _newest_found(found: Any, search: Search, place: Place | None) -> list[Any]:
    """First all that are found, then the newest of them, then the messages: a database that may choose would rather walk
    down the whole history."""
    all_found = found.cte("found").prefix_with("MATERIALIZED")
    newest = select(all_found).order_by(*_newest_first(all_found.c).clauses()).limit(search.limit + 1)
    if place:
        newest = newest.where(_newest_first(all_found.c).behind(*place))
    return list(db.session.execute(planned_anew(_whole(newest.subquery("few")))).all())


def _whole(few: Any) -> Select[Any]:
    return in_order(_with_fan(select(Message).join(few, few.c.id == Message.id)), _newest_first(few.c))


def _count(search: Search) -> int:
    found = _found(search, in_index(search.viewer_id, search.wanted))
    return db.session.scalar(select(func.count()).select_from(found.subquery())) or 0


def _found(search: Search, marks: list[Phrase], months: Sequence[str] = (), threads: list[int] | None = None) -> Any:
    """Ids and times of all messages that are looked for: by these marks in these months or in all; or in these threads."""
    account_id, wanted = search.account_id, search.wanted
    narrow = []
    if threads is not None:
        narrow.append(Message.conversation_id.in_(threads))
    elif marks:
        places = [f"#a{account_id}m{month}" for month in months] or [f"#a{account_id}"]
        narrow.append(Message.id.in_(with_words(places, marks)))
    if threads is None:
        narrow += messages_of_such_fans(account_id, wanted, are_few=bool(marks))
    narrow += [Message.conversation_id.in_(each) for each in such_threads(account_id, wanted)]
    # SQLite would read all of the account's messages rather than look up the few, were the account's index of use here.
    account = Message.account_id + 0 if narrow and not on_postgresql() else Message.account_id
    rows = select(Message.id, Message.created_at).where(account == account_id, Message.conversation_id.is_not(None))
    return rows.where(*narrow, *in_time(wanted), *said_of(Message, search.viewer_id, wanted))


def _newest_first(of: Any) -> Order:
    return Order(NEWEST_MESSAGES_FIRST.name, of.created_at, of.id, descending=True)
