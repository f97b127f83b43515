"""From recipients to messages, set by set: each in a short transaction of its own, so that replies are not held up by a
campaign of any length. What is left to do is in the recipients' rows; whoever dies here is followed by another."""

import json
import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, BigInteger, Text, cast, column, exists, func, insert, literal, select, true, update

from app import clock
from app.background import later
from app.campaigns.models import Campaign, CampaignStatus, Recipient
from app.conversations import live
from app.conversations.carried import note_media
from app.conversations.claims import wake
from app.conversations.models import Conversation, Message, MessageStatus
from app.conversations.words import search_text
from app.database import UTCDateTime, db, execute, on_postgresql, table_of, utcnow, write
from app.database import insert as insert_or_ignore
from app.fans.models import Fan
from app.fans.placeholders import parse

AT_ONCE = 2_000
SETS_A_RUN = 3
PAUSE_SECONDS = 0.05  # SQLite has no line for those who wait to write: without a pause the same one writes again
FAN_GONE = "fan_deleted"
_messages, _conversations, _recipients = map(table_of, (Message, Conversation, Recipient))


def prepare_campaign(campaign_id: int) -> None:
    """Makes the messages of recipients who are to get one, and hands on to another job what is left: events that come in
    are worked off in between. Safe to run twice, at once, and to die in."""
    account_id = db.session.scalar(select(Campaign.account_id).where(Campaign.id == campaign_id))
    for _ in range(SETS_A_RUN):
        with write():
            noted = prepare_set(campaign_id)
        time.sleep(PAUSE_SECONDS)
        if noted is None or account_id is None:
            return
        live.tell(noted)
        wake(account_id)
    later("prepare_campaign", campaign_id)


def unprepared_campaigns() -> list[int]:
    """For the sweep: those that somebody has begun to prepare, or nobody yet."""
    rows = select(Recipient.campaign_id).where(*_unprepared()).distinct().limit(20)
    return list(db.session.scalars(rows))


def prepare_set(campaign_id: int) -> list[live.Noted] | None:
    """The next recipients' messages; None where all have theirs. Does not commit."""
    campaign = db.session.get(Campaign, campaign_id, with_for_update=True, populate_existing=True)
    if campaign is None or campaign.status == CampaignStatus.CANCELLED or campaign.connection_id is None:
        return None
    rows = select(Recipient.id, Recipient.fan_id, Recipient.wording)
    rows = rows.where(Recipient.campaign_id == campaign_id, *_unprepared()).order_by(Recipient.id).limit(AT_ONCE)
    found = db.session.execute(rows).all()
    if not found:
        return None
    _Set(campaign, found[0].id, found[-1].id).prepare(found)
    return _tell_threads(campaign, found[0].id, found[-1].id)


def _unprepared() -> tuple[Any, ...]:
    return Recipient.message_id.is_(None), Recipient.skip_reason.is_(None)


class _Set:
    """Recipients of one campaign, from one id to another."""

    def __init__(self, campaign: Campaign, first: int, last: int) -> None:
        self.campaign = campaign
        self.range = (Recipient.campaign_id == campaign.id) & Recipient.id.between(first, last)

    def prepare(self, recipients: Sequence[Any]) -> None:
        gone = self.range & Recipient.fan_id.is_(None)
        execute(update(Recipient).where(gone, *_unprepared()).values(skip_reason=FAN_GONE))
        self._open_threads()
        self._write_messages(_texts(self.campaign, recipients))
        theirs = (Message.campaign_id == Recipient.campaign_id) & (Message.fan_id == Recipient.fan_id)
        # The newest: an automatic campaign may have written to them before.
        made = select(func.max(Message.id)).where(theirs).correlate(Recipient).scalar_subquery()
        execute(update(Recipient).where(self.range, *_unprepared()).values(message_id=made))
        note_media(self.campaign.attachments, Message.id.in_(select(Recipient.message_id).where(self.range)))

    def _open_threads(self) -> None:
        without = ~exists().where(Conversation.account_id == Fan.account_id, Conversation.fan_id == Fan.id)
        values = {
            "account_id": Fan.account_id, "fan_id": Fan.id, "platform": Fan.platform, "unread_count": literal(0),
            "archived": literal(False), "pinned": literal(False), "seq": literal(0),
            "created_at": literal(utcnow(), UTCDateTime),
        }  # fmt: skip
        rows = select(*values.values()).join(Recipient, Recipient.fan_id == Fan.id)
        rows = rows.where(self.range, *_unprepared(), without)
        new = insert_or_ignore(_conversations).from_select(list(values), rows, include_defaults=False)
        execute(new.on_conflict_do_nothing())

    def _write_messages(self, texts: Any) -> None:
        campaign, now = self.campaign, literal(utcnow(), UTCDateTime)
        values = {
            "account_id": literal(campaign.account_id), "conversation_id": Conversation.id, "fan_id": Recipient.fan_id,
            "connection_id": literal(campaign.connection_id), "direction": literal("out"),
            "status": literal(MessageStatus.QUEUED.value), "campaign_id": literal(campaign.id),
            "author_id": literal(campaign.author_id, BigInteger), "text": texts.text, "search_text": texts.search_text,
            "price_cents": literal(campaign.price_cents), "attachments": literal(campaign.attachments, JSON),
            "purchased": literal(False), "rank": literal(campaign.priority), "idempotency_key": _new_key(),
            "tries": literal(0), "doubt": literal(""), "created_at": now, "changed_at": now,
            "due_tick": _due_tick(*campaign.delay_minutes),
        }  # fmt: skip
        threads = (Conversation.fan_id == Recipient.fan_id) & (Conversation.account_id == Recipient.account_id)
        rows = select(*values.values()).select_from(Recipient).join(Conversation, threads).join(*texts.joined)
        rows = rows.where(self.range, *_unprepared()).order_by(Recipient.id)
        execute(insert(_messages).from_select(list(values), rows, include_defaults=False))


