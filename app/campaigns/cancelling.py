"""What waits of a cancelled campaign, set by set: each in a short transaction of its own, so that replies are not held up.
Nothing of it is sent from the moment that the campaign's state says so. What is left to do is in the rows; whoever dies
here is followed by another."""

import time

from sqlalchemy import select, update

from app.background import later
from app.campaigns import queries
from app.campaigns.models import Campaign, CampaignStatus, Recipient
from app.campaigns.preparing import AT_ONCE, PAUSE_SECONDS, SETS_A_RUN, UNPREPARED, with_unprepared
from app.conversations import live, waiting
from app.conversations.actions import change_status_of_all
from app.conversations.models import Message, MessageStatus
from app.conversations.recording import CAMPAIGN_CANCELLED
from app.database import db, execute, held, write


def cancel_waiting(campaign_id: int) -> None:
    """For a worker: goes on where `cancel` had more than one set, and hands on to another job what is left. Safe to run
    twice, at once, and to die in."""
    for _ in range(SETS_A_RUN):
        with write() as session:
            campaign = session.scalar(held(select(Campaign).where(Campaign.id == campaign_id)))
            is_cancelled = campaign is not None and campaign.status == CampaignStatus.CANCELLED
            count, noted = cancel_set(campaign_id) if is_cancelled else (0, [])
        live.tell(noted)
        if not count:
            return
        time.sleep(PAUSE_SECONDS)
    later("cancel_waiting", campaign_id)


def cancel_set(campaign_id: int) -> tuple[int, list[live.Noted]]:
    """The next recipients without a message, and the next messages; how many they were. Of a cancelled campaign, which the
    caller holds. Does not commit."""
    unprepared = select(Recipient.id).where(Recipient.campaign_id == campaign_id, *UNPREPARED).limit(AT_ONCE)
    never = update(Recipient).where(Recipient.id.in_(unprepared.scalar_subquery()), *UNPREPARED)
    left_out = execute(never.values(skip_reason=queries.CANCELLED_BEFORE))
    waits = select(Message.id).where(Message.campaign_id == campaign_id, Message.status == MessageStatus.QUEUED)
    cancelled = change_status_of_all(
        waits.limit(AT_ONCE), MessageStatus.QUEUED, status=MessageStatus.CANCELLED, status_reason=CAMPAIGN_CANCELLED
    )
    return left_out + len(cancelled), live.note_in_threads(cancelled)


def unfinished() -> list[int]:
    """For the sweep: cancelled campaigns of which something waits."""
    waits = Campaign.id.in_(with_unprepared()) | Campaign.id.in_(waiting.campaigns_queued())
    rows = select(Campaign.id).where(waits, Campaign.status == CampaignStatus.CANCELLED)
    return list(db.session.scalars(rows.limit(20)))
