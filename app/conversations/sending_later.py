"""Answers that go out later: kept until their time, then made a message, once; or given back to a person with the reason."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Select, bindparam, select, update

from app import restored
from app.background import do_all
from app.conversations import actions, drafts, live, queries, triage
from app.conversations.actions import Draft
from app.conversations.claims import wake
from app.conversations.desk_models import LaterReply, LaterStatus
from app.conversations.models import Conversation, MessageStatus, new_key
from app.database import db, execute, plain, utcnow, write
from app.errors import Conflict, Invalid, NotFound
from app.formats import without_cents

log = structlog.get_logger()
LATEST = timedelta(hours=6)  # an answer that is later than that, because nothing ran, may no longer fit
FARTHEST = timedelta(days=365)
MOST_AT_ONCE = 100


def find_later(account_id: int, later_id: int) -> LaterReply:
    """Raises NotFound."""
    return _found(select(LaterReply).where(LaterReply.account_id == account_id, LaterReply.id == later_id))


def _found(rows: Select[Any]) -> LaterReply:
    found = db.session.scalar(rows)
    if found is None:
        raise NotFound
    return found


def laters_of(conversation: Conversation) -> list[LaterReply]:
    """Those that wait, and those that wait for a person's word."""
    return list(db.session.scalars(_LATERS, {"conversation_id": conversation.id}))


_LATERS = (
    select(LaterReply)
    .where(
        LaterReply.conversation_id == bindparam("conversation_id"),
        LaterReply.status.in_((LaterStatus.WAITING, LaterStatus.CANCELLED)),
    )
    .order_by(LaterReply.send_at, LaterReply.id)
)


def send_later(
    account_id: int, conversation_id: int, draft: Draft, send_at: datetime, *, unless_answered: bool
) -> LaterReply:
    """Keeps a reply until then. What would stop it now is said now.

    The same client_message_id again gives the first. Raises NotFound, Invalid, KeyTaken, Conflict, WrittenMeanwhile: as
    actions.send_message does.
    """
    check_time(send_at)
    with write() as session:
        conversation = queries.find_to_write_in(account_id, conversation_id)
        sent, kept = actions.said_before(conversation, draft)
        if sent:
            raise Conflict("It was sent already.")
        if kept:
            return kept
        actions.check_reply(conversation, draft)
        later = LaterReply(
            account_id=account_id,
            conversation_id=conversation_id,
            author_id=draft.author_id,
            client_message_id=draft.client_message_id or new_key(),
            send_at=send_at,
            text=draft.text,
            price_cents=draft.price_cents,
            attachments=draft.attachments,
            unless_answered=unless_answered,
        )
        session.add(later)
        drafts.forget(conversation_id, later.client_message_id)
        session.flush()
        noted = _news_of(later)
    live.tell(noted)
    return later


def check_time(send_at: datetime) -> None:
    """Raises Invalid."""
    if not utcnow() < send_at <= utcnow() + FARTHEST:
        raise Invalid(("sendAt", "Choose a time to come, within a year."))


def cancel_answered(conversation: Conversation) -> list[live.Noted]:
    """The fan wrote: what was to go out only if they did not is given back. Does not commit."""
    theirs = (LaterReply.conversation_id == conversation.id) & (LaterReply.status == LaterStatus.WAITING)
    values = {"status": LaterStatus.CANCELLED, "reason": "They wrote first."}
    changed = update(LaterReply).where(theirs, LaterReply.unless_answered).values(**values).returning(LaterReply.id)
    ids = db.session.scalars(changed, execution_options={"synchronize_session": False}).all()
    return [
        news for each in ids for news in live.note_in_thread(conversation.account_id, conversation.id, each, "later")
    ]


def send_due() -> None:
    """For the sweep: those whose time has come."""
    due = (LaterReply.status == plain(LaterStatus.WAITING)) & (LaterReply.send_at <= utcnow())
    rows = select(LaterReply.account_id, LaterReply.id).where(due).order_by(LaterReply.send_at).limit(MOST_AT_ONCE)
    do_all(partial(_send_if_there, *each) for each in db.session.execute(rows).all())


def _send_if_there(account_id: int, later_id: int) -> None:
    try:
        _send_in_time(account_id, later_id)
    except NotFound:  # its fan was deleted in this moment
        log.info("later_reply_gone", later_id=later_id)


def _send_in_time(account_id: int, later_id: int) -> None:
    with write():
        later = _locked(account_id, later_id)
        if later.status != LaterStatus.WAITING:
            return
        noted = _cancel(later, "It was due while nothing ran.") if later.send_at < utcnow() - LATEST else _send(later)
    live.tell(noted)
    wake(account_id)


