"""What is still to do, by the database's word: rings for every wake-up that may have been lost."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import delete, exists, func, select

from app.analytics import stretches
from app.background import do_all, later, later_each
from app.campaigns import automatic, cancelling, preparing, scheduling
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
EVENTS_AT_ONCE = 100
DRAFTS_KEPT = timedelta(days=30)
DELETED_REPLIES_KEPT = timedelta(days=30)


def ring_again(queues: tuple[str, ...]) -> None:
    """For the work of these queues. Cheap where nothing is to do: a few indexed look-ups.

    A step that fails keeps none behind it from its turn. Raises ExceptionGroup, in the end.
    """
    do_all(step for queue in queues for step in STEPS.get(queue, ()))


def _drain_if_needed() -> None:
    if outbox.is_needed():
        later("drain")


def _discard_media_if_needed() -> None:
    if media.is_discarding_needed():
        later("discard_media")


def _forget_deleted_replies() -> None:
    forget_deleted(before=utcnow() - DELETED_REPLIES_KEPT)


def _discard_drafts() -> None:
    for account_id, import_id in imports.forgotten_drafts(utcnow() - DRAFTS_KEPT):
        with suppress(Conflict):  # somebody went on with it just now
            discard(account_id, import_id)


def _unhandled_events() -> list[int]:
    """Some of them, by chance: those that must wait do not keep the others from their turn."""
    rows = select(StoredEvent.id).where(
        StoredEvent.handled_at.is_(None), StoredEvent.received_at < utcnow() - FORGOTTEN_AFTER
    )
    return list(db.session.scalars(rows.order_by(func.random()).limit(EVENTS_AT_ONCE)))


def _forget_old_news() -> None:
    old = RoomEvent.created_at < utcnow() - EVENTS_KEPT
    if db.session.scalar(select(exists().where(old))):
        with write() as session:
            session.execute(delete(RoomEvent).where(old).execution_options(synchronize_session=False))


def _each(job: str, ids: Callable[[], list[int]]) -> Callable[[], None]:
    """Rings for the job, for each of these."""
    return lambda: later_each(job, [(each,) for each in ids()])


STEPS: dict[str, tuple[Callable[[], object], ...]] = {  # by the queue
    "sending": (claims.find_forgotten, _drain_if_needed),
    "incoming": (
        _each("handle_event", _unhandled_events),
        _each("read_back", read_back.connections_due),
        _each("catch_up", catching_up.connections_due),
        purchases.link_lately_told,
        _forget_old_news,
        many.forget_old,
        triage.wake_snoozed,
        sending_later.send_due,
        _forget_deleted_replies,
    ),
    "links": (
        scheduling.start_due,
        scheduling.stop_due,
        automatic.look_for_fans,
        _each("prepare_campaign", preparing.unprepared_campaigns),
        _each("cancel_waiting", cancelling.unfinished),
        _each("sync_fans", sync.connections_due),
        _each("keep_figures", stretches.accounts_due),
        _discard_media_if_needed,
    ),
    "imports": (
        _each("run_import", imports.unfinished),
        _discard_drafts,
        _each("run_export", exports_asked_for.unfinished),
        exports.clear_up,
    ),
}
