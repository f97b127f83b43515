"""The pages that are asked for: of each kind as many different ones as wanted, as people with such a business ask them."""

import html
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote, urlencode

from sqlalchemy import func, select

from app.conversations.models import Conversation, Message
from app.database import db, utcnow
from app.fans.models import Fan
from bench.inbox_rows import vocabulary

INBOX = "/messages/onlyfans"
PANE = {"HX-Request": "true", "HX-Target": "div#pane"}
LIST = {"HX-Request": "true", "HX-Target": "div#conversation-list"}
GLANCE = {"HX-Request": "true", "HX-Target": "div#quick-found"}
NEXT = re.compile(r'rel="next" href="([^"]+)"')
OLDER = re.compile(r'href="([^"]+/older\?before=\d+)"')


@dataclass(frozen=True)
class Known:
    """What is in the account: words by how common they are, threads by their length."""

    common: list[str]
    medium: list[str]
    rare: list[str]
    texts: list[str]
    names: list[str]
    handles: list[str]
    short: list[int]
    long: list[int]
    unread: list[int]


@dataclass(frozen=True)
class Kind:
    """`address`: from chance and the answer before; an address that only leads to the wanted ones begins with `!`."""

    name: str
    address: Callable[[random.Random, str], str]
    headers: dict[str, str]