def send_now(account_id: int, later_id: int) -> None:
    """Also one that was cancelled. Raises NotFound; Conflict where it was sent, or cannot be."""
    with write():
        later = _locked(account_id, later_id)
        if later.status == LaterStatus.SENT:
            raise Conflict("It was sent already.")
        noted = _send(later)
    live.tell(noted)
    wake(account_id)
    if later.status == LaterStatus.CANCELLED:
        raise Conflict(later.reason)


def _locked(account_id: int, later_id: int) -> LaterReply:
    """Its thread first: as whoever takes in what the fan writes. Raises NotFound, also where it went meanwhile."""
    later = find_later(account_id, later_id)
    queries.find_to_write_in(account_id, later.conversation_id)
    held = select(LaterReply).where(LaterReply.id == later_id).with_for_update(key_share=True)
    return _found(held.execution_options(populate_existing=True))


def _send(later: LaterReply) -> list[live.Noted]:
    """Does not commit."""
    conversation = queries.find_conversation(later.account_id, later.conversation_id)
    draft = Draft(
        text=later.text,
        price_cents=later.price_cents,
        attachments=later.attachments,
        client_message_id=later.client_message_id,
        author_id=later.author_id,
    )
    try:
        message, noted = actions.queue_reply(conversation.account_id, conversation.id, draft)
    except Conflict as error:
        return _cancel(later, error.detail)
    except (Invalid, NotFound) as error:
        return _cancel(later, f"It can no longer be sent: {without_cents(error.said)}")
    if message.status == MessageStatus.QUEUED and later.send_at <= utcnow():
        message.doubt = restored.doubt_about(later.send_at)
    later.status, later.reason = LaterStatus.SENT, ""
    db.session.flush()
    return noted + _news_of(later)


def _cancel(later: LaterReply, reason: str) -> list[live.Noted]:
    """Given back to a person, who finds the conversation among the unread ones. Does not commit."""
    later.status, later.reason = LaterStatus.CANCELLED, reason
    db.session.flush()
    execute(update(Conversation).where(Conversation.id == later.conversation_id).values(**triage.UNREAD))
    return _news_of(later) + live.note_conversation(later.account_id, later.conversation_id)


def take_back(account_id: int, later_id: int, user_id: int) -> LaterReply:
    """It is not sent; what it says is a draft of that person's. Raises NotFound; Conflict, also where they have begun
    another."""
    with write() as session:
        later = _locked(account_id, later_id)
        _not_sent(later)
        conversation = queries.find_conversation(account_id, later.conversation_id)
        if drafts.find_draft(conversation, user_id):
            raise Conflict("You have begun another answer here: send or empty it first.")
        begun = {"text": later.text, "price_cents": later.price_cents, "attachments": later.attachments}
        drafts.keep(conversation, user_id, client_message_id=new_key(), **begun)
        noted = _news_of(later)
        session.delete(later)
    live.tell(noted)
    return later


def cancel(account_id: int, later_id: int) -> LaterReply:
    """It goes for good. Raises NotFound, Conflict."""
    with write() as session:
        later = _locked(account_id, later_id)
        _not_sent(later)
        noted = _news_of(later)
        session.delete(later)
    live.tell(noted)
    return later


def _not_sent(later: LaterReply) -> None:
    if later.status == LaterStatus.SENT:
        raise Conflict("It was sent already.")


def _news_of(later: LaterReply) -> list[live.Noted]:
    return live.note_in_thread(later.account_id, later.conversation_id, later.id, LaterReply.kind)


def chosen_time(name: str, own: str, zone: str) -> datetime:
    """One of the usual times by its name, or "own". Raises Invalid."""
    if name == "own":
        return local_time(own, zone)
    found = next((each.at for each in triage.snooze_times(zone) if each.name == name), None)
    if found is None:
        raise Invalid(("sendAt", "Choose a time."))
    return found


def local_time(said: str, zone: str) -> datetime:
    """ "2026-10-25T02:30" by the account's clock. Where clocks go back and it comes twice, the first of the two.

    Raises Invalid, also for a time that is left out when clocks go forward.
    """
    try:
        local = datetime.fromisoformat(said).replace(tzinfo=ZoneInfo(zone), second=0, microsecond=0)
        moment = local.astimezone(ZoneInfo("UTC"))
    except (ValueError, OverflowError) as error:
        raise Invalid(("sendAt", "Choose a day and a time.")) from error
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise Invalid(("sendAt", "That night the clocks go forward: this time does not exist. Choose another."))
    return moment