def _due_tick(least: int, most: int) -> Any:
    """So many minutes from now, at random for each row; null where there is no delay."""
    if not most:
        return literal(None, BigInteger)
    span = (most - least) * 60 * clock.SECOND + 1
    at_random = cast(func.random() * span, BigInteger) if on_postgresql() else func.abs(func.random()) % span
    return literal(clock.now() + least * 60 * clock.SECOND, BigInteger) + at_random


def _new_key() -> Any:
    """As models.new_key makes one, a fresh one for each row."""
    if on_postgresql():
        return func.replace(cast(func.gen_random_uuid(), Text), "-", "")
    return func.lower(func.hex(func.randomblob(16)))


class _OneText:
    """The same for everybody."""

    def __init__(self, text: str) -> None:
        self.text, self.search_text = literal(text, Text), literal(search_text(text), Text)
        self.joined = (select(literal(1).label("one")).subquery("once"), true())


class _TextOfEach:
    """Another for each recipient."""

    def __init__(self, texts: dict[int, str]) -> None:
        rows = [{"of": of, "text": text, "search_text": search_text(text)} for of, text in texts.items()]
        document = literal(json.dumps(rows), Text)
        if on_postgresql():
            types = {"of": BigInteger, "text": Text, "search_text": Text}
            columns = [column(name, type_) for name, type_ in types.items()]
            said = func.json_to_recordset(cast(document, JSON)).table_valued(*columns).render_derived(with_types=True)
        else:
            each = func.json_each(document).table_valued("value")
            parts = (func.json_extract(each.c.value, f"$.{name}").label(name) for name in ("of", "text", "search_text"))
            # Read once, and found by an index that SQLite makes of it: else it is read anew for each recipient.
            said = select(*parts).select_from(each).cte("said").prefix_with("MATERIALIZED")
        self.text, self.search_text = said.c.text, said.c.search_text
        self.joined = (said, said.c.of == Recipient.id)


def _texts(campaign: Campaign, recipients: Sequence[Any]) -> _OneText | _TextOfEach:
    """Of the wording that each recipient drew, filled in for them."""
    if not campaign.is_template:
        return _OneText(campaign.content)
    templates, now = [parse(text) for text in campaign.texts], utcnow()
    if len(templates) == 1 and all(isinstance(part, str) for part in templates[0].parts):
        return _OneText("".join(map(str, templates[0].parts)))
    rows = select(Fan).where(Fan.id.in_([each.fan_id for each in recipients if each.fan_id]))
    fans = {fan.id: fan for fan in db.session.scalars(rows)}
    return _TextOfEach(
        {
            each.id: templates[each.wording or 0].render(fans[each.fan_id], now).text
            for each in recipients
            if each.fan_id
        }
    )


def _tell_threads(campaign: Campaign, first: int, last: int) -> list[live.Noted]:
    """Numbers the news of each thread. Does not commit."""
    made = select(Recipient.message_id).where(
        Recipient.campaign_id == campaign.id, Recipient.id.between(first, last), Recipient.message_id.is_not(None)
    )
    rows = db.session.execute(select(Message.id, Message.conversation_id).where(Message.id.in_(made))).all()
    return live.note_in_threads(campaign.account_id, {row.conversation_id: row.id for row in rows})