def look_around(account_id: int) -> Known:
    words = vocabulary()
    size = func.count().label("size")
    sizes = select(Message.conversation_id, size).where(Message.account_id == account_id)
    threads = db.session.execute(sizes.group_by(Message.conversation_id).order_by(size.desc())).tuples().all()
    fans = select(Fan.name, Fan.handle).where(Fan.account_id == account_id, Fan.name.is_not(None), Fan.id % 40 == 1)
    people = db.session.execute(fans.limit(3000)).tuples().all()
    newest = db.session.scalar(select(func.max(Message.id))) or 0
    texts = select(Message.text).where(Message.account_id == account_id, Message.id % max(newest // 3000, 1) == 0)
    unread = select(Conversation.id).where(Conversation.account_id == account_id, Conversation.unread_count > 0)
    return Known(
        common=words[:100],
        medium=words[400:5000],
        rare=words[len(words) // 4 :],
        texts=[said for said in db.session.scalars(texts) if said.count(" ") > 3],
        names=[name or "" for name, _ in people],
        handles=[handle or "" for _, handle in people],
        short=[thread or 0 for thread, count in threads if 10 <= count <= 60][:20_000],
        long=[thread or 0 for thread, _ in threads[:100]],
        unread=list(db.session.scalars(unread.limit(2000))),
    )


def kinds(of: Known) -> list[Kind]:
    return [*_inbox(of), *_threads(of), *_searches(of), *_fans(of), *_watched()]


def _inbox(of: Known) -> list[Kind]:
    sorts = {"": "newest", "waiting": "waiting", "spend": "spend"}
    lists = [
        (f"inbox{view and ' '}{view}, {name}", {"view": view, "sort": sort})
        for view in ("", "unread", "unanswered", "mine", "unassigned", "snoozed", "archived")
        for sort, name in sorts.items()
    ]
    filters: dict[str, Callable[[random.Random], dict[str, str]]] = {
        "tag vip": lambda _: {"tag": "vip"},
        "tag whale": lambda _: {"tag": "whale"},
        "a rare tag": lambda dice: {"tag": f"tag {dice.randrange(60, 120)}"},
        "spent 100": lambda _: {"spent": "100"},
        "spent 100000": lambda _: {"spent": "100000"},
        "online": lambda _: {"online": "1"},
        "first name": lambda dice: {"search": dice.choice(of.names).split()[0]},
        "whole name": lambda dice: {"search": dice.choice(of.names)},
        "handle": lambda dice: {"search": dice.choice(of.handles)},
        "two letters": lambda dice: {"search": dice.choice(of.names)[:2]},
        "nobody's name": lambda dice: {"search": f"xq{dice.randrange(10**6)}"},
        "tag vip, by spend": lambda _: {"tag": "vip", "sort": "spend"},
        "whole name, by spend": lambda dice: {"search": dice.choice(of.names), "sort": "spend"},
        "online, by spend": lambda _: {"online": "1", "sort": "spend"},
        "unanswered, spent 1000, waiting": lambda _: {"view": "unanswered", "spent": "1000", "sort": "waiting"},
    }
    return [
        *(Kind(name, _always(INBOX, said), {}) for name, said in lists),
        *(Kind(f"inbox {name}", _varied(INBOX, said), LIST) for name, said in filters.items()),
        *(Kind(f"next page, {name}", _walk(_always(INBOX, {"sort": sort}), NEXT), LIST) for sort, name in sorts.items()),
        Kind("next page, archived", _walk(_always(INBOX, {"view": "archived"}), NEXT), LIST),
        Kind("next page, first name", _walk(_varied(INBOX, filters["first name"]), NEXT), LIST),
    ]  # fmt: skip


def _threads(of: Known) -> list[Kind]:
    def one_of(ids: list[int]) -> Callable[[random.Random, str], str]:
        return lambda dice, _: f"{INBOX}/{dice.choice(ids)}"

    return [
        Kind("thread, short", one_of(of.short), PANE),
        Kind("thread, thousands", one_of(of.long), PANE),
        Kind("thread, unread", lambda _dice, _html: f"{INBOX}/{of.unread.pop()}", PANE),
        Kind("thread, whole page", one_of(of.short), {}),
        Kind("thread of thousands, whole page", one_of(of.long), {}),
        Kind("older page", _walk(one_of(of.long), OLDER), {"HX-Request": "true", "HX-Target": "li#older"}),
    ]


def _searches(of: Known) -> list[Kind]:
    def two_words(dice: random.Random) -> str:
        words = dice.choice(of.texts).rstrip(".!? ").split()
        place = dice.randrange(len(words) - 1)
        return f'"{words[place]} {words[place + 1]}"'

    def a_day(dice: random.Random) -> str:
        return f"{(utcnow() - timedelta(days=dice.randrange(5, 700))).date()}"

    say: dict[str, Callable[[random.Random], str]] = {
        "rare word": lambda dice: dice.choice(of.rare),
        "medium word": lambda dice: dice.choice(of.medium),
        "common word": lambda dice: dice.choice(of.common),
        "no word of anybody's": lambda dice: f"xq{dice.randrange(10**6)}",
        "begun word": lambda dice: dice.choice(of.medium)[: dice.randrange(2, 5)],
        "phrase": two_words,
        "two common words": lambda dice: " ".join(dice.sample(of.common, 2)),
        "two medium words": lambda dice: " ".join(dice.sample(of.medium, 2)),
        "from:fan medium": lambda dice: f"from:fan {dice.choice(of.medium)}",
        "from:me medium": lambda dice: f"from:me {dice.choice(of.medium)}",
        "from:@handle": lambda dice: f"from:{dice.choice(of.handles)}",
        "from:name": lambda dice: f'from:"{dice.choice(of.names)}"',
        "from:first name medium": lambda dice: f"from:{dice.choice(of.names).split()[0]} {dice.choice(of.medium)}",
        "has:ppv": lambda _: "has:ppv",
        "has:ppv rare": lambda dice: f"has:ppv {dice.choice(of.rare)}",
        "bought:yes medium": lambda dice: f"bought:yes {dice.choice(of.medium)}",
        "tag:vip": lambda _: "tag:vip",
        "tag:vip medium": lambda dice: f"tag:vip {dice.choice(of.medium)}",
        "tag:whale rare": lambda dice: f"tag:whale {dice.choice(of.rare)}",
        "tag:whale common": lambda dice: f"tag:whale {dice.choice(of.common)}",
        "is:unread": lambda _: "is:unread",
        "is:unread medium": lambda dice: f"is:unread {dice.choice(of.medium)}",
        "is:snoozed": lambda _: "is:snoozed",
        "is:archived common": lambda dice: f"is:archived {dice.choice(of.common)}",
        "spent:>100 medium": lambda dice: f"spent:>100 {dice.choice(of.medium)}",
        "spent:>100000": lambda _: "spent:>100000",
        "before: medium": lambda dice: f"before:{a_day(dice)} {dice.choice(of.medium)}",
        "before: common": lambda dice: f"before:{a_day(dice)} {dice.choice(of.common)}",
        "before: rare": lambda dice: f"before:{a_day(dice)} {dice.choice(of.rare)}",
        "fan's name": lambda dice: dice.choice(of.names),
        "fan's first name": lambda dice: dice.choice(of.names).split()[0],
    }
    at_a_glance = ("rare word", "medium word", "common word", "begun word", "fan's name")
    address = f"{INBOX}/search"

    def ask(what: Callable[[random.Random], str]) -> Callable[[random.Random, str], str]:
        return _varied(address, lambda dice: {"q": what(dice)})

    return [
        *(Kind(f"search {name}", ask(what), {}) for name, what in say.items()),
        *(Kind(f"Ctrl-K {name}", ask(say[name]), GLANCE) for name in at_a_glance),
        Kind("search, next page, medium word", _walk(ask(say["medium word"]), NEXT), {}),
        Kind("search, next page, common word", _walk(ask(say["common word"]), NEXT), {}),
    ]  # fmt: skip


def _fans(of: Known) -> list[Kind]:
    return [
        Kind("fans", _always("/fans", {}), {}),
        Kind("fans, by name", _always("/fans", {"sort": "name"}), {}),
        Kind("fans, tag vip", _always("/fans", {"tag": "vip"}), {}),
        Kind("fans, whole name", _varied("/fans", lambda dice: {"search": dice.choice(of.names)}), {}),
        Kind("fans, first name", _varied("/fans", lambda dice: {"search": dice.choice(of.names).split()[0]}), {}),
        Kind("fans, next page", _walk(_always("/fans", {}), NEXT), {}),
    ]


def _watched() -> list[Kind]:
    return [Kind("system, scraped", _always("/metrics", {}), {}), Kind("system, page", _always("/system", {}), {})]


def _always(path: str, said: dict[str, str]) -> Callable[[random.Random, str], str]:
    return _varied(path, lambda _: said)


def _varied(path: str, say: Callable[[random.Random], dict[str, str]]) -> Callable[[random.Random, str], str]:
    return lambda dice, _: (
        f"{path}?{urlencode({name: value for name, value in say(dice).items() if value}, quote_via=quote)}"
    )


def _walk(first: Callable[[random.Random, str], str], link: re.Pattern[str]) -> Callable[[random.Random, str], str]:
    """From page to page, as long as there is another; then from a new beginning."""

    def go_on(dice: random.Random, before: str) -> str:
        found = link.search(before)
        return html.unescape(found[1]) if found else f"!{first(dice, before)}"

    return go_on
