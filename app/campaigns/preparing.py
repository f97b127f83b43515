"""From recipients to messages, set by set: each in a short transaction of its own, so that replies are not held up by a
campaign of any length. What is left to do is in the recipients' rows; whoever dies here is followed by another."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Select, Text, cast, exists, func, insert, literal, select, update

from app import clock, restored
from app.background import later
from app.bulk import new_keys, rows_of
from app.campaigns.models import Campaign, CampaignStatus, Recipient
from app.campaigns.readers import readers
from app.conversations import live
from app.conversations.carried import note_media
from app.conversations.claims import wake
from app.conversations.models import Conversation, Message, MessageStatus
from app.conversations.words import search_text
from app.database import UTCDateTime, db, execute, on_postgresql, run, table_of, utcnow, write
from app.database import insert as insert_or_ignore
from app.fans.models import Fan
from app.fans.placeholders import parse

AT_ONCE = 2_000
SETS_A_RUN = 3
PAUSE_SECONDS = 0.05  # SQLite has no line for those who wait to write: without a pause the same one writes again
FAN_GONE = "fan_deleted"
UNPREPARED = (Recipient.message_id.is_(None), Recipient.skip_reason.is_(None))
_messages, _conversations, _recipients = map(table_of, (Message, Conversation, Recipient))


def prepare_campaign(campaign_id: int) -> None:
    """Makes the messages of recipients who are to get one, and hands on to another job what is left: events that come in
    are worked off in between. Safe to run twice, at once, and to die in."""
    account_id = db.session.scalar(select(Campaign.account_id).where(Campaign.id == campaign_id))
    for _ in range(SETS_A_RUN):
        upcoming = _upcoming(campaign_id)  # texts are filled in before others are kept from writing
        db.session.rollback()
        with write():
            noted = _prepare(campaign_id, upcoming) if upcoming else None
        time.sleep(PAUSE_SECONDS)
        if noted is None or account_id is None:
            return
        live.tell(noted)
        wake(account_id)
    later("prepare_campaign", campaign_id)


def unprepared_campaigns() -> list[int]:
    """For the sweep: those that somebody has begun to prepare, or nobody yet."""
    rows = select(Campaign.id).where(Campaign.id.in_(with_unprepared()), Campaign.status != CampaignStatus.CANCELLED)
    return list(db.session.scalars(rows.limit(20)))


def with_unprepared() -> Select[int]:
    """The ids of campaigns, hopping along the index from one to the next."""
    first = select(func.min(Recipient.campaign_id).label("id")).where(*UNPREPARED)
    hop = first.cte("unprepared", recursive=True)
    following = first.where(Recipient.campaign_id > hop.c.id).correlate(hop).scalar_subquery()
    hop = hop.union_all(select(following).where(hop.c.id.is_not(None)))
    return select(hop.c.id).where(hop.c.id.is_not(None))


def prepare_set(campaign_id: int) -> list[live.Noted] | None:
    """The next recipients' messages; None where all have theirs. Does not commit."""
    upcoming = _upcoming(campaign_id)
    return _prepare(campaign_id, upcoming) if upcoming else None


@dataclass(frozen=True)
class _Upcoming:
    """The next recipients without a message, from one id to another; what each reads, or one text for all."""

    first: int
    last: int
    texts: str | dict[int, str]


def _upcoming(campaign_id: int) -> _Upcoming | None:
    campaign = db.session.get(Campaign, campaign_id)
    if campaign is None:
        return None
    rows = select(Recipient.id, Recipient.fan_id, Recipient.wording)
    rows = rows.where(Recipient.campaign_id == campaign_id, *UNPREPARED).order_by(Recipient.id).limit(AT_ONCE)
    found = db.session.execute(rows).all()
    return _Upcoming(found[0].id, found[-1].id, _texts(campaign, found)) if found else None


def _texts(campaign: Campaign, recipients: Sequence[Any]) -> str | dict[int, str]:
    """Of the wording that each recipient drew, filled in for them."""
    if not campaign.is_template:
        return campaign.content
    templates, now = [parse(text) for text in campaign.texts], utcnow()
    if len(templates) == 1 and all(isinstance(part, str) for part in templates[0].parts):
        return "".join(map(str, templates[0].parts))
    fans = select(Fan).where(Fan.id.in_([each.fan_id for each in recipients if each.fan_id]))
    found = {fan.id: fan for fan in readers(fans, templates)}
    return {
        each.id: templates[each.wording or 0].render(found[each.fan_id], now).text
        for each in recipients
        if each.fan_id in found
    }


def _prepare(campaign_id: int, upcoming: _Upcoming) -> list[live.Noted] | None:
    """Does not commit."""
    campaign = db.session.get(Campaign, campaign_id, with_for_update={"key_share": True}, populate_existing=True)
    if campaign is None or campaign.status == CampaignStatus.CANCELLED or campaign.connection_id is None:
        return None
    made = _Set(campaign, upcoming.first, upcoming.last).prepare(upcoming.texts)
    return live.note_in_threads((campaign.account_id, each.conversation_id, each.id) for each in made)


