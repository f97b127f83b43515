"""What is worth knowing before a campaign starts: texts with holes, words that the platform refuses, nights, prices."""

import re
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import func, select

from app.campaigns.audience import Selection, first_of
from app.campaigns.readers import Reader, readers
from app.conversations.actions import FILELESS, NOTHING_TO_BUY
from app.conversations.carried import NEVER_CAME, carried_in
from app.conversations.models import Message, MessageMedium
from app.database import db
from app.fans.models import Fan
from app.fans.placeholders import Template, parse
from app.formats import money
from app.media.actions import is_locked
from app.zones import find_zone

MOST_LOOKED_AT = 10_000  # fans: what is true of these is said of these
NIGHT = (22, 8)  # from ten in the evening to eight in the morning


def who_would_read(of: Selection, templates: Iterable[Template]) -> list[Reader]:
    """The first who would get it, in their order."""
    most = min(of.at_most or MOST_LOOKED_AT, MOST_LOOKED_AT)
    return readers(first_of(of, most), templates)


def empties(fans: Iterable[Reader], templates: Iterable[Template], now: datetime) -> dict[str, int]:
    """Of each placeholder as written: for how many of the fans nothing is known, and no words stand behind the bar."""
    with_holes = [
        each for each in templates if any(not isinstance(part, str) and part.fallback is None for part in each.parts)
    ]
    return dict(Counter(hole for fan in fans for each in with_holes for hole in each.render(fan, now).empty))


def at_night(fans: Iterable[Reader], account_zone: str, start: datetime, end: datetime) -> int:
    """How many of the fans would get it at night by their own clock, or the account's; evenly from start to end."""
    fans = list(fans)
    step = (end - start) / max(len(fans) - 1, 1)
    return sum(_is_night(fan.timezone or account_zone, start + step * place) for place, fan in enumerate(fans))


def _is_night(zone: str, moment: datetime) -> bool:
    begins, ends = NIGHT
    hour = _hour_in(zone, moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0))
    return hour >= begins or hour < ends


@lru_cache(10_000)
def _hour_in(zone: str, quarter: datetime) -> int:
    return quarter.astimezone(find_zone(zone) or UTC).hour


def forbidden_in(text: str, words: str) -> list[str]:
    """Which of the forbidden words (one a line; `*` stands for any letters) a text holds, as they are listed."""
    listed = [line.strip() for line in words.splitlines() if line.strip()]
    return [each for each in listed if _pattern(each).search(text)]


@lru_cache(1000)
def _pattern(word: str) -> re.Pattern[str]:
    letters = r"\w*".join(map(re.escape, word.split("*")))
    return re.compile(rf"(?<!\w){letters}(?!\w)", re.IGNORECASE)


def bought_by(of: Selection) -> int:
    """How many of the audience bought one of the media before."""
    media = list(carried_in(of.attachments))
    if not media:
        return 0
    rows = (
        select(func.count(MessageMedium.fan_id.distinct()))
        .join(Message, Message.id == MessageMedium.message_id)
        .join(Fan, Fan.id == MessageMedium.fan_id)
        .where(
            MessageMedium.account_id == of.account_id,
            MessageMedium.medium.in_(media),
            Message.purchased,
            Message.status.not_in(NEVER_CAME),
            of.audience.holds(of.account_id),
        )
    )
    return db.session.scalar(rows) or 0


def unknown_in(texts: Iterable[str]) -> list[str]:
    """Placeholders that mean nothing, as written."""
    return list(dict.fromkeys(name for text in texts for name in parse(text).unknown))


def price_fault(cents: int, price_range: tuple[int, int], attachments: list[dict[str, Any]]) -> str:
    """What is wrong with the price, in the words of the check before it goes; nothing where nothing is."""
    if not cents:
        return ""
    if not price_range[0] <= cents <= price_range[1]:
        return f"The price must be 0 or {money(price_range[0])} to {money(price_range[1])}."
    if not attachments:
        return FILELESS
    return "" if is_locked(attachments) else NOTHING_TO_BUY
