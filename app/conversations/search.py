"""Finding messages, in two ways that find the same, newest first.

What many messages have is met soon among the newest of the account: those are looked through first. What few have is
looked up in `message_words`, an index that the database keeps by itself (FTS5 on SQLite, GIN on PostgreSQL; see the
migration that makes it), from month to month back, each time four times as far. So neither a common word nor a rare one
costs with the length of the account's history.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Select, cast, column, exists, func, literal, select, table, text
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import joinedload, lazyload

from app.conversations.models import Conversation, Message
from app.conversations.operators import Wanted
from app.conversations.queries import NEWEST_MESSAGES_FIRST, OLDEST_FIRST
from app.conversations.whose import about_fan, few_threads, is_by_such_a_fan, messages_of_such_fans
from app.conversations.words import Phrase
from app.database import contains, db, on_postgresql, plain, planned_anew
from app.fans.models import Fan
from app.fans.queries import SORTS, rare_fans, search_fans
from app.paging import Order, Page, cut_page, fetch_page, in_order, past
from app.rare import count_rare, fetch_rare_page

NEWEST_LOOKED_THROUGH = 20_000
LOOKED_AT = (  # of a message, to know whether it is wanted
    Message.id, Message.created_at, Message.conversation_id, Message.fan_id, Message.direction, Message.author_id,
    Message.search_text, Message.price_cents, Message.purchased, Message.attachments,
)  # fmt: skip
MOST_COUNTED = 1000
NOBODY = Page(rows=[], total=0, next_cursor=None)
_STATES: dict[str, Any] = {
    "unread": Conversation.unread_count > plain(0),
    "unanswered": Conversation.waiting_since.is_not(None),
    "archived": Conversation.archived,
    "snoozed": Conversation.snoozed_until.is_not(None),
}


def find_messages(
    account_id: int, viewer_id: int, wanted: Wanted, *, limit: int, cursor: str | None = None, counted: bool = False
) -> Page:
    """Messages in threads, with their fans. To count them all costs the more the more there are.

    Raises Invalid for a cursor that this list did not give.
    """
    if wanted.words and not wanted.phrases:  # signs that are no words stand in no index
        return NOBODY
    if wanted.is_nothing:
        return fetch_page(
            _with_fan(_messages_of(account_id)), NEWEST_MESSAGES_FIRST, limit=limit, cursor=cursor, counted=counted
        )
    page = _look_through_newest(account_id, viewer_id, wanted, limit, cursor)
    if page.next_cursor is None:
        page = _look_up(account_id, viewer_id, wanted, limit, cursor)
    total = _count(account_id, viewer_id, wanted) if counted else page.total
    return Page(page.rows, total, page.next_cursor)


def find_fans(account_id: int, wanted: Wanted, *, limit: int) -> tuple[list[Fan], int, bool]:
    """The most valuable fans who are called so, or of whom the rest is true; how many there are at least, and
    whether these are all."""
    if wanted.is_about_messages or wanted.is_nothing:
        return [], 0, True
    said, order = " ".join(wanted.words), SORTS["-valueCents"]
    rows = search_fans(account_id, search=said).where(*about_fan(account_id, wanted)).options(lazyload(Fan.tag_rows))
    rare = rare_fans(account_id, rows, order, said)
    page = fetch_rare_page(rows, order, rare, limit=limit)
    if page.next_cursor is None:
        return page.rows, page.total, True
    return page.rows, *count_rare(rows, order, MOST_COUNTED, rare)


def _messages_of(account_id: int) -> Select[Any]:
    return select(Message).where(Message.account_id == account_id, Message.conversation_id.is_not(None))


def _with_fan(rows: Select[Any]) -> Select[Any]:
    return rows.options(joinedload(Message.fan).lazyload(Fan.tag_rows))


def _look_through_newest(account_id: int, viewer_id: int, wanted: Wanted, limit: int, cursor: str | None) -> Page:
    newest = _messages_of(account_id).where(*_in_time(wanted)).order_by(*NEWEST_MESSAGES_FIRST.clauses())
    if cursor:
        newest = newest.where(past(NEWEST_MESSAGES_FIRST, cursor))
    message = newest.with_only_columns(*LOOKED_AT).limit(NEWEST_LOOKED_THROUGH).subquery("newest").c
    rows = select(message.id, message.created_at).where(*_said(message, viewer_id, wanted))
    rows = rows.where(*is_by_such_a_fan(account_id, wanted, message.fan_id))
    for threads in _threads(account_id, wanted):
        rows = rows.where(exists(threads.where(Conversation.id == message.conversation_id)))
    few = rows.order_by(*_newest_first(message).clauses()).limit(limit + 1).subquery("few")
    return cut_page(db.session.execute(planned_anew(_whole(few))).all(), NEWEST_MESSAGES_FIRST, limit)


def _look_up(account_id: int, viewer_id: int, wanted: Wanted, limit: int, cursor: str | None) -> Page:
    found: list[Any] = []
    threads = few_threads(account_id, wanted)
    for months in [[]] if threads is not None else _months_back(account_id, wanted, cursor):
        more = _newest_of(_found(account_id, viewer_id, wanted, months, threads), limit + 1 - len(found), cursor)
        found += db.session.execute(planned_anew(more)).all()
        if len(found) > limit:
            break
    return cut_page(found, NEWEST_MESSAGES_FIRST, limit)


def _months_back(account_id: int, wanted: Wanted, cursor: str | None) -> Iterator[list[str]]:
    """The months there are messages of, the newest first: one, then four, then sixteen. What stands in no index of words
    is looked for in all of them at once: empty."""
    rows = _messages_of(account_id).where(*_in_time(wanted))
    behind = rows.where(past(NEWEST_MESSAGES_FIRST, cursor)) if cursor else rows
    ends: list[Any] = [
        each.with_only_columns(Message.created_at).order_by(*clauses).limit(1).scalar_subquery()
        for each, clauses in ((behind, NEWEST_MESSAGES_FIRST.clauses()), (rows, OLDEST_FIRST))
    ]
    newest, oldest = db.session.execute(select(ends[0], ends[1])).one()
    if newest is None or oldest is None:
        return
    if not _in_index(0, wanted):
        yield []
        return
    month, first, at_once = newest.year * 12 + newest.month - 1, oldest.year * 12 + oldest.month - 1, 1
    while month >= first:
        yield [f"{each // 12:04}{each % 12 + 1:02}" for each in range(month, max(month - at_once, first - 1), -1)]
        month, at_once = month - at_once, at_once * 4


def _newest_of(found: Any, limit: int, cursor: str | None) -> Select[Any]:
    """First all that are found, then the newest of them, then the messages: a database that may choose would rather walk
    down the whole history."""
    all_found = found.cte("found").prefix_with("MATERIALIZED")
    newest = select(all_found).order_by(*_newest_first(all_found.c).clauses()).limit(limit)
    if cursor:
        newest = newest.where(past(_newest_first(all_found.c), cursor))
    return _whole(newest.subquery("few"))


def _whole(few: Any) -> Select[Any]:
    return in_order(_with_fan(select(Message).join(few, few.c.id == Message.id)), _newest_first(few.c))


def _count(account_id: int, viewer_id: int, wanted: Wanted) -> int:
    found = _found(account_id, viewer_id, wanted, [])
    return db.session.scalar(select(func.count()).select_from(found.subquery())) or 0


def _found(account_id: int, viewer_id: int, wanted: Wanted, months: list[str], threads: list[int] | None = None) -> Any:
    """Ids and times of all messages that are looked for, in these months or in all; in these threads, if they are known."""
    narrow = []
    if threads is not None:
        narrow.append(Message.conversation_id.in_(threads))
    elif marks := _in_index(viewer_id, wanted):
        places = [f"#a{account_id}m{month}" for month in months] or [f"#a{account_id}"]
        narrow.append(Message.id.in_(_look_up_words(places, marks)))
    if threads is None:
        narrow += messages_of_such_fans(account_id, wanted, are_few=bool(_in_index(viewer_id, wanted)))
    narrow += [Message.conversation_id.in_(threads) for threads in _threads(account_id, wanted)]
    # SQLite would read all of the account's messages rather than look up the few, were the account's index of use here.
    account = Message.account_id + 0 if narrow and not on_postgresql() else Message.account_id
    rows = select(Message.id, Message.created_at).where(account == account_id, Message.conversation_id.is_not(None))
    return rows.where(*narrow, *_in_time(wanted), *_said(Message, viewer_id, wanted))


def _newest_first(of: Any) -> Order:
    return Order(NEWEST_MESSAGES_FIRST.name, of.created_at, of.id, descending=True)


# --- What must be true of a message ---


def _in_time(wanted: Wanted) -> list[Any]:
    since = [Message.created_at >= wanted.since] if wanted.since else []
    return since + ([Message.created_at < wanted.until] if wanted.until else [])


def _said(message: Any, viewer_id: int, wanted: Wanted) -> list[Any]:
    """By whom, what with, and in which words."""
    said = [_holds(message, phrase) for phrase in wanted.phrases]
    if wanted.sender:
        said.append(message.direction == ("in" if wanted.sender == "fan" else "out"))
    if wanted.sender == "me":
        said.append(message.author_id == viewer_id)
    if wanted.ppv:
        said.append(message.price_cents > 0)
    if wanted.media:
        said.append(cast(message.attachments, Message.text.type) != "[]")
    if wanted.bought is not None:
        said.append(message.purchased if wanted.bought else ~message.purchased)
    return said


def _holds(message: Any, phrase: Phrase) -> Any:
    end = "" if phrase.is_beginning else " "
    return contains(literal(" ") + message.search_text + literal(" "), f" {' '.join(phrase.words)}{end}")


def _threads(account_id: int, wanted: Wanted) -> list[Select[Any]]:
    if not wanted.states:
        return []
    ours = select(Conversation.id).where(Conversation.account_id == account_id)
    return [ours.where(*(_STATES[state] for state in sorted(wanted.states)))]


# --- The index of words ---


def _in_index(viewer_id: int, wanted: Wanted) -> list[Phrase]:
    """What is looked up by words: rare things about a message stand there as words that no text can hold. One fan's
    messages are few: these are read themselves."""
    if wanted.fan.startswith("@"):
        return []
    marks = {
        "#ppv": wanted.ppv,
        "#media": wanted.media,
        "#bought": wanted.bought,
        f"#u{viewer_id}": wanted.sender == "me",
    }
    return [*(Phrase((mark,)) for mark, is_wanted in marks.items() if is_wanted), *wanted.phrases]


def _look_up_words(places: list[str], phrases: list[Phrase]) -> Select[Any]:
    """Ids of messages in any of these places with all these words, wherever they stand."""
    if on_postgresql():
        words = table("message_words", column("message_id", Message.id.type), column("words", TSVECTOR()))
        wanted = _in_index_language(places, phrases, "|", "&", "'", ":*")
        return select(words.c.message_id).where(words.c.words.op("@@")(cast(literal(wanted), TSQUERY())))
    index = table("message_words", column("rowid", Message.id.type))
    wanted = _in_index_language(places, phrases, "OR", "AND", '"', "*")
    return select(index.c.rowid).where(text("message_words MATCH :wanted").bindparams(wanted=wanted))


def _in_index_language(places: list[str], phrases: list[Phrase], either: str, both: str, mark: str, begun: str) -> str:
    """Each word stands in quotation marks: nothing in it is an operator."""

    def quoted(word: str) -> str:
        return mark + word.replace("\\", "\\\\" if mark == "'" else "\\").replace(mark, mark * 2) + mark

    words = [
        quoted(word) + (begun if phrase.is_beginning and place == len(phrase.words) else "")
        for phrase in phrases
        for place, word in enumerate(phrase.words, 1)
    ]
    return f" {both} ".join([f"({f' {either} '.join(map(quoted, places))})", *words])
