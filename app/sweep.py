"""What is still to do, by the database's word: rings for every wake-up that may have been lost."""

from contextlib import suppress
from datetime import timedelta

from sqlalchemy import delete, exists, select

from app.analytics import stretches
from app.background import later, later_each
from app.campaigns import automatic, preparing, scheduling
from app.conversations import catching_up, claims, many, outbox, purchases, read_back, sending_later, triage
from app.conversations.models import RoomEvent
from app.database import db, utcnow, write
from app.errors import Conflict
from app.fans import sync
from app.imports import queries as imports
from app.imports.actions import discard
from app.media import actions as media
from app.platforms.models import StoredEvent
from app.portability import actions as exports
from app.portability import queries as exports_asked_for
from app.quick_replies.actions import forget_deleted

FORGOTTEN_AFTER = timedelta(seconds=3)  # younger work has its own wake-up under way
EVENTS_KEPT = timedelta(days=1)
DRAFTS_KEPT = timedelta(days=30)
DELETED_REPLIES_KEPT = timedelta(days=30)


def ring_again(queues: tuple[str, ...]) -> None:
    """For the work of these queues. Cheap where nothing is to do: a few indexed look-ups."""
    if "sending" in queues:
        claims.find_forgotten()
        if outbox.is_needed():
            later("drain")
    if "incoming" in queues:
        later_each("handle_event", _each(_unhandled_events()))
        later_each("read_back", _each(read_back.connections_due()))
        later_each("catch_up", _each(catching_up.connections_due()))
        purchases.link_lately_told()
        _forget_old_news()
        many.forget_old()
        triage.wake_snoozed()
        sending_later.send_due()
        forget_deleted(before=utcnow() - DELETED_REPLIES_KEPT)
    if "links" in queues:
        scheduling.start_due()
        scheduling.stop_due()
        automatic.look_for_fans()
        later_each("prepare_campaign", _each(preparing.unprepared_campaigns()))
        later_each("sync_fans", _each(sync.connections_due()))
        later_each("keep_figures", _each(stretches.accounts_due()))
        if media.is_discarding_needed():
            later("discard_media")
    if "imports" in queues:
        later_each("run_import", _each(imports.unfinished()))
        _discard_drafts()
        later_each("run_export", _each(exports_asked_for.unfinished()))
        exports.clear_up()


def _discard_drafts() -> None:
    for account_id, import_id in imports.forgotten_drafts(utcnow() - DRAFTS_KEPT):
        with suppress(Conflict):  # somebody went on with it just now
            discard(account_id, import_id)


def _each(ids: list[int]) -> list[tuple[int]]:
    return [(each,) for each in ids]


def _unhandled_events() -> list[int]:
    rows = select(StoredEvent.id).where(
        StoredEvent.handled_at.is_(None), StoredEvent.received_at < utcnow() - FORGOTTEN_AFTER
    )
    return list(db.session.scalars(rows.order_by(StoredEvent.id).limit(100)))


def _forget_old_news() -> None:
    old = RoomEvent.created_at < utcnow() - EVENTS_KEPT
    if db.session.scalar(select(exists().where(old))):
        with write() as session:
            session.execute(delete(RoomEvent).where(old).execution_options(synchronize_session=False))
