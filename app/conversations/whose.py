"""Whose messages are looked for: what a search says about the fan, in the two ways in which messages are found."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Select, exists, select

from app.conversations.models import Conversation, Message
from app.conversations.operators import Wanted
from app.database import contains, db, fold, planned_anew
from app.fans.keys import handle_key
from app.fans.models import Fan, FanTag
from app.fans.names import called
from app.fans.queries import tagged
from app.paging import count_up_to

MOST_READ, MOST_READ_FOR_WORDS = 1000, 100  # threads; words are found by the index, too
MOST_FANS_A_THREAD = 5  # of more than these it is not asked who has a thread


def is_by_such_a_fan(account_id: int, wanted: Wanted, fan_id: Any) -> list[Any]:
    """Of a message that is looked at, with this fan."""
    about = about_fan(account_id, wanted) + ([_is_called(wanted.fan)] if wanted.fan else [])
    return [exists().where(Fan.id == fan_id, Fan.account_id == account_id, *about)] if about else []


def such_fans(account_id: int, wanted: Wanted) -> list[Select[Any]]:
    """Ids, by each thing that is said: to look up the messages of these."""
    theirs = select(Fan.id).where(Fan.account_id == account_id)
    spent = _has_spent(wanted)
    with_tag = select(FanTag.fan_id).where(FanTag.account_id == account_id)
    queries = [with_tag.where(FanTag.tag_key == tag) for tag in sorted(wanted.tags)]
    queries += [theirs.where(*spent)] if spent else []
    if wanted.fan.startswith("@"):
        return [*queries, theirs.where(_is_called(wanted.fan))]
    if wanted.fan:
        named = theirs.where(Fan.id.in_(called(account_id, fold(wanted.fan))), _is_called(wanted.fan))
        queries.append(select(named.cte("named").prefix_with("MATERIALIZED").c.id))
    return queries


def messages_of_such_fans(account_id: int, wanted: Wanted, *, are_few: bool) -> list[Any]:
    """Where they are few, it is the messages, each of which is asked for its fan's name; else the fans are looked up."""
    if are_few and wanted.fan and not wanted.fan.startswith("@"):
        others = replace(wanted, fan="")
        named = is_by_such_a_fan(account_id, replace(Wanted(), fan=wanted.fan), Message.fan_id)
        return [*named, *(Message.fan_id.in_(fans) for fans in such_fans(account_id, others))]
    return [Message.fan_id.in_(fans) for fans in such_fans(account_id, wanted)]


def few_threads(account_id: int, wanted: Wanted) -> list[int] | None:
    """The threads with such fans, where they are so few that their messages are read themselves; else None."""
    most = MOST_READ_FOR_WORDS if wanted.phrases else MOST_READ
    if are_many(account_id, wanted, most * MOST_FANS_A_THREAD):
        return None
    theirs = [Conversation.fan_id.in_(each) for each in such_fans(account_id, wanted)]
    rows = select(Conversation.id).where(Conversation.account_id == account_id, *theirs).limit(most + 1)
    found = list(db.session.scalars(planned_anew(rows)))
    return found if len(found) <= most else None


def are_many(account_id: int, wanted: Wanted, most: int) -> bool:
    """More than so many by each thing that is said of the fans; also where nothing is said of them."""
    fans = such_fans(account_id, wanted)
    if wanted.fan and not wanted.fan.startswith("@"):
        fans[-1] = called(account_id, fold(wanted.fan))
    return all(count_up_to(each, most) > most for each in fans)


def about_fan(account_id: int, wanted: Wanted) -> list[Any]:
    return [tagged(account_id, tag) for tag in sorted(wanted.tags)] + _has_spent(wanted)


def _has_spent(wanted: Wanted) -> list[Any]:
    least = [Fan.value_cents >= wanted.least_cents] if wanted.least_cents is not None else []
    return least + ([Fan.value_cents <= wanted.most_cents] if wanted.most_cents is not None else [])


def _is_called(name: str) -> Any:
    if name.startswith("@"):
        return Fan.handle_key == handle_key(name)
    return contains(Fan.name_key, fold(name)) | (Fan.handle_key == handle_key(name))