class _Set:
    """Recipients of one campaign, from one id to another."""

    def __init__(self, campaign: Campaign, first: int, last: int) -> None:
        self.campaign = campaign
        self.range = (Recipient.campaign_id == campaign.id) & Recipient.id.between(first, last)

    def prepare(self, texts: str | dict[int, str]) -> Sequence[Any]:
        """The messages: the id of each, of its thread and of its fan."""
        gone = self.range & Recipient.fan_id.is_(None)
        execute(update(Recipient).where(gone, *UNPREPARED).values(skip_reason=FAN_GONE))
        self._open_threads()
        made = self._write_to_all(texts) if isinstance(texts, str) else self._write_to_each(texts)
        # By what was made: no plan looks through all that the campaign, or a fan, has by now.
        given = json.dumps([{"message_id": each.id, "fan_id": each.fan_id} for each in made])
        of_each = select(rows_of(given, {"message_id": BigInteger, "fan_id": BigInteger})).cte("made")
        of_each = of_each.prefix_with("MATERIALIZED").c  # SQLite would read the text anew for each recipient
        theirs = self.range & (Recipient.fan_id == of_each.fan_id)
        execute(update(Recipient).where(theirs, *UNPREPARED).values(message_id=of_each.message_id))
        note_media(self.campaign.attachments, Message.id.in_(select(Recipient.message_id).where(self.range)))
        return made

    def _open_threads(self) -> None:
        without = ~exists().where(Conversation.account_id == Fan.account_id, Conversation.fan_id == Fan.id)
        values = {
            "account_id": Fan.account_id, "fan_id": Fan.id, "platform": Fan.platform, "unread_count": literal(0),
            "archived": literal(False), "pinned": literal(False), "seq": literal(0),
            "created_at": literal(utcnow(), UTCDateTime),
        }  # fmt: skip
        rows = select(*values.values()).join(Recipient, Recipient.fan_id == Fan.id)
        rows = rows.where(self.range, *UNPREPARED, without).order_by(Fan.id)  # as all do: none waits in a ring
        new = insert_or_ignore(_conversations).from_select(list(values), rows, include_defaults=False)
        execute(new.on_conflict_do_nothing())

    def _write_to_all(self, text: str) -> Sequence[Any]:
        """The same text."""
        rows = select(Recipient).join(Conversation, _THREAD_OF_RECIPIENT)
        rows = rows.where(self.range, *UNPREPARED).order_by(Recipient.id)
        said = {"text": literal(text, Text), "search_text": literal(search_text(text), Text)}
        return self._insert(rows, {"conversation_id": Conversation.id, "fan_id": Recipient.fan_id} | said)

    def _write_to_each(self, texts: dict[int, str]) -> Sequence[Any]:
        """In one statement too: SQLite's index of words takes a statement's rows at once, and one by one four times as long."""
        rows = select(Recipient.id, Recipient.fan_id, Conversation.id.label("thread"))
        rows = rows.join(Conversation, _THREAD_OF_RECIPIENT).where(self.range, *UNPREPARED).order_by(Recipient.id)
        messages = [
            {"conversation_id": row.thread, "fan_id": row.fan_id, "text": text, "search_text": search_text(text)}
            for row in db.session.execute(rows)
            if (text := texts.get(row.id)) is not None
        ]
        types = {"conversation_id": BigInteger, "fan_id": BigInteger, "text": Text, "search_text": Text}
        of_each = rows_of(json.dumps(messages), types)
        return self._insert(select(of_each), dict(of_each.c.items()))

    def _insert(self, rows: Select[Any], of_each: dict[str, Any]) -> Sequence[Any]:
        common = {name: literal(value, _messages.c[name].type) for name, value in self._common().items()}
        drawn = {"idempotency_key": new_keys(), "due_tick": _due_tick(*self.campaign.delay_minutes)}
        values = of_each | common | drawn
        chosen = rows.with_only_columns(*values.values(), maintain_column_froms=True)
        new = insert(_messages).from_select(list(values), chosen, include_defaults=False)
        return run(new.returning(_messages.c.id, _messages.c.conversation_id, _messages.c.fan_id)).all()

    def _common(self) -> dict[str, Any]:
        campaign, now = self.campaign, utcnow()
        return {
            "account_id": campaign.account_id, "connection_id": campaign.connection_id, "direction": "out",
            "status": MessageStatus.QUEUED.value, "campaign_id": campaign.id, "author_id": campaign.author_id,
            "price_cents": campaign.price_cents, "attachments": campaign.attachments, "purchased": False,
            "rank": campaign.priority, "tries": 0, "doubt": restored.doubt_about(campaign.created_at),
            "created_at": now, "changed_at": now,
        }  # fmt: skip


_THREAD_OF_RECIPIENT = (Conversation.fan_id == Recipient.fan_id) & (Conversation.account_id == Recipient.account_id)


def _due_tick(least: int, most: int) -> Any:
    """So many minutes from now, at random for each row; null where there is no delay."""
    if not most:
        return literal(None, BigInteger)
    span = (most - least) * 60 * clock.SECOND + 1
    at_random = cast(func.random() * span, BigInteger) if on_postgresql() else func.abs(func.random()) % span
    return literal(clock.now() + least * 60 * clock.SECOND, BigInteger) + at_random
